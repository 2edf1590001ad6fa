"""The commands of `hadron backtest`."""

"""What a backtest is reported by: figures, attribution, and a page with charts."""

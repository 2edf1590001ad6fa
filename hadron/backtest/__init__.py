"""Backtests: recorded events through the code that runs live, and an exchange that is simulated."""

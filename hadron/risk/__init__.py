"""Risk: limits, and the verdict that every order needs."""

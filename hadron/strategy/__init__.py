"""Strategies: from ticks to decisions with their evidence."""

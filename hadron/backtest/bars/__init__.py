"""Strategies on columns of bars, and what they would have earned."""

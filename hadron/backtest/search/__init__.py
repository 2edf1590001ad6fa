"""Searching the parameters of a strategy, in the sample and out of it."""

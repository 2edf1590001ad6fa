"""Hadron's pure core: facts in, facts out."""

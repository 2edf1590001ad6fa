"""Orders: what became of an approved intent at a venue."""

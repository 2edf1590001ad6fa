"""`hadron explain`: how a fact came about, and what became of it."""

"""`hadron verify`: whether what is stored is what was stored."""

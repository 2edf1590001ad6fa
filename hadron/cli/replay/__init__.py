"""`hadron replay`: the same events again, and whether they lead to the same decisions."""

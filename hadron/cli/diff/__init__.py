"""`hadron record` and `hadron diff`: where two runs over the same journal part, and why."""

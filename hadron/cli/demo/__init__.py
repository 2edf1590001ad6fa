"""`hadron demo`: the whole platform on this machine, on a market that you can watch."""

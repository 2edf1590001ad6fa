"""`hadron shadow` and `hadron counterfactual`: what would have been."""

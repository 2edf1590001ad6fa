"""Control: every change of rules, limits and strategies, as facts with author and reason."""

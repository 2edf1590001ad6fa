"""HTTP that we answer: the pages of every process, and commands."""

"""Rows past their age: certified, then dropped, and nothing else."""

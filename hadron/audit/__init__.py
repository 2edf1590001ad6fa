"""Audit: the facts that keep the log honest."""

"""Thin Faust adapters, one stream per file."""

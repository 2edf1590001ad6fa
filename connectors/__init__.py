"""The edges: one package or file per outside system."""

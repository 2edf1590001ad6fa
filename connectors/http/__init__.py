"""The HTTP that every process answers."""

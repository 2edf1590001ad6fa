"""The rows against their chains, the chains against the log."""

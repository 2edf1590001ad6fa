"""What doctor looks at: one small function for each thing that may be wrong."""

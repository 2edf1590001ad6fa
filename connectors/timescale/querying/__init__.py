"""What people ask of the archive."""

"""What would have been: other limits for a day that is over, another strategy beside live."""

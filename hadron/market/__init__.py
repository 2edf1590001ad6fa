"""Market data: from what a venue said to ticks with a quality and a priority."""

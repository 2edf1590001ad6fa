"""Portfolio: positions and profit as a fold of fills and marks."""

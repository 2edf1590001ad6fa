"""How long rows are kept, how tightly, and which candles are made of them."""

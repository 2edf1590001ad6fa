"""Tables made again from the log, beside those that are there, and put in where they differ."""

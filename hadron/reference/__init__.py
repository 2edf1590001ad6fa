"""Reference data: what an instrument is called, whatever the venue calls it."""

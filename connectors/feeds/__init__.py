"""Feeds: one socket driver for all venues, whose rules are in `hadron.venues`."""

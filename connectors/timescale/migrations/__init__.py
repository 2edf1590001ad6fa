"""The migrations, one subject each, forward only, frozen when merged."""

"""Markets that are played, not traded: what the venue simulator sends."""

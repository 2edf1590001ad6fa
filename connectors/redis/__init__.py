"""Redis or Valkey: what is hot now, made from the log and never a source."""

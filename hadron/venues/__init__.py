"""The venues' protocols without I/O: frames in, facts and frames out."""

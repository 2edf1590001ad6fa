"""What people on call see: metrics, logs and traces."""

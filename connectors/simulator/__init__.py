"""The venue simulator: Massive's side of the socket, playing a market, with faults on purpose."""

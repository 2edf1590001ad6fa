"""The one door where core, streams and connectors meet: what a process is built from, and how."""

from hadron.wiring.context import Context, codec_of, names_of

__all__ = ["Context", "codec_of", "names_of"]

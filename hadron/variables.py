"""What environment variables are called, for those who only name one in a sentence."""

from __future__ import annotations

PREFIX = "HADRON_"
# Standard names of others that we honour as they are.
FOREIGN = {
    "otlp_endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "trace_ratio": "OTEL_TRACES_SAMPLER_ARG",
}


def variable(name: str) -> str:
    """The environment variable of a field of Settings."""
    return FOREIGN.get(name, PREFIX + name.upper())

"""Hypothesis without a stopwatch: a busy machine must not fail a property."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "hadron", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("hadron")

"""How far the clock may be off is known by the kernel, exported, and told beyond a limit."""

from __future__ import annotations

from math import isnan

import pytest

from connectors import clock
from connectors.telemetry.metrics import PrometheusTelemetry
from hadron import metrics
from tests.alarms import Heard

LIMIT_S = 0.0001


def test_the_kernel_bounds_the_error_unless_nobody_disciplines_the_clock() -> None:
    assert clock.known_error_s(status=0x2001, maxerror_us=85) == pytest.approx(0.000085)
    assert clock.known_error_s(status=0x2041, maxerror_us=85) is None


def test_this_kernel_answers() -> None:
    off_s = clock.error_s()

    assert off_s is None or off_s >= 0


def test_a_clock_beyond_the_limit_is_told_until_it_is_well_within() -> None:
    alarms, telemetry = Heard(), PrometheusTelemetry()

    for off_s in (0.00004, 0.00012, 0.00009, None, 0.00004):
        clock.tell(off_s, telemetry=telemetry, alarms=alarms, limit_s=LIMIT_S)

    assert alarms.changes == [("clock", True), ("clock", False)]
    assert telemetry.read().value(metrics.CLOCK_ERROR) == pytest.approx(0.00004)


def test_a_clock_that_nobody_synchronises_is_not_a_good_one() -> None:
    alarms, telemetry = Heard(), PrometheusTelemetry()

    clock.tell(None, telemetry=telemetry, alarms=alarms, limit_s=LIMIT_S)

    assert alarms.now == {"clock": "nobody synchronises the clock of this machine"}
    assert isnan(telemetry.read().value(metrics.CLOCK_ERROR))

"""Liveness follows progress, readiness follows the checks."""

from __future__ import annotations

from connectors.http.health import Health


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def health(clock: Clock, *expected: str) -> Health:
    return Health("engine", "0.1.0", expected=expected, stale_after_s=10, clock=clock)


def test_a_loop_that_stands_still_while_records_wait_is_not_alive() -> None:
    clock = Clock()
    engine = health(clock)
    engine.lag(1)

    clock.now_s += 10.5

    assert not engine.alive()


def test_a_loop_that_stands_still_without_work_is_alive() -> None:
    clock = Clock()
    engine = health(clock)
    engine.lag(0)

    clock.now_s += 3600

    assert engine.alive()


def test_a_loop_that_went_round_lately_is_alive_however_much_waits() -> None:
    clock = Clock()
    engine = health(clock)
    engine.lag(1_000_000)
    clock.now_s += 3600

    engine.beat()
    clock.now_s += 10

    assert engine.alive()


def test_liveness_says_who_and_since_when() -> None:
    clock = Clock()
    engine = health(clock)
    clock.now_s += 5
    engine.beat()
    clock.now_s += 2

    alive, body = engine.liveness()

    assert alive
    assert body == {
        "process": "engine",
        "version": "0.1.0",
        "alive": True,
        "uptime_s": 7,
        "beat_age_s": 2,
        "stale_after_s": 10,
        "lag_records": 0,
    }


def test_a_check_that_was_not_reported_yet_is_not_ready() -> None:
    engine = health(Clock(), "kafka", "state")
    engine.ready("kafka", True)

    ready, body = engine.readiness()

    assert not ready
    assert body["checks"] == [
        {"check": "kafka", "ok": True, "reason": ""},
        {"check": "state", "ok": False, "reason": "not reported yet"},
    ]


def test_a_failing_check_gives_its_reason_until_it_is_well() -> None:
    engine = health(Clock(), "kafka")
    engine.ready("kafka", False, "no broker answers")

    unwell = engine.readiness()
    engine.ready("kafka", True)
    well = engine.readiness()

    assert unwell[0] is False
    assert unwell[1]["checks"][0]["reason"] == "no broker answers"
    assert well == (
        True,
        {
            "process": "engine",
            "ready": True,
            "checks": [{"check": "kafka", "ok": True, "reason": ""}],
        },
    )

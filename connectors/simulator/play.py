"""Which events are due: a market's time mapped to ours, cut into frames and at faults."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence

from connectors.simulator.faults import Fault
from hadron.errors import SettingsError
from hadron.simulation.played import Played

FRAME_EVENTS = 500
LOOKED_AT = 5_000  # events passed over at one go, so that others on the loop have their turn
Wants = Callable[[str], bool]


def array(events: Sequence[Played]) -> bytes:
    """One frame of Massive."""
    return b"[" + b",".join([event.element for event in events]) + b"]"


class Play:
    """The position in a market. It belongs to the simulator, not to a connection.

    `speed` is market seconds per second, 0 for as fast as events are taken. `sent` counts events
    per symbol. Raise SettingsError for a negative speed.
    """

    def __init__(self, market: Iterator[Played], *, speed: float, faults: Sequence[Fault]) -> None:
        if not speed >= 0:
            raise SettingsError([f"speed: {speed}; 0 (as fast as possible) or more is wanted"])
        self._market = market
        self._speed = speed
        self._faults = deque(faults)
        self._ahead = next(market, None)
        self._origin: tuple[int, float] | None = None  # a market time in ms is a time of ours
        self._position = 0
        self.sent: Counter[str] = Counter()

    def pause(self) -> None:
        """Let the market's time stand still until events are asked for again."""
        self._origin = None

    def skip(self, now_s: float) -> None:
        """Drop what has been due since events were last asked for."""
        while self._origin and self._speed and self._ahead and self._wait_s(now_s) <= 0:
            self._ahead = next(self._market, None)

    def fault(self) -> Fault | None:
        """The fault that is due before the next event, once."""
        if self._faults and self._faults[0].at <= self._position:
            return self._faults.popleft()
        return None

    def due(self, wants: Wants, now_s: float) -> list[Played] | float | None:
        """Events for one frame; or seconds to wait for the next; None after the last.

        They count as sent. What nobody wants is passed over in its own time. A frame ends where
        the next fault is due.
        """
        most = FRAME_EVENTS
        if self._faults:
            most = min(most, self._faults[0].at - self._position)
        events: list[Played] = []
        wait_s = self._fill(events, wants, now_s, most)
        if not events:
            return wait_s
        self._position += len(events)
        self.sent.update([event.symbol for event in events])
        return events

    def _fill(self, events: list[Played], wants: Wants, now_s: float, most: int) -> float | None:
        market = self._market
        for _ in range(LOOKED_AT):
            event = self._ahead
            if event is None:
                return None
            if self._speed and (wait_s := self._wait_s(now_s)) > 0:
                return wait_s
            if wants(event.topic):
                if len(events) == most:
                    break
                events.append(event)
            self._ahead = next(market, None)
        return 0.0

    def _wait_s(self, now_s: float) -> float:
        assert self._ahead is not None
        if self._origin is None:
            self._origin = (self._ahead.at_ms, now_s)
        at_ms, at_s = self._origin
        return at_s + (self._ahead.at_ms - at_ms) / 1_000 / self._speed - now_s

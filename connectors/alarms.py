"""What a process says people should see, each thing once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread

import structlog

from connectors.telling import Teller
from hadron.audit.alerts import Said
from hadron.audit.facts import Severity
from hadron.errors import SettingsError

STOPPED = "stopped"
_STEADY_S = 60.0  # a process that ran so long is not one that fails again and again
_TURN_S = 1.0
_LOOK_S = 10.0  # how often Kafka is looked at
_RETRY_S = 1.0
_END_S = 5.0  # how long the end of a process waits for Kafka

log = structlog.get_logger()


class KafkaAlarms:
    """Meets `Alarms`. A thread of its own tells, so that nobody waits for Kafka.

    What the log says already is not said again: neither after a restart nor by another process of
    the same kind. While Kafka is gone what is to be said waits, with the time at which it happened.
    """

    def __init__(self, process: str, teller: Teller) -> None:
        self._process, self._teller = process, teller
        self._lock = Lock()
        self._wrong: dict[str, bool] = {}  # what was last said of each subject
        self._later: dict[str, tuple[float, Said]] = {}  # raised once their time has come
        self._said: SimpleQueue[Said | None] = SimpleQueue()
        self._began_s = self._looked_s = time.monotonic()
        self._ending = Event()
        self._thread = Thread(target=self._work, name="alarms", daemon=True)

    def close(self) -> None:
        """See Alarms. It waits a few seconds at most."""
        self._said.put(None)
        if self._thread.ident is not None:
            self._thread.join(_END_S)
        self._ending.set()

    @contextmanager
    def told_if_it_stops(self) -> Iterator[None]:
        """Raise an alert where what runs inside ends with an error, but for wrong settings."""
        try:
            yield
        except SettingsError:
            raise  # it never began
        except Exception as error:
            self.stopped(error)
            raise

    def stopped(self, error: Exception) -> None:
        """See Alarms. It is cleared when the process has run for a minute again."""
        self.raised(STOPPED, f"{self._process} stopped: {type(error).__name__}: {error}")

    def raised(
        self, subject: str, text: str, *, severity: Severity = "critical", after_s: float = 0
    ) -> None:
        """See Alarms."""
        with self._lock:
            if self._wrong.get(subject):
                return
            said = self._of(subject, text, severity)
            if after_s > 0:
                self._later.setdefault(subject, (time.monotonic() + after_s, said))
                self._begin()
            else:
                self._say(subject, said)

    def well(self, subject: str) -> None:
        """See Alarms."""
        if self._wrong.get(subject) is False and subject not in self._later:
            return
        with self._lock:
            self._later.pop(subject, None)
            if self._wrong.get(subject) is not False:
                self._say(subject, self._of(subject, "it is well again", None))

    def measured(self, subject: str, value: float, *, limit: float, text: str) -> None:
        """See Alarms."""
        if value > limit:
            self.raised(subject, text, severity="warning")
        elif value <= limit / 2:
            self.well(subject)

    def _of(self, subject: str, text: str, severity: Severity | None) -> Said:
        return Said(self._process, f"{self._process}/{subject}", text, time.time_ns(), severity)

    def _say(self, subject: str, said: Said) -> None:
        self._wrong[subject] = said.severity is not None
        self._later.pop(subject, None)
        self._teller.show(said)
        self._said.put(said)
        self._begin()

    def _begin(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                said = self._said.get(timeout=_TURN_S)
            except Empty:
                self._look()
                continue
            if said is None:
                break
            while not self._teller.told(said):
                if self._ending.wait(_RETRY_S):
                    log.error("alert.lost", subject=said.subject, text=said.text)
                    break
        self._teller.close()

    def _look(self) -> None:
        now_s = time.monotonic()
        with self._lock:
            for subject, (due_s, said) in list(self._later.items()):
                if now_s >= due_s:
                    self._say(subject, said)
        if now_s - self._began_s >= _STEADY_S:
            self.well(STOPPED)
        if now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            self._teller.look()

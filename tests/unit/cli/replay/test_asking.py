"""What is asked of a replay over HTTP and by keys, and the answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest

from hadron.cli.replay.bounds import Bound, Moment
from hadron.cli.replay.controls import Controls, Status
from hadron.cli.replay.keyboard import Keyboard
from hadron.cli.replay.pace import Speed
from hadron.cli.replay.requests import Address, address, serving
from hadron.errors import RequestRefused

HOST = "127.0.0.1"


class Recorder:
    """A Player that does nothing but remember."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.state, self.speed = "paused", Speed.X1

    def play(self) -> None:
        self.done.append("play")
        self.state = "playing"

    def pause(self) -> None:
        self.done.append("pause")
        self.state = "paused"

    def step(self, count: int) -> None:
        self.done.append(("step", count))

    def seek(self, to: Bound) -> None:
        if to == Moment(0):
            raise RequestRefused("to", "1970", "a later one")
        self.done.append(("seek", to))

    def change(self, speed: Speed) -> None:
        self.done.append(("speed", speed))
        self.speed = speed

    def status(self) -> Status:
        return Status("engine", self.state, self.speed, None, {"journal.engine/0": 7}, 7, 9)


class Server:
    """Its port, and a thread that serves what is asked."""

    def __init__(self) -> None:
        self.player = Recorder()
        self.controls = Controls()
        self.port = 0
        self.stop = Event()
        self._thread = Thread(target=self._serve)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self.stop.wait(0.005):
            self.controls.serve(self.player)

    def ask(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        assert answer.headers["Content-Type"].startswith("application/json")
        found = json.loads(answer.read())
        connection.close()
        return answer.status, found


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made, serving(made.controls, Address(HOST, 0)) as port:
        made.port = port
        yield made


@pytest.mark.parametrize(
    ("path", "body", "done"),
    [
        ("/play", None, "play"),
        ("/pause", "{}", "pause"),
        ("/step", None, ("step", 1)),
        ("/step", '{"count": 12}', ("step", 12)),
        ("/seek", '{"to": "1970-01-01T00:00:01Z"}', ("seek", Moment(1000))),
        ("/speed", '{"speed": "100x"}', ("speed", Speed.X100)),
    ],
)
def test_a_command_is_done_and_answered_with_the_status_afterwards(
    server: Server, path: str, body: str | None, done: Any
) -> None:
    code, status = server.ask("POST", path, body)

    assert (code, server.player.done) == (200, [done])
    assert status["state"] == server.player.state
    assert status["speed"] == server.player.speed
    assert (status["done"], status["total"]) == (7, 9)
    assert status["next"] == {"journal.engine/0": 7}


def test_the_status_can_be_asked_for_at_any_time(server: Server) -> None:
    server.ask("POST", "/play")

    code, status = server.ask("GET", "/status")

    assert (code, status["replay"], status["state"]) == (200, "engine", "playing")


def test_before_it_begins_there_is_no_status() -> None:
    made = Server()
    with serving(made.controls, Address(HOST, 0)) as made.port:
        assert made.ask("GET", "/status")[0] == 503


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("/speed", '{"speed": "2x"}', ("speed", "'2x'", "one of 1x, 10x, 100x, max")),
        ("/speed", "{}", ("speed", "None", "one of 1x, 10x, 100x, max")),
        ("/step", '{"count": 0}', ("count", "0", "a whole number, 1 or more")),
        ("/step", '{"count": true}', ("count", "True", "a whole number, 1 or more")),
        ("/step", '{"by": 2}', ("by", "2", "only count")),
        ("/play", '{"speed": "1x"}', ("speed", "'1x'", "no setting here")),
        ("/play", "[1]", ("body", "'[1]'", "a JSON object, or nothing")),
    ],
)
def test_what_is_wrong_is_named_with_the_value_and_what_is_wanted(
    server: Server, path: str, body: str, wrong: tuple[str, str, str]
) -> None:
    code, told = server.ask("POST", path, body)

    assert code == 400
    assert (told["setting"], told["value"], told["wanted"]) == wrong
    assert told["error"] == f"{wrong[0]}: {wrong[1]}; wanted {wrong[2]}"
    assert server.player.done == []


def test_a_place_that_is_none_is_refused_before_and_one_that_is_not_there_by_the_replay(
    server: Server,
) -> None:
    code, told = server.ask("POST", "/seek", '{"to": "noon"}')
    assert (code, told["setting"], told["value"]) == (400, "to", "'noon'")
    assert told["wanted"].startswith("beginning, a time of receipt as 2013-10-07T14:30:00Z")

    code, told = server.ask("POST", "/seek", '{"to": "1970-01-01"}')
    assert (code, told["error"]) == (409, "to: 1970; wanted a later one")


@pytest.mark.parametrize(
    ("method", "path", "code"), [("GET", "/play", 405), ("POST", "/rewind", 404)]
)
def test_a_request_for_nothing_is_told_what_there_is(
    server: Server, method: str, path: str, code: int
) -> None:
    answered, told = server.ask(method, path)

    assert (answered, told["value"]) == (code, f"{method} {path}")
    assert told["wanted"] == (
        "one of GET /status, POST /pause, POST /play, POST /seek, POST /speed, POST /step"
    )


def test_pages_of_a_browser_may_not_command(server: Server) -> None:
    code, told = server.ask("POST", "/play", Origin="http://elsewhere.example")

    assert (code, told["setting"]) == (403, "Origin")
    assert server.player.done == []


@pytest.mark.parametrize("text", ["127.0.0.1:8089", "localhost:0", "[::1]:9"])
def test_an_address_is_one_that_only_this_machine_reaches(text: str) -> None:
    assert address(text).port == int(text.rpartition(":")[2])


@pytest.mark.parametrize("text", ["0.0.0.0:80", "192.0.2.1:80", "8089", "127.0.0.1:x", ":80"])
def test_an_address_that_others_reach_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="wanted an address that only this machine reaches"):
        address(text)


def typed(keys: str) -> tuple[Recorder, Keyboard]:
    """What a replay does when these keys are pressed, one after the other."""
    controls, player = Controls(), Recorder()
    board = Keyboard(controls)
    for key in keys:
        board.press(key)
        controls.serve(player)
    return player, board


@pytest.mark.parametrize(
    ("keys", "done"),
    [
        (" ", ["play"]),
        ("  ", ["play", "pause"]),
        ("nn", [("step", 1), ("step", 1)]),
        ("+", [("speed", Speed.X10)]),
        ("++++", [("speed", speed) for speed in ("10x", "100x", "max", "max")]),
        ("-", [("speed", Speed.X1)]),
        ("s1970-01-01 00:00:03\n", [("seek", Moment(3000))]),
        ("s1970-01-02x\x7f\r", [("seek", Moment(86_400_000))]),
        ("sn\x1bn", [("step", 1)]),
        ("xyz\t", []),
    ],
)
def test_keys_are_commands(keys: str, done: list[Any]) -> None:
    player, _ = typed(keys)

    assert player.done == done


def test_what_is_typed_and_what_was_refused_is_shown() -> None:
    assert typed("s2013")[1].line == "seek to: 2013_"
    assert typed("snoon\n")[1].line.startswith("to: 'noon'; wanted beginning")
    assert typed("s1970-01-01\n")[1].line == "to: 1970; wanted a later one"
    assert typed("snoon\nn")[1].line == ""

"""Lanes: FAST first, and nobody waits for ever."""

from __future__ import annotations

from streams.batching import Fetch
from streams.lanes import ROUND, Lanes, Waiting
from streams.ranks import COLD

RANK = {"fast": 1, "warm": 2, "cold": 3}
TURN = {0: 10, 1: 4, 2: 3, 3: 2}


def lanes() -> Lanes:
    return Lanes(RANK, turn=TURN)


def waiting(topic: str, count: int) -> Waiting:
    return Waiting(topic, 0, list(range(count)), Fetch([], [], 1))


def taken(queue: Lanes) -> tuple[str, list[int]]:
    turn = queue.take()
    assert turn is not None
    return turn[0].topic, list(turn[1])


def test_fast_is_served_before_warm_before_cold() -> None:
    queue = lanes()
    for topic in ("cold", "warm", "fast", "control"):
        queue.put(waiting(topic, 1))

    assert [taken(queue)[0] for _ in range(4)] == ["control", "fast", "warm", "cold"]


def test_a_slice_is_taken_in_turns_and_in_order() -> None:
    queue = lanes()
    queue.put(waiting("cold", 5))

    assert [taken(queue)[1] for _ in range(3)] == [[0, 1], [2, 3], [4]]
    assert queue.take() is None


def test_a_fast_slice_goes_between_two_turns_of_a_cold_one() -> None:
    queue = lanes()
    queue.put(waiting("cold", 4))
    first = taken(queue)[0]
    queue.put(waiting("fast", 1))

    assert [first, taken(queue)[0], taken(queue)[0]] == ["cold", "fast", "cold"]


def test_later_lanes_get_their_share_while_fast_never_ends() -> None:
    # given more FAST than can ever be served
    queue = lanes()
    for topic in ("fast", "warm", "cold"):
        queue.put(waiting(topic, 10_000))

    # when some rounds of turns are served
    served = [taken(queue)[0] for _ in range(10 * ROUND)]

    # then each later lane got one turn of each round, and FAST the rest
    assert served.count("warm") == 10
    assert served.count("cold") == 10


def test_a_lane_that_rests_goes_on_waiting_while_others_are_served() -> None:
    # given COLD and WARM
    queue = lanes()
    queue.put(waiting("cold", 1))
    queue.put(waiting("warm", 1))

    # when COLD rests
    turns = [queue.take(but=COLD), queue.take(but=COLD)]

    # then WARM is served, and COLD is still there
    assert [turn and turn[0].topic for turn in turns] == ["warm", None]
    assert taken(queue)[0] == "cold"


def test_what_waits_is_counted() -> None:
    queue = lanes()
    queue.put(waiting("cold", 5))
    queue.take()

    assert queue.waiting["cold", 0] == 3
    assert queue.records(3) == 3

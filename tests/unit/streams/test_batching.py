"""A fetch is acknowledged once, when none of its slices needs to come again."""

from streams.batching import Fetch


class Event:
    """Counts acknowledgements."""

    def __init__(self) -> None:
        self.acknowledged = 0

    def ack(self) -> None:
        self.acknowledged += 1


def test_a_fetch_is_acknowledged_after_its_last_slice_and_not_before() -> None:
    # Given a fetch of two slices
    event = Event()
    fetch = Fetch(slices=[], last=[], open=2)
    fetch.received(event)

    # When one of them is done
    fetch.done()

    # Then it may come again
    assert event.acknowledged == 0

    # When the other is done, too
    fetch.done()

    # Then it must not
    assert event.acknowledged == 1

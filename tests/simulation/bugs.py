"""Bugs to plant in the real code, in memory: the simulation must find each of them.

Those that were there, and were found by it, are among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from connectors.gateways import answers
from connectors.gateways.answers import Answers
from hadron.audit.checkpoints import Recovered
from hadron.audit.checkpoints import recover as checkpoints_recovered
from hadron.audit.names import name_of
from hadron.desk.facts import IntentApproved, IntentRejected
from hadron.desk.shelf import Shelf
from hadron.orders.watermarks import Watermarks
from hadron.strategy.engine import Engine
from streams import checkpointing, restoring
from streams.batching import Fetch, SliceConsumer
from streams.checkpointing import Checkpointer
from streams.fold import Stream
from streams.outbox import Outbox
from streams.sequencing import Sequencer
from streams.shard import Shard

Bug = Callable[[pytest.MonkeyPatch], None]


def acknowledges_before_the_state_is_stored(patch: pytest.MonkeyPatch) -> None:
    real = Checkpointer.store

    async def store(self: Checkpointer, shards: Any, stepped: list[Fetch]) -> None:
        for fetch in stepped:
            fetch.done()
        stepped.clear()
        await real(self, shards, stepped)

    patch.setattr(Checkpointer, "store", store)


def acknowledges_a_shard_that_was_restored_meanwhile(patch: pytest.MonkeyPatch) -> None:
    """It was there: shards were listed before the wait for the log, what they stepped after it."""
    real = Checkpointer.store

    async def store(self: Checkpointer, shards: Any, stepped: list[Fetch]) -> None:
        await real(self, list(shards), stepped)

    patch.setattr(Checkpointer, "store", store)


def does_not_wait_for_the_log(patch: pytest.MonkeyPatch) -> None:
    async def all_stored(self: Outbox) -> None:
        self._log.poll()

    patch.setattr(Outbox, "all_stored", all_stored)


def forgets_what_is_written_already(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(restoring, "_written_since", lambda *_, **__: {})


def forgets_what_is_written_at_the_next_checkpoint(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Shard, "_forget_passed", lambda self: setattr(self, "written", {}))


def takes_a_mark_on_one_partition_for_one_on_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Shard, "_is_written", lambda self, fact: name_of(fact) in self.written)


def writes_a_mark_again_where_it_lies(patch: pytest.MonkeyPatch) -> None:
    """It was there: a crash that left a mark on some partitions doubled it on these."""
    real = Outbox._routed

    def routed(self: Outbox, facts: Sequence[Any], written: Any) -> Any:
        return real(self, facts, {})

    patch.setattr(Outbox, "_routed", routed)


def steps_before_the_journal_says_so(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Sequencer, "may_step", lambda self: True)


def takes_the_ends_of_outputs_too_late(patch: pytest.MonkeyPatch) -> None:
    real = Shard.checkpoint

    def checkpoint(self: Shard, ends: dict[tuple[str, int], int]) -> Any:
        return real(self, {place: end + 1 for place, end in ends.items()})

    patch.setattr(Shard, "checkpoint", checkpoint)


def loses_the_last_record_of_a_slice(patch: pytest.MonkeyPatch) -> None:
    real = Shard.step

    def step(self: Shard, topic: str, records: Sequence[Any], codec: Any) -> list[Any]:
        outputs = real(self, topic, records[:-1] or records, codec)
        self.positions[topic, self.partition] = records[-1].offset + 1
        return outputs

    patch.setattr(Shard, "step", step)


def _restores_positions(patch: pytest.MonkeyPatch, by: int) -> None:

    def recover(checkpoints: Any) -> Recovered:
        recovered = checkpoints_recovered(checkpoints)
        recovered.positions = {at: max(0, n + by) for at, n in recovered.positions.items()}
        return recovered

    patch.setattr(restoring, "recover", recover)


def restores_positions_one_too_early(patch: pytest.MonkeyPatch) -> None:
    _restores_positions(patch, -1)


def restores_positions_one_too_late(patch: pytest.MonkeyPatch) -> None:
    _restores_positions(patch, 1)


def leaves_an_instrument_out_of_a_snapshot(patch: pytest.MonkeyPatch) -> None:
    real = Engine.snapshot

    def snapshot(self: Engine) -> list[tuple[str, bytes]]:
        parts = real(self)
        watches = [part for part in parts if part[0].startswith("watch/")]
        return [part for part in parts if part not in watches[1:2]]

    patch.setattr(Engine, "snapshot", snapshot)


def overwrites_checkpoints_that_are_still_needed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checkpointing, "slot", lambda taken: "base" if taken.base else "delta")


def drops_what_waits_when_partitions_are_revoked(patch: pytest.MonkeyPatch) -> None:
    real = Stream._show

    def show(self: Stream) -> None:
        if self._app.rebalancing:
            for queue in self._lanes._queues:
                self._stepped.extend(waiting.fetch for waiting in queue)
                queue.clear()
        real(self)

    patch.setattr(Stream, "_show", show)


def keeps_shards_that_another_stepped_meanwhile(patch: pytest.MonkeyPatch) -> None:
    async def reassigned(self: Stream, *_: Any, **__: Any) -> None:
        self._intake.reassigned()

    patch.setattr(Stream, "_reassigned", reassigned)


def commits_one_offset_too_far(patch: pytest.MonkeyPatch) -> None:
    real = SliceConsumer._new_offset

    def new_offset(self: SliceConsumer, tp: Any) -> int | None:
        offset = real(self, tp)
        return None if offset is None else offset + 1

    patch.setattr(SliceConsumer, "_new_offset", new_offset)


def seeks_what_is_being_taken_away(patch: pytest.MonkeyPatch) -> None:
    """It was there: the process ended where a rebalance met another one."""
    real = SliceConsumer._wait_next_records

    async def wait_next_records(self: SliceConsumer, timeout: float) -> Any:
        found = await real(self, timeout)
        if not self.flow_active:
            await self.perform_seek()
        return found

    patch.setattr(SliceConsumer, "_wait_next_records", wait_next_records)


def acknowledges_a_fetch_with_its_first_slice(patch: pytest.MonkeyPatch) -> None:
    def done(self: Fetch) -> None:
        event, self.event = self.event, None
        if event is not None:
            event.ack()

    patch.setattr(Fetch, "done", done)


def skips_the_watermark(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Watermarks, "covers", lambda self, name: False)


def forgets_that_trading_is_halted(patch: pytest.MonkeyPatch) -> None:
    real = Shelf.restore

    def restore(self: Shelf, name: str, part: bytes) -> None:
        if name != '["halt"]':
            real(self, name, part)

    patch.setattr(Shelf, "restore", restore)


def forwards_an_intent_that_was_not_approved(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(answers, "IntentApproved", IntentApproved | IntentRejected)


def answers_again_from_what_was_committed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Answers, "_orders", lambda self, partition: iter(()))


BUGS: dict[str, Bug] = {
    bug.__name__: bug
    for bug in (
        acknowledges_before_the_state_is_stored,
        acknowledges_a_shard_that_was_restored_meanwhile,
        does_not_wait_for_the_log,
        forgets_what_is_written_already,
        forgets_what_is_written_at_the_next_checkpoint,
        steps_before_the_journal_says_so,
        takes_a_mark_on_one_partition_for_one_on_all,
        writes_a_mark_again_where_it_lies,
        takes_the_ends_of_outputs_too_late,
        loses_the_last_record_of_a_slice,
        restores_positions_one_too_early,
        restores_positions_one_too_late,
        leaves_an_instrument_out_of_a_snapshot,
        overwrites_checkpoints_that_are_still_needed,
        drops_what_waits_when_partitions_are_revoked,
        keeps_shards_that_another_stepped_meanwhile,
        commits_one_offset_too_far,
        seeks_what_is_being_taken_away,
        acknowledges_a_fetch_with_its_first_slice,
        skips_the_watermark,
        forgets_that_trading_is_halted,
        forwards_an_intent_that_was_not_approved,
        answers_again_from_what_was_committed,
    )
}

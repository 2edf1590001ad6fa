"""Steps live's desk again, and beside it one under other limits; tells where they part."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from hadron.audit.checkpoints import Recovered
from hadron.cli import opening, output
from hadron.cli.exits import Exit
from hadron.cli.replay.again import Range, Run, Stepped
from hadron.cli.replay.bounds import Bound
from hadron.cli.replay.equality import Compared, compared
from hadron.cli.replay.journalled import journalled
from hadron.cli.whatif.changed import report, tables
from hadron.control.facts import LimitsChanged
from hadron.desk.desk import Desk
from hadron.ports import Codec, FactLog
from hadron.settings import Settings
from hadron.whatif.counterfactual import Counterfactual
from hadron.whatif.listened import Listened
from streams.restoring import follow
from streams.shard import Place, Shard

PROCESS = "desk"


def other_limits(
    limits: Mapping[str, LimitsChanged],
    begin: Bound,
    end: Bound,
    *,
    settings: Settings,
    as_json: bool,
) -> Exit:
    """Judge anew, and print. OK where live's limits lead to what is on the log."""
    from connectors.kafka.inspection import stamped_after
    from hadron.wiring import codec_of

    run = Run(PROCESS, settings.num_shards, opening.names(settings))
    log, codec = opening.fact_log(settings), codec_of(settings)
    stamped = partial(stamped_after, opening.admin(settings))
    ranges = journalled(run, begin, end, log=log, stamped=stamped)
    shards = [
        judged_anew(run, partition, bounds, limits, log=log, codec=codec)
        for partition, bounds in ranges.items()
    ]
    found = report(limits, ranges, shards)
    output.show(found, *tables(found), as_json=as_json)
    return Exit.OK if found.holds else Exit.CHECK_FAILED


def judged_anew(
    run: Run,
    partition: int,
    bounds: Range,
    limits: Mapping[str, LimitsChanged],
    *,
    log: FactLog,
    codec: Codec,
) -> tuple[Compared, Counterfactual]:
    """Step a shard's journal to `bounds.end`; from `bounds.begin` on the other limits hold."""
    desk = Desk()
    sides = Counterfactual(desk, limits)
    place, done = Place(run.process, run.partitions, run.names), Stepped(run, partition, codec)
    shard = Shard(place, partition, Listened(desk, sides.take), Recovered())
    for _ in follow(shard, place, log=log, codec=codec, end=bounds.begin):
        pass
    sides.begin()
    for each in follow(shard, place, log=log, codec=codec, end=bounds.end):
        done.add(each)
    [found] = compared(run, [done], log=log, codec=codec)
    return found, sides

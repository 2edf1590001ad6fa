"""Which entries of a journal a command is about."""

from __future__ import annotations

from hadron.cli.replay.again import Range, Run
from hadron.cli.replay.bounds import Bound
from hadron.cli.replay.span import Stamped, check_order, resolved
from hadron.ports import Reading


def journalled(
    run: Run, begin: Bound, end: Bound, *, log: Reading, stamped: Stamped
) -> dict[int, Range]:
    """The entries between two bounds, by partition; partitions without any are left out.

    Raise SettingsError naming the option for offsets that the journal does not have.
    """
    places = [(run.journal, partition) for partition in range(run.partitions)]
    kept = log.starts(places), log.ends(places)
    begins = resolved("--from", begin, edge=kept[0], kept=kept, stamped=stamped)
    ends = resolved("--to", end, edge=kept[1], kept=kept, stamped=stamped)
    check_order(begins, ends, end)
    return {
        place[1]: Range(kept[0][place], begins[place], ends[place])
        for place in places
        if begins[place] < ends[place]
    }

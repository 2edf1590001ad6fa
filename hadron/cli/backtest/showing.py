"""Reports and searches as people read them on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hadron.backtest.report.correlation import Correlation
from hadron.backtest.report.figures import Figures
from hadron.backtest.report.page import figure, page, time, words
from hadron.backtest.report.report import Report
from hadron.cli import output
from hadron.errors import SettingsError
from hadron.values import digits

if TYPE_CHECKING:
    from hadron.backtest.search.search import Found

# Of the figures, which a table of many runs has room for.
SHORT = (
    "profit",
    "total_return",
    "sharpe",
    "sortino",
    "max_drawdown",
    "trades",
    "hit_rate",
    "fees",
)

PAIRS = 20  # that a terminal shows


def show_report(report: Report, *, as_json: bool) -> None:
    """Print a report."""
    output.show(
        report,
        output.table("Run", ("", ""), [(words(k), said(v)) for k, v in report.run.items()]),
        output.table("Figures", ("", ""), _all(report.figures)),
        output.table(
            "By strategy and instrument",
            ("strategy", "instrument", "net", "fees", "fills", "trades", "hits"),
            [
                (s.strategy, s.instrument, digits(s.net), digits(s.fees), s.fills, s.trades, s.hits)
                for s in report.attribution
            ],
        ),
        *_together(report.correlations),
        as_json=as_json,
    )


def _together(correlations: Sequence[Correlation]) -> list[Any]:
    if not correlations:
        return []
    title = f"Profits that go together, by spans of {correlations[0].span_s} s"
    rows = [
        (
            f"{one.strategy} {one.instrument}",
            f"{one.other_strategy} {one.other_instrument}",
            "-" if one.correlation is None else f"{one.correlation:.2f}",
        )
        for one in correlations[:PAIRS]
    ]
    return [output.table(title, ("one", "other", "correlation"), rows)]


def show_found(found: Found, *, as_json: bool) -> None:
    """Print a search. What was chosen with all bars known is called in-sample, and nothing else."""
    luck = "-" if found.deflated_sharpe is None else f"{found.deflated_sharpe:.1%}"
    names = list(found.best[0].values) if found.best else []
    tables = [
        output.table("Run", ("", ""), [(words(k), said(v)) for k, v in found.run.items()]),
        output.table(
            f"Best {len(found.best)} of {found.tried:,} by {words(found.metric)}, IN-SAMPLE: chosen"
            " and measured on the same bars",
            (*names, *map(words, SHORT)),
            [(*one.values.values(), *_short(one.in_sample)) for one in found.best],
        ),
        output.table(
            "", ("", ""), [("probability that the best one's true sharpe is above 0", luck)]
        ),
    ]
    if found.walk:
        tables.append(_walk(found))
    if found.out_of_sample:
        title = "All tests in a row, OUT-OF-SAMPLE"
        tables.append(output.table(title, ("", ""), _all(found.out_of_sample)))
    output.show(found, *tables, as_json=as_json)


def write_page(path: Path, report: Report, *, title: str) -> None:
    """Write the report as HTML. Raise SettingsError if the file cannot be written."""
    try:
        path.write_text(page(report, title=title), "utf-8")
    except OSError as error:
        raise SettingsError([f"--html: {str(path)!r}: {error.strerror}"]) from error


def said(value: Any) -> str:
    """A setting of a run in words."""
    match value:
        case msgspec.Struct():
            return said(msgspec.structs.asdict(value))
        case Mapping():
            return ", ".join(f"{name}={said(inner)}" for name, inner in value.items())
        case _:
            return str(value)


def _walk(found: Found) -> Any:
    metric = words(found.metric)
    return output.table(
        "Walk-forward: chosen in the training, measured in the test after it",
        (
            "train from",
            "test from",
            "test to",
            "chosen",
            f"{metric} IN-SAMPLE",
            f"{metric} OUT-OF-SAMPLE",
        ),
        [
            (
                *(_time(ns) for ns in (step.train_begin_ns, step.test_begin_ns, step.test_end_ns)),
                said(step.values) if step.values else "-",
                figure(found.metric, step.in_sample),
                figure(found.metric, step.out_of_sample),
            )
            for step in found.walk
        ],
    )


def _all(figures: Figures) -> list[tuple[str, str]]:
    found = msgspec.structs.asdict(figures).items()
    return [(words(name), figure(name, value)) for name, value in found]


def _short(figures: Figures) -> list[str]:
    return [figure(name, getattr(figures, name)) for name in SHORT]


def _time(at_ns: int) -> str:
    return f"{time(at_ns):%Y-%m-%d %H:%M}"

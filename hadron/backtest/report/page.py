"""The report as one HTML file that opens without a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any

import msgspec

from hadron.backtest.report.figures import Figures
from hadron.backtest.report.report import Report
from hadron.values import digits

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS = 500  # of a table; the JSON has all
SHARES = frozenset({"total_return", "annual_return", "volatility", "max_drawdown"})
SHARES_OF_ALL = frozenset({"hit_rate", "exposure"})
STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px;
  padding: 0 1rem; color: #1a1a2e; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: .75rem; }
dl div { background: #f4f5f9; border-radius: 6px; padding: .5rem .75rem; }
dt { color: #666; font-size: .8rem; } dd { margin: 0; font-size: 1.1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #e5e5ee; }
th { color: #666; font-weight: 500; } td.text, th.text { text-align: left; }
"""


def page(report: Report, *, title: str) -> str:
    """One document with its scripts inside: nothing is fetched when it is opened."""
    from plotly.io import to_html

    from hadron.backtest.report.charts import charts

    parts = [f"<h1>{escape(title)}</h1>", _run(report.run), _figures(report.figures)]
    for place, (heading, chart) in enumerate(charts(report)):
        drawn: Figure = chart
        script = to_html(
            drawn,
            full_html=False,
            include_plotlyjs=place == 0,
            div_id=f"chart-{place}",
            config={"displaylogo": False, "showSendToCloud": False},
        )
        parts.append(f"<h2>{escape(heading)}</h2>{script}")
    parts.append(f"<h2>By strategy and instrument</h2>{_table(report.attribution)}")
    if report.correlations:
        parts.append(f"<h2>Profits that go together</h2>{_table(report.correlations[:ROWS])}")
    parts.append(f"<h2>Trades</h2>{_trades(report.trades)}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _run(run: dict[str, Any]) -> str:
    return f"<p>{' · '.join(f'{escape(name)}: {escape(_said(v))}' for name, v in run.items())}</p>"


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(inner)}" for name, inner in value.items())
    return _cell("", value)


def _figures(figures: Figures) -> str:
    cells = (
        f"<div><dt>{escape(words(name))}</dt><dd>{figure(name, value)}</dd></div>"
        for name, value in msgspec.structs.asdict(figures).items()
    )
    return f"<dl>{''.join(cells)}</dl>"


def words(name: str) -> str:
    """A field's name as people read it."""
    return name.replace("_", " ")


def figure(name: str, value: float | int | None) -> str:
    """A figure as people read it; what cannot be said is a dash."""
    if value is None:
        return "-"
    if name in SHARES | SHARES_OF_ALL:
        return f"{value:.2%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def time(at_ns: int) -> datetime:
    """The time in UTC, to the microsecond."""
    return EPOCH + timedelta(microseconds=at_ns // 1_000)


def _trades(trades: Sequence[msgspec.Struct]) -> str:
    left = len(trades) - ROWS
    note = f"<p>The last {ROWS} of {len(trades):,}.</p>" if left > 0 else ""
    return note + _table(trades[-ROWS:])


def _table(rows: Sequence[msgspec.Struct]) -> str:
    if not rows:
        return "<p>None.</p>"
    names = rows[0].__struct_fields__
    texts = {name for name in names if isinstance(getattr(rows[0], name), str)}
    head = _row("th", ((name, words(name)) for name in names), texts)
    body = (
        _row("td", ((name, _cell(name, getattr(row, name))) for name in names), texts)
        for row in rows
    )
    return f"<table><thead>{head}</thead><tbody>{''.join(body)}</tbody></table>"


def _row(tag: str, cells: Iterable[tuple[str, str]], texts: set[str]) -> str:
    written = (
        f"<{tag}{' class=text' if name in texts else ''}>{escape(text)}</{tag}>"
        for name, text in cells
    )
    return f"<tr>{''.join(written)}</tr>"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name.endswith("_ns") and isinstance(value, int):
        return f"{time(value):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:.2f}"
    return digits(value) if isinstance(value, Decimal) else str(value)

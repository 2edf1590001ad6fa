"""The charts of a report. Plotly comes with an extra and is imported only here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import plotly.graph_objects as go

from hadron.backtest.report.page import time
from hadron.backtest.report.report import Report

HEIGHT = 320


def charts(report: Report) -> list[tuple[str, go.Figure]]:
    """Headings and charts: equity, drawdown, exposure, attribution, trades."""
    times = [time(point.at_ns) for point in report.curve]
    return [
        ("Equity", _line(times, [point.equity for point in report.curve])),
        ("Drawdown", _line(times, [point.drawdown for point in report.curve], percent=True)),
        ("Held, at marks", _line(times, [point.gross for point in report.curve])),
        ("Profit after fees, by strategy and instrument", _attribution(report)),
        ("Profit after fees of each trade", _trades(report)),
    ]


def _line(
    times: Sequence[datetime], values: Sequence[float | None], *, percent: bool = False
) -> go.Figure:
    drawn = go.Scatter(
        x=list(times), y=list(values), mode="lines", fill="tozeroy" * percent or None
    )
    chart = _chart(drawn)
    if percent:
        chart.update_yaxes(tickformat=".2%")
    return chart


def _attribution(report: Report) -> go.Figure:
    nets: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for share in report.attribution:
        nets[share.strategy][share.instrument] += share.net
    bars = [
        go.Bar(name=name, x=list(of), y=[float(net) for net in of.values()])
        for name, of in nets.items()
    ]
    return _chart(*bars)


def _trades(report: Report) -> go.Figure:
    nets = [float(trade.net) for trade in report.trades]
    return _chart(go.Histogram(x=nets, nbinsx=60))


def _chart(*drawn: go.Scatter | go.Bar | go.Histogram) -> go.Figure:
    layout = go.Layout(
        height=HEIGHT,
        margin={"l": 60, "r": 20, "t": 20, "b": 40},
        template="plotly_white",
        barmode="group",
    )
    return go.Figure(data=list(drawn), layout=layout)

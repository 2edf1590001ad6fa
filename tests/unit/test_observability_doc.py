"""The documentation lists the metrics that exist."""

from __future__ import annotations

from pathlib import Path

from hadron.metrics import ALL

PAGE = Path(__file__).parents[2] / "docs" / "observability.md"


def the_table() -> str:
    rows = [
        f"| `{name}` | {metric.kind} | {', '.join(f'`{each}`' for each in metric.labels)} "
        f"| {metric.help} |"
        for name, metric in ALL.items()
    ]
    return "\n".join(["| name | kind | labels | meaning |", "| --- | --- | --- | --- |", *rows])


def test_the_page_has_the_table_of_all_metrics() -> None:
    page = PAGE.read_text("utf-8")

    table = page.partition("out of date -->\n")[2].partition("\n<!-- end -->")[0]

    assert table == the_table(), f"put this table into {PAGE.name}:\n{the_table()}"

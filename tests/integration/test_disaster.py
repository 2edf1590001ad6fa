"""The drill: all servers are lost, and everything is there again from the files of an export."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import sql

from connectors import anchors, signing
from hadron import topics
from hadron.__main__ import run
from hadron.cli.exits import Exit
from hadron.flow import FLOW
from tests.integration.platform import Platform, empty_platform, platform, until

PAGE = Path(__file__).parents[2] / "docs" / "operations-restore.md"
PROCESSES = ("normalize", "engine", "desk", "gateway", "portfolio")
EVERY_DAY = "Every day: export and check"
DISASTER = "After a disaster: restore the log"
TRADES = 3_000
_TABLES = """
    SELECT table_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name = 'log_offset'
        AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = 'public')
    ORDER BY 1
"""
_ROWS = """
    SELECT t::text FROM {} AS t ORDER BY log_topic COLLATE "C", log_partition, log_offset
"""


def commands(heading: str, directory: Path) -> Iterator[list[str]]:
    """The commands of a section of the page, on a directory of this test."""
    section = PAGE.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    for block in re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            here = line.replace("/var/lib/hadron/export", str(directory))
            words = shlex.split(here, comments=True)
            assert words[0] == "hadron"
            yield words[1:]


def rows(alone: Platform) -> dict[str, str]:
    """The hash over all rows of each table, in the order of their places."""
    assert alone.settings.database_migrate is not None
    found = {}
    with psycopg.connect(alone.settings.database_migrate.get_secret_value()) as connection:
        for (table,) in connection.execute(_TABLES).fetchall():
            digest = sha256()
            for (row,) in connection.execute(sql.SQL(_ROWS).format(sql.Identifier(table))):
                digest.update(row.encode() + b"\n")
            found[table] = digest.hexdigest()
    return found


def log_of(alone: Platform) -> list[object]:
    """All records of all topics, but for those that come to be after a start."""
    return list(alone.records(*(topic.name for topic in topics.ALL)))


def test_everything_comes_back_from_the_files(tmp_path: Path) -> None:
    export = tmp_path / "export"
    # What lies elsewhere than the servers: the key, and the anchors that it signed.
    signing.create(tmp_path / "anchor.pem")
    kept = {
        "HADRON_ANCHOR_KEY_FILE": str(tmp_path / "anchor.pem"),
        "HADRON_ANCHOR_FILE": str(tmp_path / "anchors.jsonl"),
    }

    # given a flow from venue's events to positions, exported as the page says
    with platform("postgres", "valkey", **kept) as before:
        before.produce_trades(TRADES)
        flow = [before.start(process) for process in PROCESSES]
        before.start("archive")
        before.wait_until_taken(*(set(PROCESSES) & FLOW.keys()))
        for child in flow:
            child.terminate()
            child.wait(60)
        until(before.archived, "the archive has everything")
        before.stop_all()
        for words in commands(EVERY_DAY, export):
            assert run(words, before.environment) == Exit.OK, words
        whole_log, all_rows = log_of(before), rows(before)

    # when database, Redis and broker are gone, and new ones are restored as the page says
    with empty_platform("postgres", "valkey", **kept) as after:
        steps = list(commands(DISASTER, export))
        for words in steps:
            if words[:2] == ["run", "archive"]:
                restored_log = log_of(after)
                after.start("archive")
                until(after.archived, "the archive has everything again")
            else:
                assert run(words, after.environment) == Exit.OK, words
        assert run(["rebuild", "--redis"], after.environment) == Exit.OK
        after.stop_all()

        # then the log and all rows are what they were, and what was signed before the disaster
        assert ["topics", "apply"] in steps
        assert ["verify", "--deep"] in steps
        signed = anchors.of_file(tmp_path / "anchors.jsonl")
        assert len(signed) >= 2
        assert not any(one.restored or one.retired for one in signed)
        assert restored_log == whole_log
        assert len(whole_log) > 2 * TRADES
        assert rows(after) == all_rows
        assert run(["rebuild", "--compare"], after.environment) == Exit.OK
        assert run(["topics", "show"], after.environment) == Exit.OK

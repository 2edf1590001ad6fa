"""The log goes into files and comes back as it was."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka import admin as administration
from connectors.kafka.inspection import bounds
from connectors.kafka.reading import slices
from connectors.local.stack import Endpoints
from connectors.parquet import holes
from connectors.parquet.columns import Row, row_of
from connectors.parquet.day import DAY_MS, rows
from connectors.parquet.export import export
from connectors.parquet.manifest import Manifest, load
from connectors.parquet.spans import Source
from hadron import topics
from hadron.__main__ import run
from hadron.cli.exits import Exit
from tests.integration.archiving import wait_until
from tests.support import a_trade, codec

TICKS, POSITIONS = "ticks.warm", "positions"
# Days since 1970-01-01: what is written on it, and on the four after, lies within what Kafka keeps.
DAY = int(time.time() // 86_400) - 5
Headers = list[tuple[str, bytes | None]]


class Cluster:
    """Topics of one test under a name of its own, on a broker that others use, too."""

    def __init__(self, kafka: str, prefix: str, directory: Path) -> None:
        self.connection = {"bootstrap.servers": kafka}
        self.prefix, self.directory = prefix, directory
        self.admin = AdminClient(self.connection)
        self.environ = {
            "HADRON_KAFKA": kafka,
            "HADRON_PREFIX": prefix,
            "HADRON_NUM_SHARDS": "2",
        }
        self._producer = Producer(self.connection)

    def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        day: int = DAY,
        key: bytes | None = b"key",
        headers: Headers | None = None,
        partition: int = 0,
    ) -> None:
        stamp_ms = day * DAY_MS + 1000
        self._producer.produce(
            self.prefix + topic, value, key, partition, None, None, stamp_ms, headers or []
        )

    def flush(self) -> None:
        assert self._producer.flush(30) == 0

    def in_a_transaction(self, topic: str, count: int, *, abort: bool = False) -> None:
        """Records, and an offset behind them that has none."""
        producer = Producer(self.connection | {"transactional.id": f"{self.prefix}{topic}"})
        producer.init_transactions(30)
        producer.begin_transaction()
        for number in range(count):
            producer.produce(self.prefix + topic, b"t", f"key {number}".encode(), 0,
                             timestamp=DAY * DAY_MS)  # fmt: skip
        producer.flush(30)
        if abort:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)

    def delete_before(self, topic: str, offset: int) -> None:
        place = TopicPartition(self.prefix + topic, 0, offset)
        self.admin.delete_records([place])[place].result(30)

    def delete_topics(self) -> None:
        """As a disaster would: all records are gone."""
        administration.delete(self.admin, [self.prefix + topic.name for topic in topics.ALL])

    def export(self, progress: Callable[..., None] = lambda *_: None) -> Manifest:
        """Ticks and positions."""
        source = Source(self.connection, self.admin, lambda _: None)
        names = [self.prefix + TICKS, self.prefix + POSITIONS]
        return export(source, self.directory, names, progress=progress)

    def on_kafka(self, topic: str) -> list[Row]:
        """The records of a topic, but for those that stand in for none."""
        places = [(self.prefix + topic, partition) for partition in range(2)]
        found = [
            row_of(message)
            for place, (start, end) in bounds(self.admin, places).items()
            for messages in slices(self.connection, *place, start=start, end=end)
            for message in messages
        ]
        return [row for row in found if not holes.is_filler(row)]

    def in_files(self, topic: str) -> list[Row]:
        """The same in the export."""
        files = load(self.directory).files
        name = self.prefix + topic
        ordered = sorted((one for one in files if one.topic == name), key=lambda one: one.partition)
        return [row for one in ordered for row in rows(self.directory / one.path)]


@pytest.fixture
def cluster(stack: Endpoints, unique: str, tmp_path: Path) -> Iterator[Cluster]:
    found = Cluster(stack.kafka, f"replay.{unique}.", tmp_path / "export")
    assert run(["topics", "apply"], found.environ) == Exit.OK
    yield found
    found.delete_topics()


def told(cluster: Cluster, capsys: pytest.CaptureFixture[str], *arguments: str, code: Exit) -> Any:
    """What a command of `hadron archive` prints with --json."""
    capsys.readouterr()
    assert run(["archive", *arguments, "--json"], cluster.environ) == code
    return json.loads(capsys.readouterr().out)


def day_name(after: int) -> str:
    """The day that is so many after DAY."""
    return (date(1970, 1, 1) + timedelta(days=DAY + after)).isoformat()


def a_log(cluster: Cluster) -> None:
    """Every kind of record that Kafka can hold, over three days."""
    encode = codec().encode
    for day in range(3):
        for number in range(5):
            cluster.append(TICKS, encode(a_trade(raw_offset=number)), day=DAY + day)
    cluster.append(TICKS, b"", day=DAY + 2, key=None)
    cluster.append(TICKS, b"\0junk\xff", day=DAY + 2, key=b"")
    cluster.append(TICKS, encode(a_trade()), headers=[("a", b"1"), ("a", b""), ("b", None)],
                   day=DAY + 2)  # fmt: skip
    cluster.append(TICKS, b"late", day=DAY, partition=1)
    cluster.append(POSITIONS, None, key=b"gone")
    cluster.append(POSITIONS, b"x", key=b"kept")
    cluster.flush()


def test_a_log_comes_back_byte_for_byte(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    a_log(cluster)
    before = {topic: cluster.on_kafka(topic) for topic in (TICKS, POSITIONS)}
    told(cluster, capsys, "export", "--to", str(cluster.directory), code=Exit.OK)

    checked = told(cluster, capsys, "check", str(cluster.directory), code=Exit.OK)
    cluster.delete_topics()
    found = told(cluster, capsys, "import", "--from", str(cluster.directory), code=Exit.OK)

    assert checked["records"] == sum(map(len, before.values())) == 21
    assert sum(one["records"] for one in found) == 21
    assert {topic: cluster.on_kafka(topic) for topic in before} == before
    assert {topic: cluster.in_files(topic) for topic in before} == before
    names = [day.path.rpartition("/")[2] for day in load(cluster.directory).files]
    assert f"{day_name(0)}_0-4.parquet" in names


def test_a_second_run_goes_on_and_leaves_finished_days_alone(cluster: Cluster) -> None:
    a_log(cluster)
    first = cluster.export()
    seen = {path: path.stat() for path in cluster.directory.rglob("*.parquet")}
    again = cluster.export()
    assert {path: path.stat() for path in cluster.directory.rglob("*.parquet")} == seen

    cluster.append(TICKS, b"the same day", day=DAY + 2)
    cluster.append(TICKS, b"stamped late", day=DAY)
    cluster.append(TICKS, b"the next", day=DAY + 3)
    cluster.flush()
    grown = cluster.export()

    assert first == again
    ticks = grown.of(cluster.prefix + TICKS, 0)
    assert [(day.day, day.first, day.last) for day in ticks] == [
        (day_name(0), 0, 4),
        (day_name(1), 5, 9),
        (day_name(2), 10, 19),
        (day_name(3), 20, 20),
    ]
    finished = [cluster.directory / day.path for day in ticks[:2]]
    assert [path.stat() for path in finished] == [seen[path] for path in finished]
    assert cluster.in_files(TICKS) == cluster.on_kafka(TICKS)
    assert run(["archive", "check", str(cluster.directory)], cluster.environ) == Exit.OK


def test_an_export_that_is_stopped_anywhere_is_whole_and_goes_on(cluster: Cluster) -> None:
    a_log(cluster)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster.export(stop)
    # What a process that was killed leaves: files without their names, and without the manifest.
    folder = cluster.directory / f"{cluster.prefix}{TICKS}" / "0"
    (folder / f".{day_name(1)}.writing").write_bytes(b"half")
    (folder / f"{day_name(4)}_18-20.parquet").write_bytes(b"not in the manifest")
    cluster.export()

    assert run(["archive", "check", str(cluster.directory)], cluster.environ) == Exit.OK
    assert cluster.in_files(TICKS) == cluster.on_kafka(TICKS)
    assert list(folder.glob(".*")) == []


def test_offsets_without_records_stay_without(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    # given ticks whose first records were deleted, and positions with holes in front and behind
    a_log(cluster)
    cluster.delete_before(TICKS, 7)
    cluster.in_a_transaction(POSITIONS, 3)
    cluster.in_a_transaction(POSITIONS, 2, abort=True)
    cluster.append(POSITIONS, b"after", key=b"after")
    cluster.flush()
    # Markers are written soon after a transaction has ended, and only then what follows is seen.
    wait_until(lambda: cluster.on_kafka(POSITIONS)[-1].value == b"after")
    before = {topic: cluster.on_kafka(topic) for topic in (TICKS, POSITIONS)}
    first = cluster.export()

    cluster.delete_topics()
    found = told(cluster, capsys, "import", "--from", str(cluster.directory), code=Exit.OK)
    shutil.move(cluster.directory, cluster.directory.with_name("before"))
    second = cluster.export()

    after = {topic: cluster.on_kafka(topic) for topic in before}
    assert after == before
    assert [row.value for row in after[POSITIONS]] == [None, b"x", b"t", b"t", b"t", b"after"]
    assert after[TICKS][0].offset == 7
    filled = {(one["topic"], one["partition"]): one["filled"] for one in found}
    [within, _] = first.topics[cluster.prefix + POSITIONS].partitions
    assert filled[cluster.prefix + POSITIONS, 0] == within.end - 6 >= 3
    assert [day.first for day in second.files] == [day.first for day in first.files]
    assert cluster.in_files(POSITIONS) == before[POSITIONS]


def test_a_hole_that_would_have_to_be_filled_for_all_to_see_is_refused(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.in_a_transaction(TICKS, 2)
    cluster.append(TICKS, b"after")
    cluster.flush()
    cluster.export()
    cluster.delete_topics()

    code = run(["archive", "import", "--from", str(cluster.directory)], cluster.environ)

    assert code == Exit.FAILED
    # Which offset: a busy broker may have begun the transaction anew.
    assert "ticks.warm/0 has no record at an offset at or after " in capsys.readouterr().err


def test_a_topic_that_is_not_empty_is_refused(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    a_log(cluster)
    cluster.export()

    code = run(["archive", "import", "--from", str(cluster.directory)], cluster.environ)

    assert code == Exit.FAILED
    assert "ticks.warm/0 is not empty: its next offset is 18" in capsys.readouterr().err


def test_records_that_were_deleted_before_they_were_exported_are_named(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    a_log(cluster)
    cluster.export()
    for _ in range(4):
        cluster.append(TICKS, b"more", day=DAY + 4)
    cluster.flush()
    cluster.delete_before(TICKS, 20)

    code = run(["archive", "export", "--to", str(cluster.directory)], cluster.environ)

    assert code == Exit.FAILED
    assert f"Kafka deleted 18 to 20 of {cluster.prefix}ticks.warm/0" in capsys.readouterr().err


def test_an_export_of_another_log_is_not_gone_on_with(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    a_log(cluster)
    cluster.export()
    cluster.delete_topics()
    assert run(["topics", "apply"], cluster.environ) == Exit.OK
    for _ in range(20):
        cluster.append(TICKS, b"others")
    cluster.flush()

    code = run(["archive", "export", "--to", str(cluster.directory)], cluster.environ)

    assert code == Exit.FAILED
    assert "is not the log that" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["flipped", "missing", "added", "longer"])
def test_damage_is_found_and_not_imported(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    a_log(cluster)
    day = cluster.export().files[0]
    path = cluster.directory / day.path
    data = path.read_bytes()
    if damage == "flipped":
        path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
    elif damage == "missing":
        path.unlink()
    elif damage == "added":
        path.with_name(f"{day_name(-1)}_0-0.parquet").write_bytes(data)
    else:
        path.write_bytes(data + b"\0")
    cluster.delete_topics()

    found = told(cluster, capsys, "check", str(cluster.directory), code=Exit.CHECK_FAILED)
    code = run(["archive", "import", "--from", str(cluster.directory)], cluster.environ)

    assert found["findings"][0]["path"].startswith(f"{cluster.prefix}{TICKS}/0/")
    assert code == Exit.FAILED


def test_a_window_bounds_what_is_exported(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    a_log(cluster)
    window = ("--since", day_name(1), "--until", f"{day_name(2)}T00:00:00Z")
    one = ("--topic", f"{cluster.prefix}{TICKS}")

    found = told(cluster, capsys, "export", "--to", str(cluster.directory), *window, *one,
                 code=Exit.OK)  # fmt: skip
    assert [row.offset for row in cluster.in_files(TICKS)] == [5, 6, 7, 8, 9]
    told(cluster, capsys, "export", "--to", str(cluster.directory), *one, code=Exit.OK)

    assert [topic["records"] for topic in found["topics"]] == [5]
    assert [row.offset for row in cluster.in_files(TICKS)] == [*range(5, 18)]


def test_a_topic_that_does_not_exist_is_named(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["archive", "export", "--to", str(cluster.directory), "--topic", "nonsense"]

    assert run(arguments, cluster.environ) == Exit.FAILED
    assert "topic nonsense is missing" in capsys.readouterr().err

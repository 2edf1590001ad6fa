"""The Compose file runs every process with pinned images, health checks and known settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hadron.settings import settings_from
from hadron.variables import variable
from tests.infra import tools
from tests.infra.compose import EXAMPLE, FILE, ONE_SHOT, OTHERS, OURS, UNPROBED, services


def test_every_process_and_what_it_needs_is_there() -> None:
    assert set(services()) == OURS | OTHERS


def test_without_passwords_it_does_not_start() -> None:
    done = tools.run("docker-compose", "--file", FILE, "config", "--quiet")

    assert done.returncode != 0
    assert "POSTGRES_PASSWORD is missing a value: set it in infra/.env" in done.stderr


def test_the_example_holds_placeholders_and_every_variable_of_the_file() -> None:
    lines = EXAMPLE.read_text().splitlines()
    given = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", "\n".join(lines), re.MULTILINE))
    used = set(re.findall(r"\$\{([A-Z_]+)", FILE.read_text()))

    assert set(given) == used
    secrets = {name: value for name, value in given.items() if name.endswith(("PASSWORD", "KEY"))}
    assert set(secrets.values()) == {"change-me"}


def test_images_are_pinned_and_ours_is_built_once() -> None:
    for name in OTHERS:
        assert re.search(r":v?\d+\.\d+\.\d+", services()[name]["image"]), name
    assert {services()[name]["image"] for name in OURS} == {"hadron:local"}
    assert [name for name in OURS if "build" in services()[name]] == ["topics"]


def test_every_service_is_probed_or_ends() -> None:
    for name, service in services().items():
        probed = not service.get("healthcheck", {"disable": True}).get("disable", False)
        assert probed is (name not in ONE_SHOT | UNPROBED), name
        assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped"), name


def test_services_wait_for_what_they_need() -> None:
    for name, service in services().items():
        for needed, how in service.get("depends_on", {}).items():
            ends = needed in ONE_SHOT
            wanted = "service_completed_successfully" if ends else "service_healthy"
            assert how["condition"] == wanted, f"{name} on {needed}"
    needs = {name: set(service.get("depends_on", {})) for name, service in services().items()}
    assert needs["defaults"] == {"topics"}
    assert needs["archive"] == {"defaults", "migrate", "keys"}
    assert all("defaults" in needs[name] for name in OURS - ONE_SHOT)


def test_what_ends_runs_the_commands_that_prepare_the_platform() -> None:
    commands = {name: services()[name]["command"] for name in ONE_SHOT}

    assert commands == {
        "topics": ["topics", "apply"],
        "defaults": ["control", "defaults"],
        "migrate": ["migrate"],
        "keys": ["keys", "create", "--keep"],
    }


def test_the_archive_signs_with_the_key_that_was_made() -> None:
    made, signs = services()["keys"], services()["archive"]

    for name in ("HADRON_ANCHOR_KEY_FILE", "HADRON_ANCHOR_FILE"):
        assert made["environment"][name] == signs["environment"][name]
        [volume] = signs["volumes"]
        assert Path(signs["environment"][name]).is_relative_to(volume["target"])
    assert made["volumes"] == signs["volumes"]
    others = OURS - {"keys", "archive"}
    assert not any("HADRON_ANCHOR_KEY_FILE" in services()[name]["environment"] for name in others)


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_of_our_services_is_locked_and_reads_its_settings(name: str) -> None:
    service = services()[name]

    assert service["read_only"] is True
    assert service["user"] == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    known = {variable(field) for field in settings_from({"HADRON_KAFKA": "k:1"}).__dict__}
    assert set(service["environment"]) <= known
    settings = settings_from(service["environment"])
    assert (settings.kafka, settings.http_port) == ("kafka:9092", 3002)


def test_ports_are_open_to_this_machine_only() -> None:
    published = [port for service in services().values() for port in service.get("ports", [])]

    assert published
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_the_archive_writes_as_the_sink_and_only_migrate_is_told_more() -> None:
    told = {name: set(services()[name]["environment"]) for name in OURS}
    url = services()["archive"]["environment"]["HADRON_DATABASE"]

    assert url.startswith("postgresql://hadron_sink:")
    telling = {"HADRON_DATABASE_MIGRATE", "HADRON_SINK_PASSWORD", "HADRON_READER_PASSWORD"}
    assert {name for name in OURS if told[name] & telling} == {"migrate"}
    assert {name for name in OURS if "HADRON_DATABASE" in told[name]} == {"archive"}


def test_the_feed_connects_to_the_simulator_by_default() -> None:
    simulator = settings_from(services()["simulator"]["environment"])
    feed = settings_from(services()["feed-massive"]["environment"])

    assert simulator.simulator_host == "0.0.0.0"
    assert feed.massive_url == f"ws://simulator:{simulator.simulator_port}/stocks"
    assert feed.symbols == simulator.symbols


def test_files_that_services_read_exist() -> None:
    bound = [
        volume["source"]
        for service in services().values()
        for volume in service.get("volumes", [])
        if volume["type"] == "bind"
    ]

    assert bound
    assert all((tools.ROOT / source).exists() for source in bound)

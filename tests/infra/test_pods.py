"""Every pod of the chart is unprivileged, probed, bounded, and told only what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.timescale.access.roles import LOGINS
from hadron.settings import Settings, settings_from
from hadron.variables import PREFIX, variable
from tests.infra.chart import CASES, environment, full, of_kind, pods, rendered

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)


@each_case
def test_no_container_has_privileges_or_a_writable_root(case: Path) -> None:
    for name, pod in pods(rendered(case)):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] == 10001, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert "initContainers" not in pod, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"], name
        assert pod["volumes"][0] == {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}, name


@each_case
def test_every_container_is_bounded_and_its_image_pinned(case: Path) -> None:
    for name, pod in pods(rendered(case)):
        for container in pod["containers"]:
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
            assert "memory" in container["resources"]["limits"], name
            image = container["image"].removeprefix("registry.example.com/hadron")
            assert image == ":0.1.0" or image.startswith("@sha256:"), name


@each_case
def test_every_process_is_probed_and_may_drain(case: Path) -> None:
    for name, pod in pods(rendered(case)):
        if not name.startswith("Deployment"):
            continue
        [container] = pod["containers"]
        paths = {
            probe: container[probe]["httpGet"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        }
        assert paths == {
            "startupProbe": {"path": "/health", "port": "http"},
            "livenessProbe": {"path": "/health", "port": "http"},
            "readinessProbe": {"path": "/ready", "port": "http"},
        }, name
        assert container["ports"] == [{"name": "http", "containerPort": 3002}], name
        started = container["startupProbe"]
        assert started["periodSeconds"] * started["failureThreshold"] == 300, name
        assert pod["terminationGracePeriodSeconds"] == 60, name


@each_case
def test_every_pod_is_told_settings_that_exist(case: Path) -> None:
    known = {variable(name) for name in Settings.__dataclass_fields__}

    for name, pod in pods(rendered(case)):
        ours = {key for key in environment(pod) if key.startswith(PREFIX)}
        assert ours <= known, name


@each_case
def test_every_pod_can_read_its_settings(case: Path) -> None:
    for name, pod in pods(rendered(case)):
        told = environment(pod)
        texts = {key: value for key, value in told.items() if isinstance(value, str)}
        secrets = {key: "from-a-secret" for key in told.keys() - texts.keys()}
        settings = settings_from(texts | secrets)
        assert settings.http_host == "0.0.0.0", name
        assert settings.role_prefix == ("trading_" if case.stem == "full-values" else "hadron_")


def test_each_secret_reaches_only_the_pods_that_need_it() -> None:
    readers: dict[tuple[str, str], set[str]] = {}
    for name, pod in pods(full()):
        for source in environment(pod).values():
            if isinstance(source, dict) and "secretKeyRef" in source:
                reference: dict[str, Any] = source["secretKeyRef"]
                readers.setdefault((reference["name"], reference["key"]), set()).add(name)

    everyone = {name for name, _ in pods(full())}
    shadows = {name for name in everyone if name.startswith("Job/prod-shadow-")}
    assert len(shadows) == 1
    for key in ("username", "password"):
        administering = {"Job/prod-topics", "Job/prod-defaults"}
        assert readers.pop(("hadron-kafka", key)) == everyone - administering - shadows
        assert readers.pop(("hadron-kafka-shadow", key)) == shadows
        assert readers.pop(("hadron-kafka-admin", key)) == administering
    assert readers == {
        ("hadron-database", "url"): {"Deployment/prod-archive", "Pod/prod-doctor"},
        ("hadron-database-migrator", "url"): {"Job/prod-migrate"},
        **{("hadron-database-passwords", str(role)): {"Job/prod-migrate"} for role in LOGINS},
        ("hadron-database-retirer", "url"): {"CronJob/prod-retire"},
        ("hadron-redis", "url"): {"Deployment/prod-latest", "Pod/prod-doctor"},
        ("hadron-massive", "api-key"): {"Deployment/prod-feed-massive"},
    }


def test_each_process_runs_its_command() -> None:
    [pod] = of_kind(full(), "Pod").values()
    commands = {name: pod["containers"][0]["args"] for name, pod in pods(full())}

    assert commands["Deployment/prod-feed-massive"] == ["run", "feed", "--venue", "massive"]
    assert commands["Deployment/prod-engine"] == ["run", "engine"]
    assert commands["Job/prod-topics"] == ["topics", "apply"]
    assert commands["Job/prod-defaults"] == ["control", "defaults"]
    assert commands["Job/prod-migrate"] == ["migrate"]
    [shadow] = [name for name in commands if name.startswith("Job/prod-shadow-")]
    assert commands[shadow] == ["shadow", "sma", "--for", "86400", "--json"]
    assert commands["CronJob/prod-retire"] == ["storage", "retire"]
    assert commands["Pod/prod-doctor"] == ["doctor"]
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"


def test_who_signs_has_the_volume_with_the_key_and_what_was_signed() -> None:
    signing = {name: pod for name, pod in pods(full()) if len(pod["volumes"]) > 2}

    assert set(signing) == {"Deployment/prod-archive", "CronJob/prod-retire"}
    for pod in signing.values():
        [container] = pod["containers"]
        mounted = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
        assert mounted["/var/lib/hadron"] == "anchors"
        assert pod["volumes"][-1]["persistentVolumeClaim"] == {"claimName": "hadron-anchors"}
        assert pod["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
        told = environment(pod)
        assert told["HADRON_ANCHOR_KEY_FILE"] == "/var/lib/hadron/anchor-key.pem"
        assert told["HADRON_ANCHOR_FILE"] == "/var/lib/hadron/anchors.jsonl"


def test_who_retires_and_who_migrates_know_the_same_ages() -> None:
    told = {name: environment(pod) for name, pod in pods(full())}

    for name in ("Job/prod-migrate", "CronJob/prod-retire"):
        ages = [told[name][f"HADRON_KEEP_{kind}_DAYS"] for kind in ("RAW", "TICKS", "AUDIT")]
        assert ages == ["30", "400", "2000"]


def test_a_feed_is_told_its_venue_only() -> None:
    told = {name: environment(pod) for name, pod in pods(full())}

    massive = told["Deployment/prod-feed-massive"]
    assert massive["HADRON_SYMBOLS"] == "AAPL,MSFT"
    assert massive["HADRON_MASSIVE_URL"] == "wss://delayed.massive.com/stocks"
    assert massive["HADRON_STALE_AFTER_S"] == "15"
    assert "HADRON_MASSIVE_URL" not in told["Deployment/prod-feed-coinbase"]
    assert told["Deployment/prod-feed-coinbase"]["HADRON_SYMBOLS"] == "BTC-USD,ETH-USD"

"""The chart renders objects that Kubernetes accepts, and refuses wrong values by name."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from hadron import topics
from tests.infra import tools
from tests.infra.chart import CASES, CHART, PROCESSES, full, minimal, of_kind, rendered

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
KUBERNETES = ("1.29", "1.37")  # the oldest that Chart.yaml allows, the newest known


def test_there_are_cases_to_render() -> None:
    assert [case.name for case in CASES] == ["full-values.yaml", "minimal-values.yaml"]


@each_case
def test_helm_finds_nothing_to_mend(case: Path) -> None:
    done = tools.run("helm", "lint", "--strict", CHART, "--values", case)

    assert done.returncode == 0, done.stdout + done.stderr


@each_case
@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_fits_its_kubernetes_schema(case: Path, version: str) -> None:
    for manifest in rendered(case):
        if manifest["kind"] != "PodMonitor":  # a resource of an operator, checked below
            kubernetes_validate.validate(manifest, version, strict=True)


def test_every_process_has_one_deployment() -> None:
    deployments = of_kind(full(), "Deployment")

    assert set(deployments) == {
        *(f"prod-{process}" for process in PROCESSES),
        *(f"prod-feed-{venue}" for venue in topics.VENUES),
    }


@each_case
def test_selectors_match_their_own_pods_only(case: Path) -> None:
    deployments = of_kind(rendered(case), "Deployment").values()
    selectors = [d["spec"]["selector"]["matchLabels"] for d in deployments]

    for place, deployment in enumerate(deployments):
        labels = deployment["spec"]["template"]["metadata"]["labels"].items()
        matching = [n for n, selector in enumerate(selectors) if selector.items() <= labels]
        assert matching == [place]


def test_senders_and_feeds_are_never_two_at_once() -> None:
    alone = {
        name: deployment["spec"]
        for name, deployment in of_kind(full(), "Deployment").items()
        if deployment["spec"]["strategy"]["type"] == "Recreate"
    }

    assert set(alone) == {"prod-gateway", "prod-feed-massive", "prod-feed-coinbase"}
    assert {spec["replicas"] for spec in alone.values()} == {1}


def test_an_autoscaler_owns_the_replicas_of_its_process() -> None:
    scaled = of_kind(full(), "HorizontalPodAutoscaler")
    deployments = of_kind(full(), "Deployment")

    assert set(scaled) == {"prod-normalize", "prod-engine"}
    for name, scaler in scaled.items():
        assert scaler["spec"]["scaleTargetRef"]["name"] == name
        assert "replicas" not in deployments[name]["spec"]
    assert not of_kind(minimal(), "HorizontalPodAutoscaler")


def test_only_processes_with_several_pods_have_a_disruption_budget() -> None:
    budgets = of_kind(minimal(), "PodDisruptionBudget")

    assert set(budgets) == {"r-normalize", "r-engine"}
    assert not of_kind(minimal("podDisruptionBudget=false"), "PodDisruptionBudget")


def test_jobs_come_in_order_before_the_processes_and_use_nothing_of_the_chart() -> None:
    jobs = of_kind(full(), "Job")

    jobs = {name: job for name, job in jobs.items() if "-shadow-" not in name}
    annotations = {name: job["metadata"]["annotations"] for name, job in jobs.items()}
    assert {a["helm.sh/hook"] for a in annotations.values()} == {"pre-install,pre-upgrade"}
    assert sorted(annotations, key=lambda name: int(annotations[name]["helm.sh/hook-weight"])) == [
        "prod-topics",
        "prod-migrate",
        "prod-defaults",
    ]
    for job in jobs.values():
        assert "serviceAccountName" not in job["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("value", "job"),
    [("topicsJob", "r-topics"), ("migrateJob", "r-migrate"), ("seedDefaults", "r-defaults")],
)
def test_each_job_can_be_left_out(value: str, job: str) -> None:
    assert job in of_kind(minimal(), "Job")
    assert job not in of_kind(minimal(f"{value}=false"), "Job")


def test_old_rows_go_by_a_cronjob_that_is_never_two() -> None:
    [job] = of_kind(full(), "CronJob").values()

    assert job["spec"]["schedule"] == "30 4 * * *"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert not of_kind(minimal(), "CronJob")


def test_network_policies_let_only_feeds_out_to_the_venues() -> None:
    policies = of_kind(full(), "NetworkPolicy")

    def ports(name: str) -> set[int]:
        return {port["port"] for rule in policies[name]["spec"]["egress"] for port in rule["ports"]}

    assert 443 not in ports("prod")
    assert ports("prod-feed") == {443}
    [expression] = policies["prod-feed"]["spec"]["podSelector"]["matchExpressions"]
    assert expression["values"] == ["feed-coinbase", "feed-massive"]
    assert not of_kind(minimal(), "NetworkPolicy")


def test_prometheus_finds_the_pods_by_monitor_or_by_annotation() -> None:
    [monitor] = of_kind(full(), "PodMonitor").values()
    pod = of_kind(minimal(), "Deployment")["r-engine"]["spec"]["template"]

    assert monitor["spec"]["podMetricsEndpoints"] == [
        {"port": "http", "path": "/metrics", "interval": "15s"}
    ]
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == "3002"
    assert not of_kind(minimal(), "PodMonitor")


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("numShards=0", "at '/numShards': minimum: got 0, want 1"),
        ("numShard=8", "additional properties 'numShard' not allowed"),
        ("feeds.nyse.symbols={A}", "at '/feeds': additional properties 'nyse' not allowed"),
        ("feeds.massive.symbols={A}", "at '/feeds/massive': missing property 'existingSecret'"),
        ("kafkaBootstrap=kafka", "at '/kafkaBootstrap': 'kafka' does not match pattern"),
        ("kafkaSecurity=SASL_SSL", "at '/kafkaExistingSecret': minLength: got 0, want 1"),
        ("databaseExistingSecret=", "at '/databaseExistingSecret': minLength: got 0, want 1"),
        (
            "migrateDatabaseExistingSecret=",
            "at '/migrateDatabaseExistingSecret': minLength: got 0, want 1",
        ),
        ("retireSchedule=daily", "at '/retireSchedule': 'daily' does not match pattern"),
        (
            "retireSchedule=30 4 * * *",
            "at '/retireDatabaseExistingSecret': minLength: got 0, want 1",
        ),
        ("retireSchedule=30 4 * * *", "at '/anchorVolumeClaim': minLength: got 0, want 1"),
        ("shadowArgs={sma}", "at '/shadowKafkaExistingSecret': minLength: got 0, want 1"),
        ("keepAuditDays=30", "at '/keepAuditDays'"),
        ("rolePrefix=Hadron", "at '/rolePrefix': 'Hadron' does not match pattern"),
        ("imageTag=latest", "at '/imageTag': 'not' failed"),
        ("engineReplicas=9", "engine: 9 pods are more than numShards (4)"),
        ("engineMaxReplicas=1", "engineMaxReplicas (1) is below engineReplicas (2)"),
    ],
)
def test_a_wrong_value_is_refused_by_name(setting: str, complaint: str) -> None:
    with pytest.raises(ValueError, match="Error") as refused:
        minimal(setting)

    assert complaint in str(refused.value)


def test_the_schema_knows_exactly_the_values_and_venues() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {*values, "global"}  # `global` is Helm's
    assert set(schema["properties"]["feeds"]["properties"]) == set(topics.VENUES)


def test_every_value_is_flat_and_has_a_comment() -> None:
    lines = (CHART / "values.yaml").read_text().splitlines()

    for before, line in zip(["", *lines], lines, strict=False):
        if line and not line.startswith(("#", " ")):
            assert before.startswith("# "), line
            assert line.partition(":")[0].isalnum(), line


def test_the_chart_runs_the_version_of_this_repository() -> None:
    project = tomllib.loads((tools.ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert chart["appVersion"] == project["version"]

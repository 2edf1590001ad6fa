"""Prometheus, Grafana and the collector name only what exists."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from hadron import metrics
from tests.infra import tools
from tests.infra.compose import ONE_SHOT, OURS, services

INFRA = tools.ROOT / "infra"
SUFFIXES = {"counter": {""}, "gauge": {""}, "histogram": {"_bucket", "_sum", "_count"}}


def read(path: str) -> Any:
    """A YAML file under infra/."""
    return yaml.safe_load((INFRA / path).read_text())


def series() -> Mapping[str, set[str]]:
    """The labels of every series that a process can export."""
    return {
        name + suffix: {*metric.labels, "le", "job", "instance"}
        for name, metric in metrics.ALL.items()
        for suffix in SUFFIXES[metric.kind]
    }


def test_prometheus_scrapes_every_process_and_the_collector() -> None:
    jobs = {job["job_name"]: job for job in read("prometheus/prometheus.yml")["scrape_configs"]}

    def targets(job: str) -> set[str]:
        return {target for each in jobs[job]["static_configs"] for target in each["targets"]}

    assert targets("hadron") == {f"{name}:3002" for name in OURS - ONE_SHOT}
    reader = read("otel/collector.yaml")["service"]["telemetry"]["metrics"]["readers"][0]
    port = reader["pull"]["exporter"]["prometheus"]["port"]
    assert targets("otel-collector") == {f"otel-collector:{port}"}


def test_alerts_ask_for_metrics_and_labels_that_exist_and_reach_prometheus() -> None:
    [file] = read("prometheus/prometheus.yml")["rule_files"]
    [group] = read(f"prometheus/{file}")["groups"]
    mounted = {volume["target"] for volume in services()["prometheus"]["volumes"]}

    assert f"/etc/prometheus/{file}" in mounted
    for rule in group["rules"]:
        [name] = re.findall(r"hadron_\w+", rule["expr"])
        assert name in series(), rule["alert"]
        for labels in re.findall(r"by \(([^)]*)\)", rule["expr"]):
            assert set(labels.split(", ")) <= series()[name], rule["alert"]
        assert rule["annotations"]["summary"]


def test_the_dashboard_asks_for_metrics_and_labels_that_exist() -> None:
    dashboard = json.loads((INFRA / "grafana/dashboards/hadron.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]

    assert len(queries) >= 12
    for query in queries:
        [name] = re.findall(r"hadron_\w+", query)
        assert name in series(), query
        for labels in re.findall(r"by \(([^)]*)\)", query):
            assert set(labels.split(", ")) <= series()[name], query


def test_the_dashboard_finds_its_data_source() -> None:
    [source] = read("grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    [provider] = read("grafana/provisioning/dashboards/hadron.yaml")["providers"]
    dashboard = json.loads((INFRA / "grafana/dashboards/hadron.json").read_text())
    grafana = services()["grafana"]

    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"
    mounted = {volume["target"] for volume in grafana["volumes"]}
    assert provider["options"]["path"] in mounted
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/hadron.json"


def test_the_collector_listens_where_processes_send() -> None:
    collector = read("otel/collector.yaml")
    endpoint = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    sent_to = services()["engine"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]

    assert sent_to.rpartition(":")[2] == endpoint.rpartition(":")[2]
    for pipeline in collector["service"]["pipelines"].values():
        for part in ("receivers", "processors", "exporters"):
            assert set(pipeline[part]) <= set(collector[part])

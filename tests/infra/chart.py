"""The chart as helm renders it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.infra import tools

CHART = tools.ROOT / "infra" / "helm" / "hadron"
CASES = sorted((CHART / "ci").glob("*-values.yaml"))
PROCESSES = ("normalize", "engine", "desk", "gateway", "portfolio", "archive", "latest")
Manifest = dict[str, Any]


@cache
def rendered(case: Path, *settings: str) -> tuple[Manifest, ...]:
    """All objects of a release `r` with the values of `case` and `--set` settings over them."""
    options = [option for setting in settings for option in ("--set", setting)]
    done = tools.run("helm", "template", "r", CHART, "--values", case, *options)
    if done.returncode:
        raise ValueError(done.stderr)
    return tuple(manifest for manifest in yaml.safe_load_all(done.stdout) if manifest)


def minimal(*settings: str) -> tuple[Manifest, ...]:
    """What the least values render."""
    return rendered(CHART / "ci" / "minimal-values.yaml", *settings)


def full(*settings: str) -> tuple[Manifest, ...]:
    """What values that use every part of the chart render."""
    return rendered(CHART / "ci" / "full-values.yaml", *settings)


def of_kind(manifests: tuple[Manifest, ...], kind: str) -> dict[str, Manifest]:
    """The objects of one kind by their name."""
    return {m["metadata"]["name"]: m for m in manifests if m["kind"] == kind}


def pods(manifests: tuple[Manifest, ...]) -> Iterator[tuple[str, Manifest]]:
    """(kind/name, pod specification) of all that makes pods."""
    for manifest in manifests:
        name = f"{manifest['kind']}/{manifest['metadata']['name']}"
        if manifest["kind"] == "Pod":
            yield name, manifest["spec"]
        elif manifest["kind"] in ("Deployment", "Job"):
            yield name, manifest["spec"]["template"]["spec"]
        elif manifest["kind"] == "CronJob":
            yield name, manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def environment(pod: Manifest) -> dict[str, Any]:
    """The variables of a pod's container: a text, or where it comes from."""
    [container] = pod["containers"]
    variables = container["env"]
    assert len({variable["name"] for variable in variables}) == len(variables)
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in variables}

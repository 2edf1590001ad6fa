"""The repository holds no secret; what only looks like one stands in the baseline."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

from tests.infra.tools import ROOT

HOOK = Path(sysconfig.get_path("scripts")) / "detect-secrets-hook"
BASELINE = ".secrets.baseline"


def _scan(files: list[str], baseline: Path) -> subprocess.CompletedProcess[str]:
    # A copy of the baseline, because the hook writes moved line numbers into it.
    copy = shutil.copy(ROOT / BASELINE, baseline)
    return subprocess.run(
        [HOOK, "--baseline", copy, *files], cwd=ROOT, text=True, capture_output=True, check=False
    )


def test_no_tracked_file_holds_a_secret(tmp_path: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, text=True, capture_output=True, check=True
    ).stdout.splitlines()
    files = [name for name in listed if name != BASELINE and (ROOT / name).is_file()]

    done = _scan(files, tmp_path / BASELINE)

    assert done.returncode in (0, 3), done.stdout  # 3: only line numbers have moved


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    leak = tmp_path / "leak.py"
    leak.write_text('aws = "AKIA' + "ABCDEFGHIJKLMNOP" + '"\n')

    done = _scan([str(leak)], tmp_path / BASELINE)

    assert done.returncode == 1
    assert "AWS Access Key" in done.stdout

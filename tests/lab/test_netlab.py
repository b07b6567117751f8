# SPDX-License-Identifier: GPL-2.0-or-later
"""A real driver, broken by a real commit, found by booting a real kernel under real QEMU.

What is planted stands in fixtures/netlab/README.md. A part of the lab that is missing fails here.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import FIXTURES, History, Run, git, import_history

CULPRIT, CRASHES, UNBUILDABLE = 27, range(47, 52), range(33, 39)


@pytest.fixture(scope="module")
def netlab(tmp_path_factory: pytest.TempPathFactory) -> History:
    made = tmp_path_factory.mktemp("netlab") / "netlab"
    return import_history(FIXTURES / "netlab" / "netlab.fi", made)


@pytest.mark.qemu
@pytest.mark.xdist_group("qemu")
def test_the_planted_commit_is_found_under_qemu(netlab: History, kbisect: Run) -> None:
    script = FIXTURES / "netlab" / "qemu-test.sh"
    done = kbisect(
        *("-C", netlab.path, "bisect", "run", "--json", "--timeout", "120"),
        *("--good", "v0.1", "--bad", "v0.2", script),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["outcome"] == "culprit"
    assert found["culprit"] == netlab.marks[CULPRIT], done.stderr
    events = [json.loads(line) for line in Path(found["journal"]).read_text().splitlines()]
    runs = {event["oid"]: event for event in events if "verdict" in event}
    # Without the culprit the bad end works.
    revert = next(check for check in found["checks"] if check["kind"] == "revert")
    assert (revert["oid"], revert["verdict"]) == (netlab.marks[57], "good")
    assert found["unchecked"] == []
    # Neither a crash for another reason nor a build failure is called bad.
    for mark in (*CRASHES, *UNBUILDABLE):
        run = runs.get(netlab.marks[mark])
        assert run is None or run["verdict"] == "skip"
    for mark in CRASHES:
        run = runs.get(netlab.marks[mark])
        assert run is None or run["cause"] == "other-crash"
    # Nothing is left: no worktree, no change in the user's repository, no QEMU.
    assert git(netlab.path, "worktree", "list").count("\n") == 1
    assert git(netlab.path, "status", "--porcelain") == ""
    running = subprocess.run(["pgrep", "-af", "qemu-system"], capture_output=True, check=False)
    assert str(netlab.path).encode() not in running.stdout


@pytest.mark.qemu
@pytest.mark.xdist_group("qemu")
def test_the_example_recipe(netlab: History, kbisect: Run, tmp_path: Path) -> None:
    """Built and booted at both ends, as fixtures/netlab/recipe.toml says."""
    folder = FIXTURES / "netlab"
    for revision, code, verdict in (("v0.1", 0, "good"), ("v0.2", 1, "bad")):
        done = kbisect(
            *("-C", netlab.path, "--store", tmp_path / "store", "lab", "step", revision),
            *("--json", "--recipe", folder / "recipe.toml"),
            env={"KBISECT_NETLAB": str(folder)},
        )
        assert done.returncode == code, done.stderr
        found = json.loads(done.stdout)
        assert (found["verdict"], found["cause"], found["stage"]) == (verdict, "test", "test")
        assert [stage["stage"] for stage in found["stages"]] == ["build", "boot"]
        assert len(found["image"]) == 64


@pytest.mark.parametrize(
    ("part", "words"),
    [("QEMU", "no qemu-nowhere"), ("KBISECT_KERNEL", "no kernel to boot")],
)
def test_a_missing_part_of_the_lab_stops_the_campaign_and_is_named(
    netlab: History, tmp_path: Path, kbisect: Run, part: str, words: str
) -> None:
    script = tmp_path / "test.sh"
    original = (FIXTURES / "netlab" / "qemu-test.sh").read_text()
    script.write_text(
        original.replace("set -euo pipefail\n", f"set -euo pipefail\n{part}=qemu-nowhere\n", 1)
    )
    script.chmod(0o755)
    done = kbisect(
        *("-C", netlab.path, "--store", tmp_path / "store", "bisect", "run"),
        *("--good", "v0.1", "--bad", "v0.2", script),
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "  try: " in done.stderr

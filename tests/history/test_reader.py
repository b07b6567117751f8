# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits are read by several processes, and nobody sees a difference."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kbisect.errors import EnvironmentProblem, RepositoryProblem
from kbisect.git import aside
from kbisect.git.aside import Aside
from kbisect.git.repository import Repository
from kbisect.history import harvest, store
from kbisect.history import index as indexing
from kbisect.history.reader import Job, part_by
from kbisect.history.scope import Scope
from tests.conftest import History, git
from tests.history.test_growth import SEEN, content


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three readers, however many cores there are, and however few commits."""
    monkeypatch.setattr(harvest, "_FEW", 10)
    monkeypatch.setattr(harvest, "_BLOCK", 7)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("lines", [False, True], ids=["plain", "lines"])
def test_several_processes_read_what_one_does(
    nettrees: History, tmp_path: Path, lines: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for most in (1, 3):
        monkeypatch.setattr(harvest, "_MOST_READERS", most)
        repository = Repository.open(nettrees.path, tmp_path / str(most))
        indexing.update(repository, lines=lines)
        found.append(store.load(repository.store))
    one, several = map(content, found)
    for name in SEEN:
        assert one[name] == several[name]
    if lines:
        left, right = (sorted(each.rows("SELECT * FROM lines")) for each in found)
        assert left == right


@pytest.mark.usefixtures("three")
def test_a_reader_that_is_killed_is_an_error_with_a_hint(
    nettrees: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "_START", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(EnvironmentProblem, match=r"ended early \(status -9\)") as caught:
        indexing.update(Repository.open(nettrees.path, tmp_path))
    assert "memory" in caught.value.hint
    assert not list(tmp_path.glob("index/*"))[1:], "nothing but the lock"


def test_what_a_reader_finds_absent_is_named(nettrees_copy: History) -> None:
    oid = nettrees_copy.marks[12]
    tree = git(nettrees_copy.path, "rev-parse", f"{oid}:drivers/net").strip()
    pack = next(nettrees_copy.path.glob(".git/objects/pack/*.pack"))
    loose = pack.rename(nettrees_copy.path / "taken.pack")
    pack.with_suffix(".idx").unlink()
    git(nettrees_copy.path, "unpack-objects", "-q", stdin=loose.read_bytes())
    (nettrees_copy.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    one = Aside()
    try:
        with pytest.raises(RepositoryProblem, match=tree):
            part_by(one, Job(nettrees_copy.repository, [oid], Scope(), False), list)
    finally:
        one.close()


def test_a_reader_ends_with_the_one_who_asked() -> None:
    """Also when that is killed, and can tell nobody."""
    code = (
        "import os, signal\n"
        "from kbisect.git.aside import Aside\n"
        "print(Aside()._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    until = time.monotonic() + 20
    while runs(int(asked.stdout)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not runs(int(asked.stdout))


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text("ascii").split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False

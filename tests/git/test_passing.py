# SPDX-License-Identifier: GPL-2.0-or-later
"""What nobody needs tomorrow leaves no trace, neither on disk nor in memory."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from kbisect.git import passing
from kbisect.git.passing import Passing
from kbisect.git.picks import Picker
from tests.conftest import History, git


def objects(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder / "objects"))


@pytest.fixture(params=["memory", "disk"])
def memory(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return what stands for memory: a folder of its own; or there is none."""
    folder = tmp_path / "shm"
    if request.param == "memory":
        folder.mkdir()
    monkeypatch.setattr(passing, "_MEMORY", folder)
    monkeypatch.setattr(passing, "_ROOM", 0)
    return folder


def test_a_passing_pick_is_the_same_and_leaves_nothing(nettrees: History, memory: Path) -> None:
    onto = git(nettrees.path, "rev-parse", "linux-3.12.y").strip()
    oids = git(nettrees.path, "rev-list", "--no-merges", "--max-count=20", "--all", f"^{onto}")
    kept = Picker(nettrees.repository)
    tree = kept.tree_of(onto)
    expected = [kept.pick(oid, tree) for oid in oids.split()]
    store = nettrees.repository.store
    before = objects(store / "scratch.git")

    picker = Picker(nettrees.repository, passing=True)
    assert [picker.pick(oid, tree) for oid in oids.split()] == expected
    assert objects(store / "scratch.git") == before
    del picker
    gc.collect()

    for place in (memory, store):
        assert not list(place.glob("kbisect-picks-*"))


def test_what_somebody_left_who_was_killed_goes_with_the_next(
    nettrees: History, memory: Path
) -> None:
    place = memory if memory.exists() else nettrees.repository.store
    left = place / "kbisect-picks-dead"
    young = place / "kbisect-picks-being-made"
    for folder in (left, young):
        folder.mkdir()
    os.utime(left, (0, 0))
    mine = Passing.prepare(nettrees.repository)
    os.utime(mine.gitdir, (0, 0))

    Passing.prepare(nettrees.repository)

    assert not left.exists()
    assert young.exists(), "a folder without its lock may be in the making"
    assert mine.gitdir.exists(), "its owner lives"
    young.rmdir()

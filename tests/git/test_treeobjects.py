# SPDX-License-Identifier: GPL-2.0-or-later
"""Tree objects edited in memory are those that git would write."""

from __future__ import annotations

from pathlib import Path

import pygit2
import pytest

from kbisect.git.treeobjects import Entry, Trees
from tests.conftest import git

_FILE = b"100644"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository whose names sort otherwise with a folder's slash than without."""
    path = tmp_path / "work"
    path.mkdir()
    git(path, "init", "--quiet")
    for name in ("net/a/x.c", "net/a.c", "net/a-b", "top"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(f"{name}\n")
    (path / "net" / "latin-\udce9").write_text("é\n")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "begin")
    return path


def trees(work: Path) -> Trees:
    return Trees(work / ".git", pygit2.Repository(str(work)))


def blob(work: Path, name: str) -> Entry:
    return Entry(_FILE, bytes.fromhex(git(work, "rev-parse", f"HEAD:{name}").strip()))


def test_an_edited_tree_is_the_one_git_writes(work: Path) -> None:
    start = git(work, "rev-parse", "HEAD^{tree}").strip()
    other = blob(work, "top")

    found = trees(work).edited(start, {"net/a/x.c": other, "net/a0": other, "net/a/y": other})

    for name in ("net/a/x.c", "net/a0", "net/a/y"):
        git(work, "update-index", "--add", "--cacheinfo", f"100644,{other.oid},{name}")
    assert found == git(work, "write-tree").strip()


def test_git_sees_a_tree_once_it_is_written(work: Path) -> None:
    start = git(work, "rev-parse", "HEAD^{tree}").strip()
    mine = trees(work)
    edited = mine.edited(start, {"net/a/new": blob(work, "top")})
    assert not pygit2.Repository(str(work)).get(edited)

    mine.write(edited)

    listed = git(work, "ls-tree", "-r", "--name-only", edited)
    assert "net/a/new" in listed
    assert "missing" not in git(work, "fsck", "--no-dangling")


def test_what_is_in_memory_is_seen_by_the_next_edit_and_by_who_works_beside(work: Path) -> None:
    start = git(work, "rev-parse", "HEAD^{tree}").strip()
    mine = trees(work)
    beside = Trees(work / ".git", pygit2.Repository(str(work)), mine)
    other = blob(work, "top")

    once = mine.edited(start, {"net/a/new": other})

    assert beside.at(once, "net/a/new") == other
    assert beside.edited(once, {"top": other}) == once, "nothing is edited"
    assert beside.at(once, "net/a.c/new") is None, "a file has nothing below it"


def test_a_name_in_no_encoding_is_found(work: Path) -> None:
    start = git(work, "rev-parse", "HEAD^{tree}").strip()
    assert trees(work).at(start, "net/latin-\udce9") is not None

# SPDX-License-Identifier: GPL-2.0-or-later
"""Odd histories: fixes in a ring, a marker that may mean two, a branch ahead of upstream."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from pathlib import Path

import pytest

from kbisect.backport.candidates import Survey, survey
from kbisect.errors import UsageError
from kbisect.git.picks import Picker
from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history import store
from tests.conftest import Run, git


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    path.mkdir()
    git(path, "init", "--quiet")
    commit(path, "net: begin")
    git(path, "branch", "stable")
    return path


def commit(path: Path, message: str, file: str = "a") -> str:
    """Add a line to a file below net/, and return the commit."""
    place = path / "net" / f"{file}.c"
    place.parent.mkdir(exist_ok=True)
    with place.open("a", encoding="utf-8") as text:
        text.write(f"int line_of_{len(message)}_{message.split()[1]};\n")
    git(path, "add", "net")
    git(path, "commit", "--quiet", "-m", message)
    return git(path, "rev-parse", "HEAD").strip()


def surveyed(path: Path, branch: str = "stable", upstream: str = "master") -> Survey:
    repository = Repository.open(path)
    indexing.update(repository, trees={"mainline": upstream}, paths=["net"])
    here, there = (git(path, "rev-parse", name).strip() for name in (branch, upstream))
    return survey(repository, store.load(repository.store), here, there)


def test_fixes_in_a_ring_that_was_never_here_are_no_candidates(tree: Path) -> None:
    # An id can't be known before its commit is made: the ring closes by subject.
    first = commit(tree, 'net: one\n\nFixes: 123456789abc ("net: two")')
    second = commit(tree, f'net: two\n\nFixes: {first[:12]} ("net: one")')
    commit(tree, f'Revert "net: two"\n\nThis reverts commit {second}.')
    commit(tree, f'Revert "net: one"\n\nThis reverts commit {first}.')
    third = commit(tree, f'net: three\n\nFixes: {second[:12]} ("net: two")')
    found = surveyed(tree)
    assert third not in {each.oid for each in found.candidates}
    assert third in {each.oid for each in found.excluded}


def twins(path: Path) -> tuple[str, str]:
    """Put two commits on top of HEAD whose ids begin alike."""
    raw = git(path, "cat-file", "commit", "HEAD").partition("\n\n")[0]
    seen: dict[str, bytes] = {}
    for number in itertools.count():
        content = f"{raw}\n\nnet: twin {number}\n".encode()
        whole = b"commit %d\0" % len(content) + content
        short = hashlib.sha1(whole, usedforsecurity=False).hexdigest()[:7]
        other = seen.setdefault(short, content)
        if other is not content:
            break
    first, second = (
        git(path, "hash-object", "-t", "commit", "-w", "--stdin", stdin=one).strip()
        for one in (other, content)
    )
    return first, second


@pytest.mark.parametrize(("digits", "taken"), [(7, 0), (12, 1)])
def test_a_marker_that_may_mean_two_commits_takes_neither(
    tree: Path, digits: int, taken: int
) -> None:
    start = git(tree, "rev-parse", "HEAD").strip()
    fix = f'net: fix begin\n\nFixes: {start[:12]} ("net: begin")'
    commit(tree, fix, "b")
    alike = twins(tree)
    git(tree, "reset", "--quiet", "--hard", alike[0])
    git(tree, "merge", "--quiet", "-s", "ours", "-m", "both", alike[1])
    git(tree, "checkout", "--quiet", "stable")
    commit(tree, f"net: taken\n\n[ Upstream commit {alike[0][:digits]} ]", "d")
    git(tree, "checkout", "--quiet", "master")
    found = surveyed(tree)
    assert [each.oid for each in found.already] == [alike[0]][:taken]


def test_a_branch_that_is_ahead_of_upstream_is_an_error(tree: Path) -> None:
    commit(tree, "net: later")
    with pytest.raises(UsageError, match="contains all of upstream"):
        surveyed(tree, branch="master", upstream="stable")


def test_the_rows_of_csv_are_the_candidates_of_json(tree: Path, kbisect: Run) -> None:
    start = git(tree, "rev-parse", "HEAD").strip()
    commit(tree, f'net: a comma, "a quote"\n\nFixes: {start[:12]} ("net: begin")', "b")
    surveyed(tree)
    asked = ("-C", tree, "backport", "list", "stable", "--upstream", "master", "--format")
    rows = list(csv.DictReader(io.StringIO(kbisect(*asked, "csv").stdout)))
    wanted = json.loads(kbisect(*asked, "json").stdout)["candidates"]
    keys = ("oid", "subject", "strength", "state")
    assert rows
    assert [[row[key] for key in keys] for row in rows] == [
        [one[key] for key in keys] for one in wanted
    ]
    assert rows[0]["applies"] == "yes"
    assert rows[0]["reasons"] == f'Fixes: {start[:12]} ("net: begin")'


@pytest.mark.parametrize("moved", [False, True], ids=["folder there", "folder renamed"])
def test_a_new_file_is_picked_as_git_merges_it(tree: Path, moved: bool) -> None:
    for file in ("b", "c", "d"):
        commit(tree, f"net: {file} is begun", file)
    git(tree, "branch", "--force", "stable")
    new = commit(tree, "net: new", "new")
    git(tree, "checkout", "--quiet", "stable")
    if moved:
        git(tree, "mv", "net", "moved")
        git(tree, "commit", "--quiet", "-m", "move")
    else:
        commit(tree, "net: another", "another")
    picker = Picker(Repository.open(tree))
    found = picker.pick(new, picker.tree_of(git(tree, "rev-parse", "HEAD").strip()))
    if moved:
        assert found.conflicts == ("moved/new.c",)
    else:
        git(tree, "cherry-pick", new)
        assert found.tree == git(tree, "rev-parse", "HEAD^{tree}").strip()

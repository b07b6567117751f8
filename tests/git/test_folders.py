# SPDX-License-Identifier: GPL-2.0-or-later
"""The ids of paths at every commit are those that git gives one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kbisect.errors import RepositoryProblem
from kbisect.git.folders import Folders
from kbisect.git.repository import Repository
from kbisect.git.walks import walk
from tests.conftest import History, git

PATHS = ["net", "drivers/net", "include/net", "include/linux", "Makefile", "net/ipv4/nowhere"]


def git_ids(path: Path, oids: list[str], paths: list[str]) -> list[list[str]]:
    asked = "".join(f"{oid}:{name}\n" for oid in oids for name in paths)
    said = git(path, "cat-file", "--batch-check=%(objectname)", stdin=asked.encode()).splitlines()
    ids = ["" if line.endswith(" missing") else line for line in said]
    return [ids[at : at + len(paths)] for at in range(0, len(ids), len(paths))]


def ours(repository: Repository, trees: list[str], paths: list[str]) -> list[list[str]]:
    folders = Folders(repository, paths)
    raw = np.frombuffer(bytes.fromhex("".join(trees)), np.uint8).reshape(-1, 20)
    folders.give(raw[:3])
    folders.give(raw[3:])
    rows = folders.ids().tolist()
    return [[folders.oid(at, number) for at, number in enumerate(row)] for row in rows]


def test_ids_at_every_commit_are_gits(nettrees: History) -> None:
    oids = git(nettrees.path, "rev-list", "--all").split()
    trees = git(nettrees.path, "log", "--all", "--format=%T").split()
    assert ours(nettrees.repository, trees, PATHS) == git_ids(nettrees.path, oids, PATHS)


def test_names_that_look_like_entries_mislead_nobody(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    commits = []
    for turn, name in enumerate(("100644 net", "x40000 net", "net", "a net", "net ")):
        blob = git(tmp_path, "hash-object", "-w", "--stdin", stdin=b"%d" % turn).strip()
        inner = git(tmp_path, "mktree", stdin=f"100644 blob {blob}\tc\n".encode()).strip()
        for kind in (f"100644 blob {blob}", f"040000 tree {inner}"):
            tree = git(tmp_path, "mktree", stdin=f"{kind}\t{name}\n".encode()).strip()
            commits.append(git(tmp_path, "commit-tree", "-m", "x", tree).strip())
    trees = [git(tmp_path, "rev-parse", f"{oid}^{{tree}}").strip() for oid in commits]
    found = ours(Repository.open(tmp_path), trees, ["net", "net/c"])
    assert found == git_ids(tmp_path, commits, ["net", "net/c"])


def test_a_file_that_may_be_run_is_another(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    blob = git(tmp_path, "hash-object", "-w", "--stdin", stdin=b"x").strip()
    trees = [
        git(tmp_path, "mktree", stdin=f"{mode} blob {blob}\ttool\n".encode()).strip()
        for mode in ("100644", "100755", "100644")
    ]
    folders = Folders(Repository.open(tmp_path), ["tool"])
    folders.give(np.frombuffer(bytes.fromhex("".join(trees)), np.uint8).reshape(-1, 20))
    first, second, third = folders.ids()[:, 0].tolist()
    assert first == third != second


def test_a_tree_object_that_is_absent_is_named(nettrees: History) -> None:
    folders = Folders(nettrees.repository, ["net"])
    folders.give(np.full((1, 20), 0xAB, np.uint8))
    with pytest.raises(RepositoryProblem, match="ab" * 20):
        folders.ids()


@pytest.mark.parametrize("graph", [False, True], ids=["plain", "commit-graph"])
def test_a_walk_in_arrays_is_rev_list(nettrees_copy: History, graph: bool) -> None:
    nettrees = nettrees_copy
    if graph:
        git(nettrees.path, "commit-graph", "write", "--reachable", "--no-progress")
    tips = git(nettrees.path, "for-each-ref", "--format=%(objectname)", "refs/heads").split()
    base = git(nettrees.path, "rev-parse", "v3.11^{commit}").strip()
    seen: list[int] = []
    found = walk(nettrees.repository, tips, [base], watch=lambda part: seen.append(len(part.oids)))
    said = git(nettrees.path, "log", "--format=%H %T %ct %P", *tips, f"^{base}").splitlines()
    ends = np.cumsum(found.counts).tolist()
    rows = [
        " ".join(
            [
                bytes(found.oids[at]).hex(),
                bytes(found.trees[at]).hex(),
                str(found.times[at]),
                *(bytes(parent).hex() for parent in found.parents[end - found.counts[at] : end]),
            ]
        )
        for at, end in enumerate(ends)
    ]
    assert rows == [line.strip() for line in said]
    assert sum(seen) == len(said)


def test_a_walk_of_nothing_is_empty(small: History) -> None:
    tip = git(small.path, "rev-parse", "HEAD").strip()
    found = walk(small.repository, [tip], [tip])
    assert len(found.oids) == len(found.parents) == 0

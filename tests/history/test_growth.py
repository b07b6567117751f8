# SPDX-License-Identifier: GPL-2.0-or-later
"""An index that grew with its repository is the one that is built at once."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from kbisect.git.repository import Repository
from kbisect.history import generation, store
from kbisect.history import index as indexing
from kbisect.history.store import Index
from tests.conftest import History, git

# What a query can see; numbers may differ, since they depend on the order of arrival.
SEEN = {
    "commits": "* EXCLUDE (number, parents, trailers), array_to_string(parents, ' ')",
    "changes": "*",
    "edges": "*",
    "links": "*",
    "releases": "*",
}


def content(index: Index) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: sorted(index.rows(f"SELECT {columns} FROM {name}"), key=repr)
        for name, columns in SEEN.items()
    }


def refs_of(path: Path) -> dict[str, str]:
    lines = git(path, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split() for line in lines)


def set_refs(path: Path, wanted: dict[str, str]) -> None:
    have = refs_of(path)
    commands = [f"delete {name}" for name in have if name not in wanted]
    commands += [f"update {name} {oid}" for name, oid in wanted.items()]
    git(path, "update-ref", "--stdin", stdin="".join(f"{c}\n" for c in commands).encode())


def as_of(path: Path, whole: dict[str, str], moment: int) -> dict[str, str]:
    """Return what the refs were at some time: every branch at its last commit before it."""
    found = {}
    for name, oid in whole.items():
        line = git(path, "log", "-1", f"--until={moment}", "--first-parent", "--format=%H", oid)
        if name.startswith("refs/tags/"):
            if int(git(path, "log", "-1", "--format=%ct", oid)) <= moment:
                found[name] = oid
        elif line.strip():
            found[name] = line.strip()
    return found


@pytest.mark.parametrize("lines", [False, True], ids=["plain", "lines"])
def test_an_index_that_grew_is_the_one_built_at_once(
    nettrees_copy: History, tmp_path: Path, lines: bool
) -> None:
    path = nettrees_copy.path
    whole = refs_of(path)
    times = sorted(map(int, git(path, "log", "--all", "--format=%ct").split()))
    moments = [times[len(times) * step // 7] for step in range(2, 7)]
    modes = []
    for moment in [*moments, times[-1] + 1]:
        now = as_of(path, whole, moment) if moment <= times[-1] else whole
        set_refs(path, now)
        grown = Repository.open(path, tmp_path / "grown")
        modes.append(indexing.update(grown, lines=lines).mode)
        at_once = Repository.open(path, tmp_path / "at-once")
        shutil.rmtree(tmp_path / "at-once", ignore_errors=True)
        indexing.update(at_once, lines=lines)
        left, right = content(store.load(grown.store)), content(store.load(at_once.store))
        for name in SEEN:
            assert left[name] == right[name], (moment, name)
    # The skewed clocks of the fixture may take a branch back once.
    assert modes.count("incremental") >= len(moments) - 1


def test_parts_are_joined_before_they_are_many(small: History) -> None:
    for turn in range(2 * generation._MOST_PARTS):
        (small.path / "net").mkdir(exist_ok=True)
        (small.path / "net" / "grow.c").write_text(f"int x{turn};\n")
        git(small.path, "add", "net/grow.c")
        git(small.path, "commit", "--quiet", f"--message=net: grow {turn}")
        indexing.update(small.repository)
    index = store.load(small.repository.store)
    assert len(list(index.directory.glob("rows.*.parquet"))) <= generation._MOST_PARTS + 1
    subjects = {row[0] for row in index.rows("SELECT subject FROM commits")}
    assert {f"net: grow {turn}" for turn in range(2 * generation._MOST_PARTS)} <= subjects


def test_a_link_to_a_commit_that_arrives_later_is_resolved(small: History, tmp_path: Path) -> None:
    # A backport is fetched before its upstream commit.
    indexing.update(small.repository)
    upstream = git(
        small.path,
        *("commit-tree", "master^{tree}", "-p", "master", "-m", "net: the fix"),
    ).strip()
    (small.path / "net" / "branch.c").write_text("int y;\n")
    git(small.path, "add", "net/branch.c")
    git(small.path, "commit", "--quiet", f"--message=net: the fix\n\ncommit {upstream} upstream.")
    indexing.update(small.repository)
    index = store.load(small.repository.store)
    assert ("unknown", None) in index.rows("SELECT how, target FROM links")
    git(small.path, "update-ref", "refs/heads/upstream", upstream)
    assert indexing.update(small.repository).mode == "incremental"
    index = store.load(small.repository.store)
    assert ("exact", upstream) in index.rows("SELECT how, target FROM links")


def test_line_counts_are_gits(nettrees: History, tmp_path: Path) -> None:
    repository = Repository.open(nettrees.path, tmp_path)
    indexing.update(repository, lines=True)
    index = store.load(tmp_path)
    ours = index.rows("SELECT oid, sum(added), sum(removed) FROM lines GROUP BY oid")
    for oid, added, removed in random.Random(1).sample(ours, 40):
        paths = [row[0] for row in index.rows("SELECT path FROM lines WHERE oid = ?", [oid])]
        stat = git(
            nettrees.path,
            *("diff-tree", "-r", "--root", "--no-commit-id", "--numstat", "--no-renames", oid),
            *("--", *paths),
        )
        counted = [line.split("\t") for line in stat.splitlines()]
        assert added == sum(int(row[0]) for row in counted)
        assert removed == sum(int(row[1]) for row in counted)


def test_a_renamed_file_keeps_both_names(nettrees: History, nettrees_index: Index) -> None:
    rows = nettrees_index.rows(
        "SELECT old_path, path FROM changes WHERE oid = ? AND status = 'R'", [nettrees.marks[12]]
    )
    theirs = git(
        nettrees.path,
        "diff-tree",
        "-r",
        "-M",
        "--diff-filter=R",
        "--name-status",
        nettrees.marks[12],
    )
    expected = [tuple(line.split("\t")[1:]) for line in theirs.splitlines()[1:]]
    assert sorted(rows) == sorted(pair for pair in expected if pair[1].startswith("drivers/net/"))

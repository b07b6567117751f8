# SPDX-License-Identifier: GPL-2.0-or-later
"""The index says what git says."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kbisect.errors import EnvironmentProblem
from kbisect.history import generation, store
from kbisect.history import index as indexing
from kbisect.history.network import network
from kbisect.history.scope import Scope
from kbisect.history.store import Index
from tests.conftest import History, Run, git

SCOPES: list[tuple[str, ...]] = [
    ("net", "drivers/net"),
    ("net",),
    ("include/net",),
    ("drivers/net/wireless",),
    ("mm",),
    ("Documentation/networking", "MAINTAINERS"),
]


def indexed(history: History, store_dir: Path, *paths: str) -> Index:
    repository = type(history.repository).open(history.path, store_dir)
    indexing.update(repository, paths=paths)
    return store.load(store_dir)


def edges_of(index: Index) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for child, parent in index.rows("SELECT child, parent FROM edges"):
        found.setdefault(child, set()).update([parent] if parent else [])
    return found


@pytest.mark.parametrize("paths", SCOPES, ids=" ".join)
def test_commits_in_scope_and_their_paths_are_gits(
    nettrees: History, tmp_path: Path, paths: tuple[str, ...]
) -> None:
    index = indexed(nettrees, tmp_path, *paths)
    log = git(
        nettrees.path,
        *("log", "--all", "--full-history", "--no-merges", "-z", "--name-only", "--no-renames"),
        *("--format=%x01%H", "--", *paths),
    )
    theirs = {}
    for record in log.split("\x01")[1:]:
        oid, _, names = record.partition("\0")
        theirs[oid] = {name.strip("\n") for name in names.split("\0") if name.strip("\n")}
    ours: dict[str, set[str]] = {}
    for oid, path, old_path in index.rows("SELECT oid, path, old_path FROM changes"):
        ours.setdefault(oid, set()).update({path, old_path or path})
    assert ours == theirs


@pytest.mark.parametrize("paths", SCOPES, ids=" ".join)
def test_the_graph_is_gits_simplified_one(
    nettrees: History, tmp_path: Path, paths: tuple[str, ...]
) -> None:
    index = indexed(nettrees, tmp_path, *paths)
    lines = git(
        nettrees.path,
        *("rev-list", "--all", "--parents", "--full-history", "--simplify-merges", "--", *paths),
    ).splitlines()
    assert edges_of(index) == {line.split()[0]: set(line.split()[1:]) for line in lines}


def test_the_default_scope_takes_the_headers_that_belong_to_networking(
    nettrees: History, nettrees_index: Index
) -> None:
    oids = {row[0] for row in nettrees_index.rows("SELECT oid FROM commits")}
    only_skbuff, only_mm = nettrees.marks[64], nettrees.marks[8]
    assert only_skbuff in oids
    assert only_mm not in oids
    scope = Scope()
    assert scope.contains("include/uapi/linux/if_link.h")
    assert not scope.contains("include/linux/mm.h")
    assert not scope.contains("network/core.c")


def test_the_network_is_the_edges(nettrees_index: Index) -> None:
    graph = network(nettrees_index)
    assert {node: set(graph.successors(node)) for node in graph} == edges_of(nettrees_index)
    assert all("subject" in data for _, data in graph.nodes(data=True))


def test_parents_times_and_people_are_gits(nettrees: History, nettrees_index: Index) -> None:
    rows = nettrees_index.rows(
        "SELECT oid, array_to_string(parents, ' '), author, author_email, author_time, commit_time,"
        " subject FROM commits"
    )
    log = git(nettrees.path, "log", "--all", "--format=%H%x00%P%x00%aN%x00%aE%x00%at%x00%ct%x00%s")
    theirs = {line.split("\0")[0]: line.split("\0") for line in log.splitlines()}
    assert len(rows) > 100
    for row in rows:
        assert [str(cell) for cell in row] == theirs[row[0]]


def test_ancestry_is_gits(nettrees: History, nettrees_index: Index) -> None:
    graph = nettrees_index.graph
    for ref in ("net", "net-next", "linux-3.12.y", "v3.12"):
        tip = git(nettrees.path, "rev-parse", f"{ref}^{{commit}}").strip()
        contained = graph.ancestors([nettrees_index.number(tip)])
        ours = {graph.oids[int(number)] for number in contained.nonzero()[0]}
        assert ours == set(git(nettrees.path, "rev-list", tip).split())


def test_many_questions_of_ancestry_at_once(nettrees: History, nettrees_index: Index) -> None:
    graph = nettrees_index.graph
    draw = random.Random(7)
    pairs = [(draw.randrange(len(graph)), draw.randrange(len(graph))) for _ in range(60)]
    for (older, newer), answer in zip(pairs, graph.contains(pairs), strict=True):
        done = subprocess.run(
            ["git", "merge-base", "--is-ancestor", graph.oids[older], graph.oids[newer]],
            cwd=nettrees.path,
            check=False,
        )
        assert answer == (done.returncode == 0)


def test_the_first_release_that_contains_a_commit(nettrees: History, nettrees_index: Index) -> None:
    tags = git(nettrees.path, "tag", "--sort=version:refname").split()
    # git puts v3.12-rc1 behind v3.12; a candidate comes before its release.
    tags.sort(
        key=lambda tag: (tag.partition("-")[0].split(".")[:2], "-rc" not in tag, len(tag), tag)
    )
    assert tags == [name for name, _ in nettrees_index.meta.releases]
    contains = {tag: set(git(nettrees.path, "rev-list", tag).split()) for tag in tags}
    for oid, release in nettrees_index.rows("SELECT oid, release FROM commits"):
        assert release == next((tag for tag in tags if oid in contains[tag]), None)


def test_a_second_run_has_nothing_to_do(nettrees: History) -> None:
    assert indexing.update(nettrees.repository).mode == "current"


def test_new_commits_are_taken_in(nettrees_copy: History) -> None:
    before = indexing.update(nettrees_copy.repository)
    (nettrees_copy.path / "net" / "new.c").write_text("int x;\n")
    git(nettrees_copy.path, "add", "net/new.c")
    git(nettrees_copy.path, "commit", "--quiet", "--message=net: new")
    after = indexing.update(nettrees_copy.repository)
    assert (after.commits, after.in_scope, after.new) == (
        before.commits + 1,
        before.in_scope + 1,
        1,
    )


def test_a_rewritten_branch_leaves_nothing_behind(nettrees_copy: History) -> None:
    indexing.update(nettrees_copy.repository)
    git(nettrees_copy.path, "branch", "--force", "net-next", "net-next~2")
    indexing.update(nettrees_copy.repository)
    index = store.load(nettrees_copy.repository.store)
    assert set(index.oids) == set(git(nettrees_copy.path, "rev-list", "--all").split())


def test_a_damaged_index_is_built_anew_and_that_is_said(
    nettrees_copy: History, kbisect: Run
) -> None:
    kbisect("-C", nettrees_copy.path, "index")
    table = next(nettrees_copy.repository.store.glob("index/*/rows.*.parquet"))
    table.write_bytes(table.read_bytes()[:-100])
    done = kbisect("-C", nettrees_copy.path, "show", "v3.12")
    assert done.returncode == 0
    assert "damaged" in done.stderr
    assert "building it anew" in done.stderr
    assert "v3.12" in done.stdout


def test_a_flipped_bit_is_noticed(nettrees_copy: History) -> None:
    indexing.update(nettrees_copy.repository)
    table = next(nettrees_copy.repository.store.glob("index/*/links.parquet"))
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    said: list[str] = []
    assert indexing.update(nettrees_copy.repository, say=said.append).mode == "full"
    assert "damaged" in said[0]


def test_two_writers_at_once_are_told_apart(nettrees_copy: History) -> None:
    repository = nettrees_copy.repository
    with generation.writing(repository.store), pytest.raises(EnvironmentProblem, match="another"):
        indexing.update(repository)


@pytest.mark.parametrize("attempt", range(4))
def test_a_kill_at_any_instant_leaves_the_old_generation(
    nettrees_copy: History, attempt: int
) -> None:
    repository = nettrees_copy.repository
    indexing.update(repository)
    git(nettrees_copy.path, "branch", "--force", "net-next", "net-next~1")
    process = subprocess.Popen(
        [sys.executable, "-m", "kbisect", "-C", str(nettrees_copy.path), "index"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(0.25 + 0.12 * attempt)
    process.send_signal(signal.SIGKILL)
    process.wait()
    index = store.load(repository.store, verify=True)
    assert index.rows("SELECT count(*) FROM commits")[0][0] > 100
    indexing.update(repository)
    assert not list(repository.store.glob("index/*.partial"))


def test_a_full_disk_leaves_the_old_generation(nettrees_copy: History, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(tiny)], check=True)
    try:
        repository = type(nettrees_copy.repository).open(nettrees_copy.path, tiny)
        indexing.update(repository)
        (tiny / "filler").write_bytes(b"x" * (tiny_free(tiny) - 20_000))
        git(nettrees_copy.path, "branch", "--force", "net-next", "net-next~1")
        with pytest.raises(OSError, match="No space left"):
            indexing.update(repository)
        (tiny / "filler").unlink()
        assert store.load(tiny, verify=True).rows("SELECT count(*) FROM commits")[0][0] > 100
        assert not list(tiny.glob("index/*.partial"))
    finally:
        subprocess.run(["umount", str(tiny)], check=True)


def tiny_free(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize

# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits nobody would write, and readers that don't wait."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history import store
from kbisect.history.store import Index
from tests.conftest import History, Run, git


def commit(
    mark: int, subject: bytes, *, when: int, path: bytes = b"net/a.c", encoding: bytes = b""
) -> bytes:
    """Write one commit in fast-import's language; the path is quoted as git quotes it."""
    quoted = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    content = b"int x%d;\n" % mark
    lines = [
        b"commit refs/heads/master\nmark :%d" % mark,
        b"author A \xffda <a@example.org> %d +0000" % when,
        b"committer Ada <a@example.org> %d -0330" % when,
        *([b"encoding " + encoding] if encoding else []),
        b"data %d\n%s" % (len(subject), subject),
        b'M 100644 inline "%s"\ndata %d\n%s' % (quoted, len(content), content),
    ]
    return b"\n".join(lines) + b"\n"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = tmp_path / "odd"
    path.mkdir()
    git(path, "init", "--quiet")
    script = [
        commit(1, b"net: the epoch\n", when=0),
        commit(2, b"net: after 2038\n", when=2**31 + 1000),
        commit(3, b"net: \xfc in latin-1\n", when=1000, encoding=b"ISO-8859-1"),
        commit(4, b"net: no \xff\xfe encoding\n", when=1001),
        commit(5, b"net: an encoding nobody knows\n", when=1002, encoding=b"x-martian"),
        commit(6, b"net: long\n\n" + b"Acked-by: A <a@example.org>\n" * 4000, when=1003),
        commit(7, b"net: new\nline in a path\n", when=1004, path=b'net/new\nline "quoted".c'),
        commit(8, b"net: a path in latin-1\n", when=1005, path=b"net/\xe4.c"),
        commit(9, b"\n\n\nnet: leading blanks\n", when=1006),
        commit(10, b"", when=1007),
        commit(11, b"net: tab\tand \x1b[31mcolour\n", when=1008),
    ]
    git(path, "fast-import", "--quiet", stdin=b"".join(script))
    return path


@pytest.fixture
def odd_index(odd: Path) -> Index:
    repository = Repository.open(odd)
    indexing.update(repository)
    return store.load(repository.store)


def test_every_odd_commit_is_held_as_git_tells_it(odd: Path, odd_index: Index) -> None:
    log = git(odd, "log", "-z", "--format=%H%x00%at%x00%s", "master").rstrip("\0").split("\0")
    theirs = {tuple(log[at : at + 3]) for at in range(0, len(log), 3)}
    rows = odd_index.rows("SELECT oid, author_time::VARCHAR, subject FROM commits")
    assert set(rows) == theirs
    assert len(rows) == 11


def test_paths_are_held_whole(odd_index: Index) -> None:
    paths = {row[0] for row in odd_index.rows("SELECT path FROM changes")}
    assert paths == {"net/a.c", 'net/new\nline "quoted".c', "net/\\xe4.c"}


def test_a_long_message_keeps_all_its_trailers(odd_index: Index) -> None:
    assert odd_index.rows("SELECT max(len(trailers)) FROM commits") == [(4000,)]


def test_json_of_odd_commits_is_json(odd: Path, odd_index: Index, kbisect: Run) -> None:
    for oid in odd_index.oids:
        done = kbisect("-C", odd, "show", "--json", oid)
        assert json.loads(done.stdout)["oid"] == oid, done.stderr


def test_a_deleted_remote_goes(nettrees_copy: History, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--bare", str(nettrees_copy.path), str(clone))
    git(clone, "remote", "add", "net-next", str(nettrees_copy.path))
    git(clone, "fetch", "--quiet", "net-next", "net-next:refs/remotes/net-next/main")
    git(clone, "branch", "--quiet", "-D", "net-next")
    repository = Repository.open(clone)
    assert indexing.update(repository).trees["net-next"] == "refs/remotes/net-next/main"
    git(clone, "remote", "remove", "net-next")
    git(clone, "update-ref", "-d", "refs/remotes/net-next/main")
    outcome = indexing.update(repository)
    assert "net-next" not in outcome.trees
    assert set(store.load(repository.store).oids) == set(git(clone, "rev-list", "--all").split())


def test_readers_are_served_while_the_index_is_written(nettrees_copy: History) -> None:
    repository = nettrees_copy.repository
    indexing.update(repository)
    expected = store.load(repository.store).rows("SELECT count(*) FROM commits")
    stop = threading.Event()
    failures: list[str] = []
    served = 0

    def read() -> None:
        nonlocal served
        while not stop.is_set():
            try:
                found = store.load(repository.store).rows("SELECT count(*) FROM commits")
            except Exception as error:  # the thread must tell, not die
                failures.append(repr(error))
                return
            if found != expected:
                failures.append(f"{found} is not {expected}")
            served += 1

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(4):
            subprocess.run(
                [sys.executable, "-m", "kbisect", "-C", str(nettrees_copy.path), "index", "--full"],
                check=True,
                capture_output=True,
            )
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert failures == []
    assert served > 4


def test_what_a_reader_has_open_stays_whatever_is_written(odd: Path) -> None:
    repository = Repository.open(odd)
    indexing.update(repository)
    opened = store.load(repository.store)
    places = []
    for _ in range(4):
        indexing.update(repository, full=True)
        places.append(store.load(repository.store).directory)
    assert opened.rows("SELECT count(*) FROM commits") == [(11,)]
    assert len(opened.oids) == 11
    assert not places[0].exists()
    del opened
    indexing.update(repository, full=True)
    assert len([path for path in places[0].parent.iterdir() if path.is_dir()]) == 2


@pytest.mark.parametrize("broken", ["bytes", "folder"])
def test_a_pointer_that_can_not_be_read_is_a_damaged_index(odd: Path, broken: str) -> None:
    repository = Repository.open(odd)
    indexing.update(repository)
    pointer = repository.store / "index" / "current"
    pointer.unlink()
    if broken == "bytes":
        pointer.write_bytes(b"\xff\xfe")
    else:
        pointer.mkdir()
    with pytest.raises(store.IndexDamaged):
        store.load(repository.store)
    said: list[str] = []
    assert indexing.update(repository, say=said.append).mode == "full"
    assert "damaged" in said[0]
    assert store.load(repository.store).rows("SELECT count(*) FROM commits") == [(11,)]

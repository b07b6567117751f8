# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of a commit by path: git show, ls-tree and grep are asked the same."""

from __future__ import annotations

import pytest

from kbisect.git.snapshot import Snapshot
from tests.conftest import History, git


@pytest.fixture(scope="module")
def snapshot(nettrees: History) -> Snapshot:
    # :83 brings names with a blank and an umlaut.
    return Snapshot(nettrees.repository.gitdir, nettrees.marks[83])


def test_contents_are_those_of_git_show(nettrees: History, snapshot: Snapshot) -> None:
    listed = git(nettrees.path, "ls-tree", "-r", "-z", "--name-only", snapshot.oid)
    paths = [path for path in listed.split("\0") if path]
    assert any(not path.isascii() for path in paths)
    assert any(" " in path for path in paths)
    found = snapshot.read([*paths, "no/such/file", "net"])
    assert list(found) == paths
    for path, content in found.items():
        shown = git(nettrees.path, "show", f"{snapshot.oid}:{path}")
        assert content.decode("utf-8", "replace") == shown


def test_kinds(snapshot: Snapshot) -> None:
    assert snapshot.kinds(["net/core/dev.c", "net/", "net/core", "no/such", "a\nb"]) == {
        "net/core/dev.c": "blob",
        "net/": "tree",
        "net/core": "tree",
        "no/such": None,
        "a\nb": None,
    }


def test_folders_and_files_of_a_name(nettrees: History, snapshot: Snapshot) -> None:
    folders = git(nettrees.path, "ls-tree", "-rd", "--name-only", snapshot.oid).splitlines()
    assert snapshot.folders == frozenset(folders)
    assert snapshot.named("MAINTAINERS") == ["MAINTAINERS"]
    assert snapshot.named("dev.c") == ["net/core/dev.c"]


def test_lines_with_any_of_some_words(nettrees: History, snapshot: Snapshot) -> None:
    found = snapshot.lines_with(["netif_rx", "sk_buff"])
    asked = ("grep", "-nwF", "-e", "netif_rx", "-e", "sk_buff", snapshot.oid)
    expected = [line.split(":", 3)[1:] for line in git(nettrees.path, *asked).splitlines()]
    assert [[path, str(number), text] for path, number, text in found] == expected
    assert expected
    assert snapshot.lines_with([]) == []
    assert snapshot.lines_with(["no_such_word_anywhere"]) == []

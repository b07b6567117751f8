# SPDX-License-Identifier: GPL-2.0-or-later
"""The subsystem of a commit, by MAINTAINERS as of its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history import store
from kbisect.history.store import Index
from tests.conftest import History, git


@pytest.mark.parametrize(
    ("mark", "section"),
    [
        (45, None),
        (64, "NETWORKING [GENERAL]"),
        # The file had just moved; v3.11 still names the old place.
        (53, "NETWORKING DRIVERS"),
        (100, "ACME ETHERNET DRIVER"),
        (46, "NETWORKING DRIVERS (WIRELESS)"),
        (108, "VIRTIO MINI NET DRIVER"),
        (110, "NETFILTER"),
        (126, "BLUETOOTH SUBSYSTEM"),
        (127, "MAC80211"),
    ],
)
def test_the_section_that_most_of_the_paths_fall_in(
    nettrees: History, nettrees_index: Index, mark: int, section: str | None
) -> None:
    rows = nettrees_index.rows(
        "SELECT subsystem FROM commits WHERE oid = ?", [nettrees.marks[mark]]
    )
    # A merge has no row.
    assert rows == ([(section,)] if section else [])


def test_a_commit_is_judged_by_the_maintainers_of_its_time(small: History) -> None:
    sections = {
        "v4.1": "OLD NAME\nS:\tMaintained\nF:\tnet/\n",
        "v4.2": "NEW NAME\nS:\tMaintained\nF:\tnet/\n",
    }
    when = int(git(small.path, "log", "-1", "--format=%ct"))
    for turn, (tag, text) in enumerate(sections.items()):
        stamp = f"{when + 1000 * turn} +0000"
        (small.path / "MAINTAINERS").write_text(text)
        (small.path / "net").mkdir(exist_ok=True)
        (small.path / "net" / f"{turn}.c").write_text("int x;\n")
        git(small.path, "add", ".")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GIT_COMMITTER_DATE", stamp)
            git(small.path, "commit", "--quiet", f"--message=net: before {tag}")
            patch.setenv("GIT_COMMITTER_DATE", f"{when + 1000 * turn + 500} +0000")
            git(small.path, "tag", "-a", "-m", tag, tag)
    indexing.update(small.repository)
    index = store.load(small.repository.store)
    found = dict(index.rows("SELECT subject, subsystem FROM commits WHERE subject LIKE '%before%'"))
    # The second one came between the two releases.
    assert found == {"net: before v4.1": "OLD NAME", "net: before v4.2": "OLD NAME"}


def test_without_maintainers_there_is_no_subsystem(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", ".")
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "a.c").write_text("int x;\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=net: a")
    git(tmp_path, "tag", "v4.1")
    repository = Repository.open(tmp_path)
    indexing.update(repository)
    assert store.load(repository.store).rows("SELECT subsystem FROM commits") == [(None,)]

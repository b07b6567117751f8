# SPDX-License-Identifier: GPL-2.0-or-later
"""Releases by name, from tags or from the Makefile, and the merge window they tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kbisect.errors import UsageError
from kbisect.history import index as indexing
from kbisect.history import releases as naming
from kbisect.history import store
from kbisect.history.names import resolve
from kbisect.history.releases import Release, State
from tests.conftest import History, Run, git

DAY = 86400


def test_versions_sort_as_they_were_released() -> None:
    names = [
        "v2.6.9",
        "v2.6.22-rc1",
        "v2.6.22-rc10",
        "v2.6.22",
        "v2.6.22.1",
        "v3.0-rc1",
        "v3.0",
        "v4.20",
    ]
    names += ["v5.0-rc1", "v5.0"]
    shuffled = [*names[1::2], *names[::2]]
    assert sorted(shuffled, key=lambda name: naming.version(name) or ()) == names


@pytest.mark.parametrize("name", ["next-20110405", "v2.6.22-mm1", "net-6.1", "v3", "v3.0-rc1-next"])
def test_what_is_no_release(name: str) -> None:
    assert naming.version(name) is None


@pytest.mark.parametrize(
    ("name", "mainline"),
    [
        ("v2.6.32", True),
        ("v2.6.32.1", False),
        ("v3.12-rc1", True),
        ("v3.12.1", False),
        ("v6.1", True),
    ],
)
def test_stable_releases_are_not_mainline(name: str, mainline: bool) -> None:
    assert naming.is_mainline(name) is mainline


def test_releases_derived_from_the_makefile_are_the_tagged_ones(nettrees_copy: History) -> None:
    mainline = "v3.1[1-4]*"
    tagged = {
        tag: git(nettrees_copy.path, "rev-parse", f"{tag}^{{commit}}").strip()
        for tag in git(nettrees_copy.path, "tag", "--list", mainline).split()
        if naming.is_mainline(tag)
    }
    git(nettrees_copy.path, "tag", "--delete", *git(nettrees_copy.path, "tag").split())
    repository = nettrees_copy.repository
    assert indexing.update(repository).derived
    derived = store.load(repository.store).rows("SELECT name, oid FROM releases")
    assert dict(derived) == tagged


def test_a_number_that_the_makefile_skipped_is_another_name_of_its_commit(
    small: History,
) -> None:
    # As Linux kernel commit 17d857be649a ("Linux 2.6.32-rc1") did.
    makefile = "VERSION = 3\nPATCHLEVEL = 40\nSUBLEVEL = 0\nEXTRAVERSION = -rc{}\n"
    for subject, number in (("Linux 3.40-rc1", 2), ("Linux 3.40-rc3", 3)):
        (small.path / "Makefile").write_text(makefile.format(number))
        git(small.path, "add", "Makefile")
        git(small.path, "commit", "--quiet", "--message", subject)
    indexing.update(small.repository)
    index = store.load(small.repository.store)
    named = dict(index.rows("SELECT name, oid FROM releases WHERE name LIKE 'v3.40%'"))
    oids = git(small.path, "rev-parse", "HEAD~1", "HEAD").split()
    assert named == {"v3.40-rc1": oids[0], "v3.40-rc2": oids[0], "v3.40-rc3": oids[1]}
    assert index.release_of(index.number(oids[0])) == "v3.40-rc1"
    assert naming.subject_version("Linux v2.6.30-rc5") == "v2.6.30-rc5"
    assert naming.subject_version("Linux 2.6.30 is late") is None


def test_a_release_is_a_name_in_a_tree_without_tags(small: History) -> None:
    repository = small.repository
    indexing.update(repository)
    name, oid = store.load(repository.store).rows("SELECT name, oid FROM releases")[0]
    said: list[str] = []
    assert resolve(repository, name, said.append) == oid
    assert oid[:12] in said[0]
    git(small.path, "tag", name, "HEAD")
    assert resolve(repository, name) == git(small.path, "rev-parse", "HEAD").strip()


def test_an_unknown_name_is_answered_with_the_nearest(small: History) -> None:
    indexing.update(small.repository)
    names = [row[0] for row in store.load(small.repository.store).rows("SELECT name FROM releases")]
    with pytest.raises(UsageError) as caught:
        resolve(small.repository, names[0] + "0")
    assert names[0] in caught.value.hint


@pytest.fixture
def cycle() -> list[Release]:
    days = {"v3.0": 0, "v3.1-rc1": 14, "v3.1-rc2": 21, "v3.0.1": 22, "v3.1": 60}
    start = 1_311_300_000
    return [Release(name, "0" * 40, start + day * DAY, "tag") for name, day in days.items()]


@pytest.mark.parametrize(
    ("day", "window", "net_next"),
    [
        (1, State.OPEN, State.CLOSED),
        (13, State.OPEN, State.CLOSED),
        (15, State.CLOSED, State.OPEN),
        (23, State.CLOSED, State.OPEN),
        (61, State.OPEN, State.CLOSED),
        (-1, State.UNKNOWN, State.UNKNOWN),
        (120, State.UNKNOWN, State.UNKNOWN),
    ],
)
def test_net_next_is_closed_while_the_merge_window_is_open(
    cycle: list[Release], day: int, window: State, net_next: State
) -> None:
    seen = naming.window(cycle, cycle[0].time + day * DAY)
    assert (seen.merge_window, seen.net_next) == (window, net_next)
    assert (seen.predicted is not None) == (window is State.OPEN)


def test_before_2008_there_was_no_net_next() -> None:
    release = Release("v2.6.20", "0" * 40, 1_170_600_000, "tag")
    assert naming.window([release], release.time + DAY).net_next is State.NOT_YET


def test_the_makefile_names_its_release() -> None:
    makefile = b"VERSION = 3\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION = -rc1\nNAME = x\n"
    assert naming.makefile_version(makefile) == "v3.12-rc1"
    assert naming.makefile_version(makefile.replace(b"-rc1", b"")) == "v3.12"
    assert naming.makefile_version(b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 22\n") == "v2.6.22"
    assert naming.makefile_version(b"all:\n\tcc x.c\n") is None


def test_a_directory_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(store.NoIndex):
        store.load(tmp_path)


def test_a_day_means_its_end_and_a_time_itself(nettrees: History, kbisect: Run) -> None:
    tagged = git(nettrees.path, "for-each-ref", "--format=%(taggerdate:unix)", "refs/tags/v3.12")
    moment = datetime.fromtimestamp(int(tagged), UTC)
    before = (moment - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    seen = {}
    for at in (before, moment.strftime("%Y-%m-%d")):
        told = kbisect("-C", nettrees.path, "window", "--at", at, "--json").stdout
        seen[at] = json.loads(told)["merge_window"]
    assert list(seen.values()) == ["closed", "open"]

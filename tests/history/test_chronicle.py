# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of a subsystem; git and the named queries are the oracles."""

from __future__ import annotations

import pytest

from kbisect.errors import UsageError
from kbisect.history import chronicle, queries
from kbisect.history.store import Index
from tests.conftest import History, git


def test_a_path_has_the_commits_that_git_finds(nettrees: History, nettrees_index: Index) -> None:
    known = git(nettrees.path, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    tips = [name for name in known if not name.startswith("linux-")]
    limits = ("--no-merges", "--full-history", *tips, "--", "net/ipv4")
    found = git(nettrees.path, "rev-list", *limits).split()
    told = chronicle.write(nettrees_index, "net/ipv4")
    assert told.is_path
    assert told.commits == len(found) > 20
    assert sum(each.net + each.net_next + each.other for each in told.cycles) == told.commits


def test_the_subsystems_together_are_the_whole_history(nettrees_index: Index) -> None:
    asked = queries.ask(nettrees_index, queries.named()["subsystems"], {})
    expected: dict[str, dict[str, int]] = {}
    for release, subsystem, commits in asked.rows:
        expected.setdefault(subsystem, {})[release] = commits
    for subsystem in filter(None, expected):
        told = chronicle.write(nettrees_index, subsystem)
        released = {each.release: each.commits for each in told.cycles if each.release}
        assert released == expected[subsystem]


def test_cycles_stand_in_order_and_begin_where_asked(nettrees_index: Index) -> None:
    told = chronicle.write(nettrees_index, "net/ipv4", since="v3.12-rc2")
    assert [each.release for each in told.cycles] == ["v3.12", "v3.13", "v3.14", ""]


def test_a_fix_stands_with_its_culprit_and_the_days_between(
    nettrees: History, nettrees_index: Index
) -> None:
    told = chronicle.write(nettrees_index, "net/ipv4")
    fix, culprit = nettrees.marks[143], nettrees.marks[99]
    [mended] = [each for each in told.mended if each.oid == fix]
    assert mended.culprit == culprit
    assert mended.subject == git(nettrees.path, "log", "-1", "--format=%s", fix).strip()
    times = [int(git(nettrees.path, "log", "-1", "--format=%ct", oid)) for oid in (fix, culprit)]
    assert mended.days == (times[0] - times[1]) // 86400


def test_the_file_most_often_fixed_comes_first(nettrees: History, nettrees_index: Index) -> None:
    told = chronicle.write(nettrees_index, "net/ipv4")
    assert [each.fixing for each in told.files] == sorted(
        (each.fixing for each in told.files), reverse=True
    )
    assert all(each.path.startswith("net/ipv4/") for each in told.files)


def test_a_part_of_a_name_in_any_case_is_enough_if_only_one_has_it(nettrees_index: Index) -> None:
    assert chronicle.write(nettrees_index, "bluetooth").name.startswith("BLUETOOTH")


@pytest.mark.parametrize(
    ("name", "words"), [("networking", "can mean"), ("net/nowhere", "no subsystem or path")]
)
def test_a_name_that_nothing_or_too_much_has_is_refused(
    nettrees_index: Index, name: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        chronicle.write(nettrees_index, name)
    assert refused.value.hint

# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a list is taken unasked, what stands first in it, and what it says of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.backport.candidates import Survey, survey
from kbisect.backport.emission import mailbox
from kbisect.backport.fixes import Strength
from kbisect.backport.forecast import by_strength, forecasts
from kbisect.backport.marking import Marker
from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history import store
from kbisect.history.store import Index
from kbisect.report.backport import listing
from tests.backport.conftest import commit
from tests.conftest import git

STABLE = "Cc: stable@vger.kernel.org"


def surveyed(path: Path) -> tuple[Repository, Index, Survey]:
    """Look at what the branch `stable` misses of master."""
    repository = Repository.open(path)
    indexing.update(repository, trees={"mainline": "master"}, paths=["net"])
    index = store.load(repository.store)
    here, there = (git(path, "rev-parse", name).strip() for name in ("stable", "master"))
    return repository, index, survey(repository, index, here, there)


def begin(path: Path) -> str:
    return f'Fixes: {git(path, "rev-parse", "stable").strip()[:12]} ("net: begin")'


@pytest.mark.parametrize(
    ("file", "trailers", "strength"),
    [
        ("net/new/driver.c", "", Strength.WEAK),
        # The branch has it in another folder.
        ("net/moved/a.c", "", Strength.MEDIUM),
        # Who names what it mends is believed.
        ("net/new/driver.c", "begin", Strength.STRONG),
    ],
)
def test_a_notice_alone_for_a_file_that_never_was_here_is_weak(
    tree: Path, file: str, trailers: str, strength: Strength
) -> None:
    commit(tree, "net: a driver", {file: "int driver;\n"})
    said = f"{begin(tree)}\n{STABLE}" if trailers else STABLE
    fix = commit(tree, f"net: mend the driver\n\n{said}", {file: "int mended;\n"})
    _, _, found = surveyed(tree)
    assert {each.oid: each.strength for each in found.candidates} == {fix: strength}


def test_who_asked_for_stable_stands_before_who_did_not(tree: Path) -> None:
    silent = commit(tree, f"net: one\n\n{begin(tree)}", {"net/one.c": "int one;\n"})
    asking = commit(tree, f"net: two\n\n{begin(tree)}\n{STABLE}", {"net/two.c": "int two;\n"})
    tried = list(forecasts(*surveyed(tree)))
    assert [each.candidate.oid for each in tried] == [silent, asking]
    assert [each.candidate.oid for each in by_strength(tried)] == [asking, silent]


def test_a_mailbox_has_no_fix_of_what_it_leaves_out(tree: Path) -> None:
    commit(tree, "net: a feature", {"net/a.c": "int feature;\n"})
    hard = commit(tree, f"net: hard\n\n{begin(tree)}", {"net/a.c": "int hard;\n"})
    behind = f'Fixes: {hard[:12]} ("net: hard")'
    mend = commit(tree, f"net: mend it\n\n{behind}", {"net/b.c": "int b;\n"})
    both = commit(tree, f"net: mend both\n\n{behind}\n{begin(tree)}", {"net/c.c": "int c;\n"})
    repository, index, found = surveyed(tree)
    tried = list(forecasts(repository, index, found))
    box = mailbox(repository, found, tried, Marker.UPSTREAM, "PATCH", "Ada <ada@example.org>", {})
    assert box.left_out == (hard,)
    assert box.pointless == (mend,)
    assert box.patches == 1
    assert both.encode() in box.content


def test_a_list_ends_with_where_it_looked_and_how_much_it_did_not(tree: Path) -> None:
    for number in range(3):
        commit(tree, f"doc: {number}\n\n{STABLE}", {"NEWS": f"{number} new\n"})
    fix = commit(tree, f"net: fix\n\n{begin(tree)}", {"net/a.c": "int fixed;\n"})
    repository, index, found = surveyed(tree)
    text = listing(found, list(forecasts(repository, index, found)), str, ("stable", "master"))
    assert "of 1 upstream commits in net.\n" in text
    assert "3 that touch nothing there were not looked at, fixes among them.\n" in text
    assert fix[:12] in text

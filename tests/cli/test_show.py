# SPDX-License-Identifier: GPL-2.0-or-later
"""`show`, `window` and `index` in words: what is left out is said, and what to do next."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kbisect.history import releases as naming
from kbisect.history.releases import Release
from kbisect.report import history as report
from kbisect.report.terminal import Style
from tests.conftest import History, Run, git


@pytest.fixture
def wide(small: History) -> History:
    """A history whose last commits change the scope, both, nothing in scope, and nothing."""
    where = small.path
    for name, paths in (
        ("both", ("net/core/dev.c", "fs/one.c", "mm/two.c")),
        ("outside", ("fs/one.c",)),
        ("nothing", ()),
    ):
        for path in paths:
            (where / path).parent.mkdir(parents=True, exist_ok=True)
            (where / path).write_text(f"int {name};\n")
        git(where, "add", "--all")
        git(where, "commit", "--quiet", "--allow-empty", "--message", f"treewide: {name}")
    return small


def story(kbisect: Run, where: Path, rev: str) -> tuple[dict[str, Any], str]:
    done = kbisect("-C", where, "show", rev, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), kbisect("-C", where, "show", rev).stdout


def test_files_outside_the_scope_are_counted(wide: History, kbisect: Run) -> None:
    kbisect("-C", wide.path, "index")
    document, text = story(kbisect, wide.path, "HEAD~2")
    assert document["files"] == ["net/core/dev.c"]
    assert document["files_outside"] == ["fs/one.c", "mm/two.c"]
    assert text.endswith(f"files         net/core/dev.c\n{'':<14}and 2 files outside the scope\n")
    document, text = story(kbisect, wide.path, "HEAD~1")
    assert (document["files"], document["in_scope"]) == ([], False)
    assert text.endswith("files         1 file outside the scope\n")


def test_a_commit_that_changes_nothing_and_a_merge_are_told(wide: History, kbisect: Run) -> None:
    git(wide.path, "merge", "--quiet", "--no-ff", "--strategy=ours", "HEAD~1", "-m", "Merge it")
    git(wide.path, "checkout", "--quiet", "-b", "side", "HEAD~1")
    git(wide.path, "commit", "--quiet", "--allow-empty", "--message", "side: nothing")
    git(wide.path, "merge", "--quiet", "--no-ff", "HEAD~2", "--message", "Merge nothing")
    git(wide.path, "checkout", "--quiet", "-")
    git(wide.path, "merge", "--quiet", "--no-ff", "side", "--message", "Merge branch 'side'")
    kbisect("-C", wide.path, "index")
    document, _ = story(kbisect, wide.path, "side")
    assert (document["files"], document["files_outside"], document["merge"]) == ([], [], False)
    document, text = story(kbisect, wide.path, "HEAD")
    assert (document["subject"], document["merge"]) == ("Merge branch 'side'", True)
    assert "a merge: the index has what it brought" in text


def test_people_are_named_as_the_mailmap_has_them(small: History, kbisect: Run) -> None:
    (small.path / "net/new.c").write_text("int new;\n")
    (small.path / ".mailmap").write_text("Ada Lovelace <ada@example.org> <old@example.org>\n")
    git(small.path, "add", "net/new.c", ".mailmap")
    who = "--author=ada <old@example.org>"
    git(small.path, "commit", "--quiet", who, "--message", "net: something new")
    kbisect("-C", small.path, "index")
    document, text = story(kbisect, small.path, "HEAD")
    assert document["author"] == "Ada Lovelace <ada@example.org>"
    assert "\nAda Lovelace <ada@example.org>, " in text


def test_numbers_that_are_no_commits_are_no_mentions(small: History, kbisect: Run) -> None:
    message = (
        "net: fix an oops\n\nLR [c01b6bcc] phy_stop\nCall Trace: [ef82be50] [efb6bb60] down\n\n"
        "It came with commit fc477e160af0 of another tree.\n"
    )
    (small.path / "net/oops.c").write_text("int oops;\n")
    git(small.path, "add", "net/oops.c")
    git(small.path, "commit", "--quiet", "--message", message)
    kbisect("-C", small.path, "index")
    document, text = story(kbisect, small.path, "HEAD")
    said = [each["text"] for each in document["mentions"]]
    assert len(said) == 1
    assert "fc477e160af0" in said[0]
    assert "ef82be50" not in text


def test_an_index_without_trees_says_how_to_name_one(small: History, kbisect: Run) -> None:
    git(small.path, "branch", "--move", "net", "work")
    text = kbisect("-C", small.path, "index").stdout
    assert "--tree net=REF" in text
    assert re.search(r"mainline, net, net-next,[^:]* netfilter", text)
    assert max(map(len, text.splitlines())) <= 80
    assert (
        "net = refs/heads/work" in kbisect("-C", small.path, "index", "--tree", "net=work").stdout
    )
    assert "netfilter = " in kbisect("-C", small.path, "index", "--tree", "nf=work").stdout


def test_the_window_before_all_releases(nettrees: History, kbisect: Run) -> None:
    where = nettrees.path
    first = json.loads(kbisect("-C", where, "releases", "--json").stdout)["releases"][0]
    before = kbisect("-C", where, "window", "--at", "1999-12-31").stdout
    assert f"the releases known here begin on {first['time'][:10]}, after 1999-12-31" in before
    assert "too old" not in before


@pytest.mark.parametrize(
    ("days", "words"), [(13, "is to be expected about"), (16, "was to be expected about")]
)
def test_a_candidate_that_is_overdue(days: int, words: str) -> None:
    final = Release("v3.13", "0" * 40, 1_390_000_000, "tag")
    text = report.window(naming.window([final], final.time + days * 86400), Style(color=False))
    assert "Merge window open" in text
    assert words in text

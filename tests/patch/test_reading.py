# SPDX-License-Identifier: GPL-2.0-or-later
"""What a patch intends and risks: each fact against the fixture's caption or git."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.history.store import Index
from kbisect.patch import declarations, functions, loading, reading, series
from kbisect.patch.application import State
from kbisect.patch.diffs import parse
from kbisect.patch.functions import CallChange, Touched
from kbisect.patch.reading import Reading
from kbisect.report import patch_reading as report
from tests.conftest import History, git

THREAD = Path(__file__).parents[2] / "fixtures" / "mails" / "thread.mbox"


def read(history: History, index: Index | None, mark: int) -> Reading:
    repository = history.repository
    posted = loading.of_commits(repository, history.marks[mark])
    return reading.read(repository, posted, index, repository.resolve("master"))


def test_what_it_fixes_and_how_long_that_was_broken(
    nettrees: History, nettrees_index: Index
) -> None:
    [patch] = read(nettrees, nettrees_index, 42).patches
    [mended] = patch.fixes
    assert mended.subject == "acme: set the multicast filter"
    assert mended.release == "v3.12-rc1"
    began = int(git(nettrees.path, "log", "-1", "--format=%ct", str(mended.oid)))
    sent = int(git(nettrees.path, "log", "-1", "--format=%at", nettrees.marks[42]))
    assert mended.days == (sent - began) // 86400


def test_api_changes_are_those_of_the_caption(nettrees: History, nettrees_index: Index) -> None:
    expected = {
        10: ("field-renamed", "sk_buff.local_df"),
        61: ("callback-signature", "net_device_ops.ndo_tx_timeout"),
        62: ("function-renamed", "skb_pad"),
        64: ("condition-changed", "sk_buff.tc_index"),
        189: ("kind-changed", "skb_headlen"),
    }
    for mark, change in expected.items():
        found = read(nettrees, nettrees_index, mark)
        assert change in {(each.kind, each.name) for each in found.api}
        assert found.api_base == reading.ITS_BASE
    assert read(nettrees, nettrees_index, 42).api == ()


@pytest.mark.parametrize("mark", [42, 51, 62])
def test_earlier_fixes_of_a_file_are_counted_and_no_later_ones(
    nettrees: History, nettrees_index: Index, mark: int
) -> None:
    base = f"{nettrees.marks[mark]}^"
    seen = read(nettrees, nettrees_index, mark).history
    for file in seen:
        asked = ("log", "--no-merges", "--full-history", "--format=%H", base, "--", file.path)
        assert file.commits == len(git(nettrees.path, *asked).split())
        fixes = git(nettrees.path, *asked[:-2], "-i", "--grep=^Fixes:", *asked[-2:])
        assert file.fixes == len(fixes.split())
    assert seen


def test_the_subsystem_and_both_trees(nettrees: History, nettrees_index: Index) -> None:
    found = read(nettrees, nettrees_index, 62)
    assert [each.tree for each in found.trees] == [reading.ITS_BASE, "net", "net-next"]
    assert found.trees[0].forecasts[0].state is State.CLEAN
    assert {each.forecasts[0].state for each in found.trees[1:]} == {State.ALREADY}
    assert read(nettrees, nettrees_index, 42).subsystem == "ACME ETHERNET DRIVER"


def test_a_patch_that_is_there_already_has_the_api_changes_of_its_commit(
    nettrees: History, nettrees_index: Index
) -> None:
    repository = nettrees.repository
    oid = nettrees.marks[189]
    mail = git(nettrees.path, "format-patch", "--stdout", "-1", oid).encode()
    _, _, mail = mail.partition(b"\n")  # the list's mails don't say which commit it was
    posted = series.read(mail)
    found = reading.read(repository, posted, nettrees_index, repository.resolve("master"))
    assert found.api_base == declarations.CARRIERS
    of_the_commit = read(nettrees, nettrees_index, 189)
    assert [(e.kind, e.name) for e in found.api] == [(e.kind, e.name) for e in of_the_commit.api]
    assert found.api


def test_every_section_that_a_series_falls_in_is_named(
    nettrees: History, nettrees_index: Index
) -> None:
    found = read(nettrees, nettrees_index, 61)
    assert sum(count for _, count in found.subsystems) == len(found.series.paths)
    text = report.text(found, ["given"])
    assert all(title in text for title, _ in found.subsystems)
    assert len(found.subsystems) > 1


def test_patches_that_are_clean_take_one_line(nettrees: History) -> None:
    repository = nettrees.repository
    posted = series.read(THREAD.read_bytes())
    found = reading.read(repository, posted, None, repository.resolve("master"))
    text = report.text(found, ["given"])
    assert f"all {len(posted.patches)} patches" in text


def test_what_cannot_be_looked_at_is_said(nettrees: History) -> None:
    assert any("kbisect index" in what for what in read(nettrees, None, 42).blind)


DIFF = b"""\
--- a/net/core/a.c
+++ b/net/core/a.c
@@ -10,8 +10,11 @@ static int first(struct sk_buff *skb)
 \tint b;
-\tspin_lock(&l);
+\tspin_lock_bh(&l);
 \treturn b;
 }

 static void second(void)
 {
+\tdev_hold(dev); /* dev_put(dev) follows */
+\trtnl_lock();
 }
+EXPORT_SYMBOL_GPL(second);
--- a/include/net/a.h
+++ b/include/net/a.h
@@ -1,4 +1,6 @@
 struct a {
+\tint more;
 \tint b;
 };
-#define OLD_NAME 1
+#define NEW_NAME 1
+int third(void);
"""


def test_changes_belong_to_the_function_they_stand_in() -> None:
    assert functions.touched(parse(DIFF)) == (
        Touched("first", "net/core/a.c", 1, 1),
        Touched("second", "net/core/a.c", 2, 0),
        Touched("struct a", "include/net/a.h", 1, 0),
        Touched("OLD_NAME", "include/net/a.h", 0, 1),
        Touched("NEW_NAME", "include/net/a.h", 1, 0),
    )


def test_a_head_may_begin_with_what_it_returns_on_a_line_of_its_own() -> None:
    """Much of net/ is written so; commit 7e1dc7b6f709 (in v2.6.39) changes such functions."""
    diff = (
        b"--- a/a.c\n+++ b/a.c\n@@ -9,4 +9,6 @@ static int earlier(void)\n"
        b" static void\n-second(int a)\n+second(int a, int b)\n {\n+\ttwo();\n out:\n"
        b"+\tthree();\n"
        b"@@ -30,4 +31,6 @@ second(int a)\n \n+static int *\n third(int a)\n {\n+\tfour();\n }\n"
    )
    assert functions.touched(parse(diff)) == (
        Touched("second", "a.c", 3, 1),
        Touched("third", "a.c", 1, 0),
    )


@pytest.mark.parametrize(
    "head",
    [
        "static const struct net_device_ops acme_ops = {",
        "static struct net_device_ops acme_ops[] __read_mostly = {",
        "static const u8 acme_ops[ACME_MAX][2] =",
    ],
)
def test_a_table_is_no_change_of_its_type(head: str) -> None:
    diff = f"--- a/a.c\n+++ b/a.c\n@@ -9,3 +9,4 @@ {head}\n \t1,\n+\t2,\n \t3,\n }};\n"
    assert functions.touched(parse(diff.encode())) == (Touched("acme_ops", "a.c", 1, 0),)


def test_a_type_on_a_line_of_its_own_ends_the_function_before_it() -> None:
    """git's `@@` line names the last head before the hunk, which is of another function here."""
    diff = (
        "--- a/a.c\n+++ b/a.c\n@@ -20,10 +20,11 @@ static int acme_open(struct acme *a)\n"
        " static void\n __acme_fill(struct acme *a,\n \t    int n)\n {\n"
        "+\ta->n = n;\n \ta->m = n;\n out:\n-\ta->k = n;\n+\ta->k = 0;\n }\n \n enum {\n"
    )
    text = diff + "@@ -40,2 +41,3 @@ __acme_drop(struct acme *a)\n \tint i;\n+\tint j;\n \n"
    assert functions.touched(parse(text.encode())) == (
        Touched("__acme_fill", "a.c", 2, 1),
        Touched("__acme_drop", "a.c", 1, 0),
    )


def test_locks_and_references_are_counted_outside_comments() -> None:
    assert functions.calls(parse(DIFF)) == (
        CallChange("locking", "spin_lock", 0, 1),
        CallChange("locking", "spin_lock_bh", 1, 0),
        CallChange("locking", "rtnl_lock", 1, 0),
        CallChange("reference", "dev_hold", 1, 0),
    )


def test_exports_and_what_is_new() -> None:
    assert functions.exports(parse(DIFF)) == (("second",), ())
    assert functions.introduced(parse(DIFF)) == ("NEW_NAME",)


@pytest.mark.parametrize("mark", [42, 51, 62, 65])
def test_functions_are_those_that_git_names(nettrees: History, mark: int) -> None:
    """git log -L needs a name; each name that is found has that commit in its own history."""
    posted = loading.of_commits(nettrees.repository, nettrees.marks[mark])
    oid = nettrees.marks[mark]
    asked = 0
    for each in functions.touched(posted.patches[0].files):
        if not each.path.endswith(".c") or " " in each.name or each.name.isupper():
            continue
        log = git(
            nettrees.path, "log", "-s", "--format=%H", f"-L:{each.name}:{each.path}", "-1", oid
        )
        assert log.split() == [oid]
        asked += 1
    assert asked

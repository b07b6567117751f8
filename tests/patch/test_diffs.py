# SPDX-License-Identifier: GPL-2.0-or-later
"""Diffs: git's numbers are the oracle; damage is told, with its line."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kbisect.git import formatpatch
from kbisect.patch import diffs
from kbisect.patch.diffs import Action, DamagedPatch
from tests.conftest import History, git

DIFF = b"""\
diff --git a/net/a.c b/net/a.c
index 1111111..2222222 100644
--- a/net/a.c
+++ b/net/a.c
@@ -1,3 +1,3 @@ int a(void)
 one
-two
+TWO
 three
@@ -10,2 +10,3 @@
 ten
+and a half
 eleven
"""


def test_every_commit_of_the_fixture_has_the_numbers_that_git_says(nettrees: History) -> None:
    repository = nettrees.repository
    seen = 0
    for line in git(nettrees.path, "rev-list", "--no-merges", "master").split():
        files = diffs.parse(formatpatch.mails(repository, line))
        asked = ("diff-tree", "--root", "-r", "-M", "--numstat", "-z", "--no-commit-id", line)
        expected = _numstat(git(nettrees.path, *asked))
        assert {(f.path, f.added, f.removed) for f in files} == expected
        seen += len(files)
    assert seen > 200


def _numstat(text: str) -> set[tuple[str, int, int]]:
    tokens = iter(text.split("\0"))
    found = set()
    for token in tokens:
        if not token:
            continue
        added, removed, path = token.split("\t")
        if not path:  # a rename: the old and the new name follow
            next(tokens)
            path = next(tokens)
        found.add((path, int(added), int(removed)))
    return found


def test_hunks_have_their_lines_and_their_function() -> None:
    [file] = diffs.parse(DIFF)
    assert (file.path, file.old_blob, file.new_blob, file.mode) == (
        *("net/a.c", "1111111", "2222222"),
        "100644",
    )
    first, second = file.hunks
    assert (first.old_start, first.section, first.side(b"-")) == (1, "int a(void)", [b"two"])
    assert second.side(b"+") == [b"and a half"]


@pytest.mark.parametrize(
    ("text", "path", "action"),
    [
        (b"--- a/x\t2013-01-01\n+++ b/x\t2013-01-02\n@@ -1 +1 @@\n-a\n+b\n", "x", Action.MODIFIED),
        (b"--- /dev/null\n+++ b/n/x\n@@ -0,0 +1 @@\n+b\n", "n/x", Action.ADDED),
        (b"--- a/n/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-b\n", "n/x", Action.DELETED),
        (b"--- net-2.6.orig/net/x.c\n+++ net-2.6/net/x.c\n@@ -1 +1 @@\n-a\n+b\n", "net/x.c", None),
        (
            b"diff --git a/x y b/x z\nsimilarity index 100%\nrename from x y\nrename to x z\n",
            "x z",
            Action.RENAMED,
        ),
        (b'diff --git "a/\\303\\244" "b/\\303\\244"\nold mode 1\nnew mode 100755\n', "ä", None),
        (b"diff --git a/e b/e\nnew file mode 100644\nindex 0000000..e69de29\n", "e", Action.ADDED),
    ],
)
def test_headers_of_all_kinds(text: bytes, path: str, action: Action | None) -> None:
    [file] = diffs.parse(text)
    assert file.path == path
    assert action is None or file.action is action


def test_a_symbolic_link_shows_by_its_mode() -> None:
    text = (
        b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+../x\n"
    )
    [file] = diffs.parse(text + b"\\ No newline at end of file\n")
    assert (file.mode, file.added) == ("120000", 1)


def test_a_binary_file_says_whether_its_content_is_there() -> None:
    [with_data] = diffs.parse(b"diff --git a/x b/x\nGIT binary patch\nliteral 1\nIcmZQz00IC2\n\n")
    [without] = diffs.parse(b"diff --git a/x b/x\nBinary files a/x and b/x differ\n")
    assert (with_data.is_binary, with_data.has_data) == (True, True)
    assert (without.is_binary, without.has_data) == (True, False)


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (DIFF[:-20], "ends in the middle of a hunk|fewer lines"),
        (DIFF.replace(b"-10,2 +10,3", b"-10,2 +10,5"), "ends in the middle|fewer lines"),
        (DIFF.replace(b"-1,3 +1,3", b"-1,4 +1,4"), "fewer lines"),
        (DIFF.replace(b"-10,2 +10,3", b"-10,2 +10,2"), "counts|more lines"),
        (DIFF.replace(b"-1,3 +1,3", b"-1,2 +1,2"), "net/a.c"),
        (DIFF.replace(b"@@ -10,2 +10,3 @@", b"@@ -10,2 +zehn @@"), "can't be read"),
        (DIFF.replace(b" ten", b"ten"), "fewer lines"),
        (b"--- a/x\n+++ b/x\n", "no hunk"),
        (b"@@ -1 +1 @@\n-a\n+b\n", "without the file"),
        (DIFF.replace(b"b/net/a.c", b"b/../a.c"), "outside the tree"),
        (DIFF.replace(b"/net/a.c", b"//etc/a.c"), "outside the tree"),
        (DIFF.replace(b"/net/a.c", b"/.git/hooks/a"), "outside the tree"),
    ],
)
def test_damage_is_told_on_one_line(damaged: bytes, words: str) -> None:
    with pytest.raises(DamagedPatch, match=words) as caught:
        diffs.parse(damaged)
    assert "\n" not in caught.value.message


def test_what_git_apply_calls_corrupt_is_never_read(tmp_path: Path, nettrees: History) -> None:
    """Cut anywhere inside its hunks, a diff that git refuses to parse is refused here too."""
    chance = random.Random(7)
    whole = git(nettrees.path, "show", "--format=", nettrees.marks[42]).encode()
    start = whole.index(b"@@")
    for at in sorted(chance.sample(range(start + 40, len(whole) - 1), 25)):
        cut = whole[:at].rpartition(b"\n")[0] + b"\n"
        place = tmp_path / "cut.patch"
        place.write_bytes(cut)
        try:
            git(nettrees.path, "apply", "--numstat", str(place))
        except AssertionError:
            with pytest.raises(DamagedPatch):
                diffs.parse(cut)

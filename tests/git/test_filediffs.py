# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches taken apart by need say what those read hunk by hunk say."""

from __future__ import annotations

from pathlib import Path

from kbisect.git.filediffs import FileDiff, file_diffs
from kbisect.git.patches import of_commits
from kbisect.git.repository import Repository
from tests.conftest import History, git


def test_they_are_what_is_read_hunk_by_hunk(nettrees: History) -> None:
    oids = git(nettrees.path, "rev-list", "--all", "--no-merges").split()
    slow = [
        (
            *(patch.oid, file.path),
            [line for hunk in file.hunks for line in hunk.added],
            [line for hunk in file.hunks for line in hunk.removed],
            [(hunk.old_start, len(hunk.removed)) for hunk in file.hunks],
        )
        for patch in of_commits(nettrees.repository, oids)
        for file in patch.files
    ]
    found = file_diffs(nettrees.repository, oids)
    quick = [(each.oid, each.path, each.added(), each.removed(), each.spans()) for each in found]
    assert len(quick) > 100
    assert quick == slow


def test_lines_that_look_like_a_patch_are_lines(tmp_path: Path) -> None:
    sandbox = tmp_path / "tree"
    git(tmp_path, "init", "--quiet", str(sandbox))
    odd = b"-- a/x\n++ b/x\n@@ -1 +1 @@\ndiff --git a/x b/x\n\x01oid\ncr\r\nlast"
    (sandbox / 'odd "name"\t.c').write_bytes(odd)
    git(sandbox, "add", ".")
    git(sandbox, "commit", "--quiet", "-m", "odd")
    repository = Repository.open(sandbox, tmp_path / "store")
    [diff] = file_diffs(repository, [repository.resolve("HEAD")])
    assert diff.path == 'odd "name"\t.c'
    assert diff.added() == odd.split(b"\n")
    assert diff.removed() == []


def test_a_binary_file_has_no_lines() -> None:
    assert FileDiff("", "x", b"").spans() == []

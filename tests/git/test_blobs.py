# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of a commit, of the worktree and of a directory; patches of a range."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.errors import KbisectError
from kbisect.git import blobs, patches
from kbisect.git.repository import Repository
from tests.conftest import git


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "include" / "net").mkdir(parents=True)
    (tmp_path / "include" / "net" / "a.h").write_text("int a;\n")
    (tmp_path / "include" / "net" / "müll \t.h").write_text("int b;\n")
    (tmp_path / "README").write_text("no newline at the end")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return Repository.open(tmp_path)


def _commit(repository: Repository, subject: str) -> str:
    assert repository.workdir is not None
    git(repository.workdir, "add", "-A")
    git(repository.workdir, "commit", "--quiet", "-m", subject)
    return repository.resolve("HEAD")


def test_a_commit_and_the_worktree_name_the_same_blobs(repository: Repository) -> None:
    at = blobs.at_commit(repository, repository.resolve("HEAD"), ("include/net", "nowhere"))
    here = blobs.in_worktree(repository, ("include/net",))
    assert set(at.blobs) == {"include/net/a.h", "include/net/müll \t.h"}
    assert at.blobs == here.blobs
    assert dict(blobs.read(repository, at.blobs.values())) == here.loaded


def test_the_worktree_has_what_is_not_committed(repository: Repository) -> None:
    assert repository.workdir is not None
    (repository.workdir / "include" / "net" / "a.h").write_text("int aa;\n")
    (repository.workdir / "include" / "net" / "new.h").write_text("int n;\n")
    (repository.workdir / "include" / "net" / "müll \t.h").unlink()
    here = blobs.in_worktree(repository, ("include/net",))
    assert set(here.blobs) == {"include/net/a.h", "include/net/new.h"}
    assert b"int aa;\n" in here.loaded.values()
    assert here.blobs == blobs.in_directory(repository.workdir, ("include/net",)).blobs


def test_an_absent_blob_is_an_error_with_a_hint(repository: Repository) -> None:
    with pytest.raises(KbisectError) as error:
        list(blobs.read(repository, ["1" * 40]))
    assert error.value.hint


def test_a_bare_repository_has_no_worktree(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare")
    with pytest.raises(KbisectError, match="bare"):
        blobs.in_worktree(Repository.open(tmp_path))


def test_patches_come_oldest_first_whatever_the_content(repository: Repository) -> None:
    assert repository.workdir is not None
    old = repository.resolve("HEAD")
    path = repository.workdir / "include" / "net" / "a.h"
    # Lines that look like the frame around them.
    path.write_bytes(b"\x01deadbeef 1 x\ndiff --git a/x b/x\n--- a/x\n@@ -1 +1 @@\nint a;")
    one = _commit(repository, "two lines\n\nand a body")
    path.write_bytes(b"int a;\r\n")
    (repository.workdir / "include" / "net" / "müll \t.h").write_text("int c;\n")
    two = _commit(repository, "third")
    found = list(patches.patches(repository, old, two, ("include",)))
    assert [patch.oid for patch in found] == [one, two]
    assert found[0].subject == "two lines"
    (hunk,) = found[0].files[0].hunks
    assert hunk.removed == (b"int a;",)
    assert hunk.added[0] == b"\x01deadbeef 1 x"
    assert hunk.added[-1] == b"int a;"
    assert {file.path for file in found[1].files} == {
        "include/net/a.h",
        "include/net/müll \t.h",
    }
    assert found[1].files[0].hunks[0].added == (b"int a;\r",)


def test_users_taste_in_diffs_changes_nothing(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert repository.workdir is not None
    old = repository.resolve("HEAD")
    (repository.workdir / "include" / "net" / "a.h").write_text("int a;\nint b;\nint c;\n")
    new = _commit(repository, "more")
    plain = list(patches.patches(repository, old, new))
    taste = {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.interHunkContext": "9",
        "diff.algorithm": "patience",
        "color.ui": "always",
        "diff.orderFile": str(tmp_path / "nothing"),
        "log.decorate": "full",
        "log.showRoot": "false",
    }
    for key, value in taste.items():
        git(repository.workdir, "config", key, value)
    assert list(patches.patches(repository, old, new)) == plain

# SPDX-License-Identifier: GPL-2.0-or-later
"""Worktrees of our own: exact, untrusting, and without a trace in the user's repository."""

import os
import subprocess
from pathlib import Path

import pytest

from kbisect.git.repository import Repository
from kbisect.git.worktree import Scratch


def git(where: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(where), *arguments], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two commits, and a user whose git runs a filter and hooks."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "A")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.org")
    where = tmp_path / "user's repo"
    where.mkdir()
    git(where, "init", "-q", "-b", "master")
    (where / ".gitattributes").write_text("*.c filter=evil\n")
    (where / "a.c").write_text("one\n")
    (where / "same.c").write_text("same\n")
    git(where, "add", "-A")
    git(where, "commit", "-qm", "one")
    git(where, "tag", "v1")
    (where / "a.c").write_text("two\n")
    git(where, "commit", "-qam", "two")
    hooks = home / "hooks"
    hooks.mkdir()
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {home}/hooked\n")
    (hooks / "post-checkout").chmod(0o755)
    git(where, "config", "--global", "core.hooksPath", str(hooks))
    for key in ("smudge", "process"):
        git(where, "config", "--global", f"filter.evil.{key}", f"touch {home}/filtered; cat")
    git(where, "config", "--global", "filter.evil.required", "true")
    return where


def snapshot(where: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(where)): path.read_bytes()
        for path in where.rglob("*")
        if path.is_file() and "kbisect" not in path.parts
    }


def test_no_hook_no_filter_no_trace(user: Path) -> None:
    before = snapshot(user)
    repository = Repository.open(user)
    scratch = Scratch.prepare(repository)
    where = scratch.checkout("0", repository.resolve("v1"))
    assert (where / "a.c").read_text() == "one\n"
    assert git(where, "status", "--porcelain") == ""
    assert git(where, "rev-parse", "HEAD", "v1").split() == [repository.resolve("v1")] * 2
    home = Path(os.environ["HOME"])
    assert not (home / "hooked").exists()
    assert not (home / "filtered").exists()
    assert git(user, "worktree", "list").count("\n") == 0
    assert snapshot(user) == before


def test_checkout_is_exact_and_touches_only_what_differs(user: Path) -> None:
    repository = Repository.open(user)
    scratch = Scratch.prepare(repository)
    where = scratch.checkout("0", repository.resolve("v1"))
    time = (where / "same.c").stat().st_mtime_ns
    (where / "a.c").write_text("changed\n")
    (where / "left over").mkdir()
    (where / "left over" / "file").write_text("")
    (where / ".gitignore").write_text("*.o\n")
    (where / "a.o").write_text("")
    git(where / "left over", "init", "-q")
    assert scratch.checkout("0", repository.resolve("master")) == where
    assert (where / "a.c").read_text() == "two\n"
    assert sorted(path.name for path in where.iterdir()) == [
        ".git",
        ".gitattributes",
        "a.c",
        "same.c",
    ]
    assert (where / "same.c").stat().st_mtime_ns == time


def test_a_checkout_that_was_killed_is_made_anew(user: Path) -> None:
    repository = Repository.open(user)
    scratch = Scratch.prepare(repository)
    where = scratch.checkout("0", repository.resolve("v1"))
    lock = Path(git(where, "rev-parse", "--absolute-git-dir")) / "index.lock"
    lock.write_text("")
    assert (scratch.checkout("0", repository.resolve("master")) / "a.c").read_text() == "two\n"
    (where / ".git").unlink()
    assert (scratch.checkout("0", repository.resolve("v1")) / "a.c").read_text() == "one\n"


def test_it_waits_for_a_git_that_outlived_its_kbisect(user: Path, tmp_path: Path) -> None:
    repository = Repository.open(user)
    scratch = Scratch.prepare(repository)
    with scratch._alone("0") as lock:
        still_writing = subprocess.Popen(
            ["sh", "-c", f"sleep 0.5; touch '{tmp_path}/written'"], pass_fds=(lock,)
        )
    scratch.checkout("0", repository.resolve("v1"))
    assert (tmp_path / "written").exists()
    still_writing.wait()


def test_remove_leaves_nothing(user: Path) -> None:
    repository = Repository.open(user)
    scratch = Scratch.prepare(repository)
    where = scratch.checkout("0", repository.resolve("v1"))
    (where / "sealed").mkdir()
    (where / "sealed" / "file").write_text("")
    (where / "sealed").chmod(0o500)
    scratch.remove("0")
    assert not where.exists()
    assert not list((scratch.gitdir / "worktrees").glob("*"))
    scratch.remove("0")
    scratch.remove_all()
    assert not scratch.gitdir.exists()


def test_new_tags_are_seen(user: Path) -> None:
    repository = Repository.open(user)
    Scratch.prepare(repository)
    git(user, "tag", "-am", "annotated", "v2")
    scratch = Scratch.prepare(repository)
    where = scratch.checkout("0", repository.resolve("master"))
    assert git(where, "describe") == "v2"

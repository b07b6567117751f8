# SPDX-License-Identifier: GPL-2.0-or-later
"""Picks and reverts in memory say what `git cherry-pick` and `git revert` say."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from kbisect.errors import UsageError
from kbisect.git import renames
from kbisect.git.picks import Picker
from kbisect.git.repository import Repository
from tests.conftest import History, git


@pytest.fixture(autouse=True)
def _from_the_first_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing files are looked into here, however few they are."""
    monkeypatch.setattr(renames, "_FEW", 0)


def said_by_git(worktree: Path, command: str, oid: str, onto: str) -> tuple[str, ...] | str:
    """Return the conflicting paths, or the resulting tree object."""
    git(worktree, "reset", "--quiet", "--hard", onto)
    git(worktree, "clean", "--quiet", "-ffdx")
    done = subprocess.run(
        ["git", "-C", str(worktree), command, "--no-commit", oid], capture_output=True, check=False
    )
    if done.returncode == 0:
        return git(worktree, "write-tree").strip()
    named = git(worktree, "diff", "--name-only", "--diff-filter=U", "-z")
    git(worktree, "reset", "--quiet", "--hard")
    return tuple(sorted(set(named.split("\0")) - {""}))


def test_every_commit_of_a_history_picks_and_reverts_as_in_git(
    nettrees: History, tmp_path: Path
) -> None:
    worktree = tmp_path / "worktree"
    onto = git(nettrees.path, "rev-parse", "linux-3.12.y").strip()
    oids = git(nettrees.path, "rev-list", "--no-merges", "--all", f"^{onto}").split()
    oids = random.Random(7).sample(oids, 60)
    git(nettrees.path, "worktree", "add", "--quiet", "--detach", str(worktree), onto)
    try:
        picker = Picker(nettrees.repository)
        tree = picker.tree_of(onto)
        for oid in oids:
            found = picker.pick(oid, tree)
            assert said_by_git(worktree, "cherry-pick", oid, onto) == (
                found.tree or found.conflicts
            ), oid
        for oid in oids[:20]:
            found = picker.revert(oid, tree)
            assert said_by_git(worktree, "revert", oid, onto) == (found.tree or found.conflicts), (
                oid
            )
    finally:
        git(nettrees.path, "worktree", "remove", "--force", str(worktree))


LINES = "".join(f"line {number}\n" for number in range(30))


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """A repository with a file, a folder of three, a link and a script."""
    path = tmp_path / "sandbox"
    path.mkdir()
    git(path, "init", "--quiet")
    for name in ("one.c", "old/a.c", "old/b.c", "old/c.c"):
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(f"{name}\n{LINES}")
    (path / "run").write_text("#!/bin/sh\n")
    (path / "link").symlink_to("one.c")
    (path / "blob").write_bytes(bytes(range(256)))
    commit(path, "base")
    git(path, "branch", "base")
    return path


def commit(path: Path, subject: str) -> str:
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", subject)
    return git(path, "rev-parse", "HEAD").strip()


def change(path: Path, what: str) -> None:
    """Make one of the changes that merges see differently."""
    if what == "content":
        (path / "one.c").write_text(f"one.c\n{LINES}".replace("line 3\n", "line three\n"))
    elif what == "other content":
        (path / "one.c").write_text(f"one.c\n{LINES}".replace("line 3\n", "line 3!\n"))
    elif what == "moved folder":
        git(path, "mv", "old", "new")
    elif what == "moved file":
        git(path, "mv", "one.c", "uno.c")
    elif what == "new file in the folder":
        (path / "old" / "d.c").write_text("d\n")
    elif what == "file in the folder":
        (path / "old" / "a.c").write_text(f"old/a.c\n{LINES}more\n")
    elif what == "deleted":
        git(path, "rm", "--quiet", "one.c")
    elif what == "mode":
        (path / "run").chmod(0o755)
    elif what == "script":
        (path / "run").write_text("#!/bin/sh\ntrue\n")
    elif what == "link":
        (path / "link").unlink()
        (path / "link").symlink_to("old/a.c")
    elif what == "no link":
        (path / "link").unlink()
        (path / "link").write_text("one.c\n")
    elif what == "binary":
        (path / "blob").write_bytes(bytes(range(255, -1, -1)))
    elif what == "other binary":
        (path / "blob").write_bytes(bytes(300))
    elif what == "folder for a file":
        git(path, "rm", "--quiet", "one.c")
        (path / "one.c").mkdir()
        (path / "one.c" / "inside").write_text("x\n")
    elif what == "submodule":
        head = git(path, "rev-parse", "HEAD").strip()
        git(path, "update-index", "--add", "--cacheinfo", f"160000,{head},sub")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("content", "other content"),
        ("content", "content"),
        ("content", "moved file"),
        ("content", "deleted"),
        ("deleted", "content"),
        ("content", "folder for a file"),
        ("new file in the folder", "moved folder"),
        ("file in the folder", "moved folder"),
        ("moved folder", "new file in the folder"),
        ("moved file", "content"),
        ("mode", "script"),
        ("script", "mode"),
        ("link", "no link"),
        ("binary", "other binary"),
        ("submodule", "content"),
        ("content", "submodule"),
    ],
)
def test_what_merges_see_differently_is_left_to_git(
    sandbox: Path, tmp_path: Path, theirs: str, ours: str
) -> None:
    sides = []
    for what in (theirs, ours):
        git(sandbox, "checkout", "--quiet", "--force", "--detach", "base")
        git(sandbox, "clean", "--quiet", "-ffdx")
        change(sandbox, what)
        if what == "submodule":
            git(sandbox, "commit", "--quiet", "--message", what)
            sides.append(git(sandbox, "rev-parse", "HEAD").strip())
        else:
            sides.append(commit(sandbox, what))
    picker = Picker(Repository.open(sandbox, tmp_path / "store"))
    found = picker.pick(sides[0], picker.tree_of(sides[1]))
    git(sandbox, "checkout", "--quiet", "--force", "--detach", "base")
    said = said_by_git(sandbox, "cherry-pick", *sides)
    if isinstance(said, str):
        assert found.tree == said
    else:
        assert found.tree is None
        assert found.conflicts


def shuffled(dice: random.Random, path: Path) -> None:
    """Move, copy, edit and remove some files, as years do to a driver."""
    for file in sorted(file for file in path.rglob("*.c") if file.is_file()):
        text = file.read_text()
        for _ in range(dice.choice([0, 0, 3, 12])):
            at = dice.randrange(30)
            text = text.replace(f"line {at}\n", f"line {at}.{dice.randrange(9)}\n")
        target = path / dice.choice(["one", "two", "two/base"]) / dice.choice([file.name, "z.c"])
        what = dice.choice(["edit", "edit", "move", "move", "copy", "remove"])
        if what in ("move", "remove"):
            file.unlink()
        if what in ("move", "copy") and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        elif what == "edit":
            file.write_text(text)


@pytest.mark.parametrize("seed", [*range(12), 112, 211, 212])
def test_a_missing_file_is_found_where_git_finds_it(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    path = tmp_path / "sandbox"
    git(tmp_path, "init", "--quiet", str(path))
    for folder, name in ((folder, name) for folder in ("one", "two", "one/base") for name in "abc"):
        (path / folder).mkdir(exist_ok=True, parents=True)
        own = dice.choice(["", "driver\n" * dice.randrange(40)])
        (path / folder / f"{name}.c").write_text(f"{own}{LINES}{folder}\n")
    commit(path, "base")
    shuffled(dice, path)
    onto = commit(path, "the branch")
    git(path, "checkout", "--quiet", "--detach", "HEAD~")
    for file in dice.sample(sorted(path.rglob("*.c")), 3):
        file.write_text(file.read_text().replace("line 7\n", "line seven\n"))
    theirs = commit(path, "a fix")
    picker = Picker(Repository.open(path, tmp_path / "store"))
    tree = picker.tree_of(onto)
    found = picker.pick(theirs, tree)
    said = said_by_git(path, "cherry-pick", theirs, onto)
    assert said == (found.tree or found.conflicts)


def test_a_merge_cannot_be_picked(nettrees: History) -> None:
    merge = git(nettrees.path, "rev-list", "--merges", "-1", "master").strip()
    picker = Picker(nettrees.repository)
    with pytest.raises(UsageError, match="is a merge"):
        picker.pick(merge, picker.tree_of(merge))


def test_a_root_commit_can_be_picked(nettrees: History) -> None:
    root = git(nettrees.path, "rev-list", "--max-parents=0", "master").split()[0]
    picker = Picker(nettrees.repository)
    assert picker.pick(root, picker.tree_of(root)).empty

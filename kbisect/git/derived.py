# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits made of others in the scratch repository: one taken back, one picked on top.

They are made in memory, and the same on every machine: author and time come from the commit they
stand on. The user's repository gets no object.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kbisect.git import process
from kbisect.git.process import GitFailed
from kbisect.git.worktree import Scratch

if TYPE_CHECKING:
    import pygit2


@dataclass(frozen=True, slots=True)
class Derived:
    """What came of it: the new commit, or the paths that conflict.

    Attributes
    ----------
    oid : None after a conflict
    empty : nothing changed, so it is the commit it was to stand on
    """

    oid: str | None
    conflicts: tuple[str, ...] = ()
    empty: bool = False


def without(scratch: Scratch, culprit: str, onto: str) -> Derived:
    """Take a commit back on top of another; of a merge, everything that it brought."""
    import pygit2

    repo = pygit2.Repository(str(scratch.gitdir))
    commit = repo[culprit].peel(pygit2.Commit)
    return _merged(repo, onto, commit.tree, _parent(repo, commit), f"Revert {culprit[:12]}")


def picked(scratch: Scratch, oid: str, onto: str) -> Derived:
    """Put a commit's change, of a merge everything that it brought, on top of another."""
    import pygit2

    repo = pygit2.Repository(str(scratch.gitdir))
    commit = repo[oid].peel(pygit2.Commit)
    return _merged(repo, onto, _parent(repo, commit), commit.tree, f"Pick {oid[:12]}")


def apply_patch(worktree: Path, patch: bytes) -> str | None:
    """Apply a patch to the files of a worktree; the next checkout takes it back.

    Returns
    -------
    why it doesn't apply, None if it does or its effect is there already
    """
    try:
        process.run(worktree, "apply", "--whitespace=nowarn", "-", stdin=patch)
    except GitFailed as failed:
        reverse = ("apply", "--reverse", "--check", "--whitespace=nowarn", "-")
        done = process.run(worktree, *reverse, stdin=patch, codes=(0, 1, 128))
        return None if done.returncode == 0 else failed.stderr
    return None


def _parent(repo: pygit2.Repository, commit: pygit2.Commit) -> pygit2.Tree:
    import pygit2

    if commit.parents:
        return commit.parents[0].tree
    return repo[repo.TreeBuilder().write()].peel(pygit2.Tree)


def _merged(
    repo: pygit2.Repository, onto: str, ancestor: pygit2.Tree, theirs: pygit2.Tree, what: str
) -> Derived:
    import pygit2

    base = repo[onto].peel(pygit2.Commit)
    index = repo.merge_trees(ancestor, base.tree, theirs)
    if index.conflicts is not None:
        paths = {side.path for entry in index.conflicts for side in entry if side is not None}
        return Derived(None, tuple(sorted(paths)))
    tree = index.write_tree(repo)
    if tree == base.tree.id:
        return Derived(onto, empty=True)
    by = pygit2.Signature("kbisect", "kbisect@localhost", base.commit_time, 0)
    return Derived(str(repo.create_commit(None, by, by, f"{what}\n", tree, [base.id])))

# SPDX-License-Identifier: GPL-2.0-or-later
"""Cherry-picks in memory: would this commit apply there? The user's checkout is not touched.

A pick is a three-way merge of tree objects: from the commit's parent to the commit, onto a tree.
What it writes goes to the scratch repository, which borrows the user's objects.
"""

from __future__ import annotations

from dataclasses import dataclass

from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.git.worktree import Scratch


@dataclass(frozen=True, slots=True)
class Pick:
    """What came of one pick.

    Attributes
    ----------
    tree : oid of the resulting tree object, None after a conflict
    conflicts : paths that conflict, sorted
    empty : the pick changes nothing: its effect is there already
    """

    tree: str | None
    conflicts: tuple[str, ...]
    empty: bool

    @property
    def clean(self) -> bool:
        """Whether it applies; which is not to say that it is right."""
        return self.tree is not None


class Picker:
    """Picks commits of one repository onto tree objects."""

    def __init__(self, repository: Repository) -> None:
        import pygit2

        self._repo = pygit2.Repository(str(Scratch.prepare(repository).gitdir))
        self._merged: dict[tuple[str, str], Pick] = {}

    def tree_of(self, oid: str) -> str:
        """Return the tree object of a commit."""
        import pygit2

        return str(self._repo[oid].peel(pygit2.Tree).id)

    def pick(self, oid: str, onto: str) -> Pick:
        """Pick a commit onto a tree object.

        Raises
        ------
        UsageError
            The commit is a merge: which of its sides to pick can't be told.
        """
        known = self._merged.get((oid, onto))
        if known is None:
            known = self._merged[oid, onto] = self._pick(oid, onto)
        return known

    def _pick(self, oid: str, onto: str) -> Pick:
        import pygit2

        commit = self._repo[oid].peel(pygit2.Commit)
        if len(commit.parents) > 1:
            raise UsageError(f"{oid[:12]} is a merge", hint="name the commits that it brought")
        if commit.parents:
            ancestor = commit.parents[0].tree
        else:
            empty = self._repo[self._repo.TreeBuilder().write()]
            ancestor = empty.peel(pygit2.Tree)
        ours = self._repo[onto].peel(pygit2.Tree)
        index = self._repo.merge_trees(ancestor, ours, commit.tree)
        if index.conflicts is not None:
            paths = {side.path for entry in index.conflicts for side in entry if side is not None}
            return Pick(None, tuple(sorted(paths)), empty=False)
        tree = str(index.write_tree(self._repo))
        return Pick(tree, (), empty=tree == onto)

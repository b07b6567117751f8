# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commits need which fix-ups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.history.names import resolve
from kbisect.lab.recipe import Fixup


class Fixups:
    """The fix-ups of a recipe, their ranges resolved in a repository.

    Raises
    ------
    UsageError
        A revision that the recipe names is not known here.
    """

    def __init__(self, repository: Repository, wanted: Sequence[Fixup]) -> None:
        self.repository = repository
        self.wanted = tuple(self._resolved(fixup) for fixup in wanted)

    def of(self, oid: str) -> tuple[Fixup, ...]:
        """Return those that a commit needs, in the recipe's order."""
        return tuple(fixup for fixup in self.wanted if self._needs(oid, fixup))

    def _needs(self, oid: str, fixup: Fixup) -> bool:
        contains = self.repository.is_ancestor
        if fixup.since is not None and not contains(fixup.since, oid):
            return False
        if fixup.until is not None and contains(fixup.until, oid):
            return False
        # One that is in the commit already has nothing to repair there.
        return fixup.commit is None or not contains(fixup.commit, oid)

    def _resolved(self, fixup: Fixup) -> Fixup:
        def name(revision: str | None) -> str | None:
            if revision is None:
                return None
            try:
                return resolve(self.repository, revision)
            except UsageError as error:
                raise UsageError(f"a fix-up: {error.message}", hint=error.hint) from None

        return replace(
            fixup, commit=name(fixup.commit), since=name(fixup.since), until=name(fixup.until)
        )

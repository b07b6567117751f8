# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a commit is that a tree hasn't: the release that has it first, a tree, a branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kbisect.git.repository import Repository
from kbisect.history.store import Index
from kbisect.patch.series import Series
from kbisect.patch.target import tips


@dataclass(frozen=True, slots=True)
class Base:
    """The commit that a series stands on.

    Attributes
    ----------
    oid : of the commit
    name : as the user gave it, or its first 12 digits
    """

    oid: str
    name: str


def base_of(repository: Repository, series: Series) -> Base | None:
    """Return the commit that a series was made on, where it says so and the commit is here."""
    oid = repository.find(series.base) if series.base else None
    return Base(oid, oid[:12]) if oid else None


class Whereabouts:
    """Tells what a base lacks, and where that is instead.

    Parameters
    ----------
    repository : Repository
    base : what has to have it; None where nobody said, then nothing is lacking
    index : None where there is none; then no release is named
    known : `target.tips`, where the caller has them
    """

    def __init__(
        self,
        repository: Repository,
        base: Base | None,
        index: Index | None = None,
        known: Mapping[str, str] | None = None,
    ) -> None:
        self._repository = repository
        self._base = base
        self._index = index
        self._known = known

    def lacking(self, oid: str, series: Series) -> str | None:
        """Say that the base hasn't a commit, and where it is; None where all is well.

        A patch of the series itself counts as there: the ones behind it stand on it.

        Parameters
        ----------
        oid : full oid of a commit of this repository
        """
        base = self._base
        own = {patch.mail.commit for patch in series.patches}
        if base is None or oid in own or self._repository.is_ancestor(oid, base.oid):
            return None
        return f"not in {base.name}: {self._place(oid)}"

    def _place(self, oid: str) -> str:
        number = self._index.oids.number(oid) if self._index else None
        if self._index and number is not None and (first := self._index.release_of(number)):
            return f"it came with {first}"
        known = tips(self._repository) if self._known is None else self._known
        for tree, tip in known.items():
            if self._repository.is_ancestor(oid, tip):
                return f"it is in {tree}"
        refs = self._repository.refs(oid)
        return f"it is in {refs[0].name.split('/', 2)[2]}" if refs else "no branch here has it"

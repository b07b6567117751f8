# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commits of a history carry a patch already, whatever became of its lines since.

A commit carries it that has its subject and changes one of its files, or that its mail was made
from. All messages since it was sent are read: to walk the commits of its files takes git longer.
"""

from __future__ import annotations

from functools import cached_property

from kbisect.errors import KbisectError
from kbisect.git import commits
from kbisect.git.repository import Repository
from kbisect.patch.series import Patch, Series
from kbisect.patch.standing import Standing

_DAY = 86400
_TWO_YEARS = 2 * 365 * _DAY
_SHORT = 12


class Carriers:
    """The commits that carry patches of a series, looked for when first asked.

    Parameters
    ----------
    onto : full oid of the commit whose history is searched
    """

    def __init__(self, repository: Repository, series: Series, onto: str) -> None:
        self._repository = repository
        self._patches = series.patches
        self._onto = onto

    def of(self, patch: Patch) -> str | None:
        """Return the newest commit that carries a patch and wasn't reverted."""
        paths = set(patch.paths)
        alike = [
            each.oid
            for each in commits.records(self._repository, self._named, (), paths.__contains__)
            if each.subject == patch.title or each.oid == patch.mail.commit
        ]
        if not alike:
            return None
        short = [oid[:_SHORT] for oid in alike]
        reverts = commits.naming(self._repository, short, f"{alike[0]}..{self._onto}")
        both = dict.fromkeys([*self._named, *reverts])
        texts = {each.oid: each.message for each in commits.records(self._repository, both, ())}
        return next(filter(Standing(texts).stands, reversed(alike)), None)

    @cached_property
    def _named(self) -> list[str]:
        """The commits whose message has a patch's title, oldest first, and those patches are."""
        newest = self._repository.commit(self._onto).commit_time
        sent = [each.sent - _DAY for each in self._patches if each.sent]
        titles = [each.title for each in self._patches if each.title]
        since = min([newest - _TWO_YEARS, *sent])
        named = commits.naming(self._repository, titles, f"--since={since}", self._onto)
        own = [each.mail.commit for each in self._patches if self._holds(each.mail.commit)]
        return list(dict.fromkeys([*(oid for oid in own if oid not in named), *named]))

    def _holds(self, oid: str) -> bool:
        try:
            known = bool(oid) and self._repository.find(oid) is not None
        except KbisectError:  # of a tree that this clone doesn't have
            return False
        return known and self._repository.is_ancestor(oid, self._onto)

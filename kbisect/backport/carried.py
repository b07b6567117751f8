# SPDX-License-Identifier: GPL-2.0-or-later
"""What a branch has of upstream: by ancestry, in another form, taken back, passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kbisect.git.patchprints import prints
from kbisect.git.repository import Repository
from kbisect.history import identity
from kbisect.history.graph import Mask
from kbisect.history.identity import Fact, Match, Removal
from kbisect.history.messages import LinkKind, plain_subject
from kbisect.history.store import Index

_LATER = 10
"""Later fixes that a branch has taken when one is said to have been passed over."""


@dataclass(frozen=True, slots=True)
class Said:
    """One statement of a commit about another (a row of `links`), with its target resolved."""

    kind: LinkKind
    form: str
    text: str
    target: str | None
    how: str | None
    note: str | None


Sayings = Mapping[str, Sequence[Said]]


@dataclass(slots=True)
class Carried:
    """What the branch has, and will have with the candidates so far.

    Attributes
    ----------
    contains : bool[N], its own ancestry
    matches : upstream oid → Match, its ancestry's other forms
    removals : upstream oid → Removal, what it took and took back
    coming : candidates so far
    """

    contains: Mask
    index: Index
    said: Sayings
    matches: dict[str, Match]
    removals: dict[str, Removal]
    undone: Mapping[str, str]
    coming: set[str] = field(default_factory=set)
    newest: int = -1

    def has(self, oid: str) -> bool:
        """Whether it has a commit now, or will with the candidates so far."""
        if oid in self.removals:
            return False
        number = self.index.oids.number(oid)
        inside = number is not None and bool(self.contains[number])
        return inside or oid in self.matches or oid in self.coming

    def mended(self, oid: str, seen: frozenset[str] = frozenset()) -> str | None:
        """Return the commit that a fix of `oid` mends here, None if there is nothing to mend.

        A fix of a fix that was reverted, upstream or here, does that one's work over again: it
        mends what that one mended.
        """
        if self.has(oid):
            return oid
        if (oid not in self.undone and oid not in self.removals) or oid in seen:
            return None
        deeper = (
            self.mended(link.target, seen | {oid})
            for link in self.said.get(oid, ())
            if link.kind is LinkKind.FIXES and link.target
        )
        return next((found for found in deeper if found), None)

    def passed_over(self, number: int) -> bool:
        """Whether the branch has taken many commits that are newer upstream than this one."""
        return number < self.newest


def sayings(index: Index) -> dict[str, list[Said]]:
    """Return what every commit in scope says of others."""
    found: dict[str, list[Said]] = {}
    for oid, kind, form, text, target, how, note in index.rows(
        "SELECT oid, kind, form, text, target, how, subject FROM links"
    ):
        found.setdefault(oid, []).append(Said(LinkKind(kind), form, text, target, how, note))
    return found


def facts(index: Index, where: Mask, files: Mapping[str, Sequence[str]]) -> list[Fact]:
    """Return the commits in scope at the marked places, oldest first.

    Parameters
    ----------
    files : oid → paths in scope
    """
    rows = index.rows("SELECT number, oid, subject, author_email, author_time FROM commits")
    numbers = np.array([row[0] for row in rows], np.int64)
    picked = sorted(rows[at] for at in np.flatnonzero(where[numbers]))
    return [
        Fact(oid, plain_subject(subject), mail, time, _names(files.get(oid, ())))
        for _, oid, subject, mail, time in picked
    ]


def _names(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({path.rsplit("/", 1)[-1] for path in paths}))


def carried(
    repository: Repository,
    index: Index,
    said: Sayings,
    here: Mask,
    own: Sequence[Fact],
    ahead: Sequence[Fact],
) -> Carried:
    """Find what a branch has of upstream.

    Parameters
    ----------
    here : bool[N], what the branch contains
    own, ahead : commits that only the branch, only upstream has; oldest first
    """
    markers = {
        fact.oid: [
            (link.target, link.form)
            for link in said.get(fact.oid, ())
            if link.kind is LinkKind.UPSTREAM and link.target
        ]
        for fact in own
    }
    matches = identity.match(own, ahead, markers, lambda oids: prints(repository, oids))
    reverting = {LinkKind.REVERTS, LinkKind.REAPPLIES}
    reverts = {
        fact.oid: [
            (link.kind is LinkKind.REAPPLIES, link.target)
            for link in said.get(fact.oid, ())
            if link.kind in reverting and link.target
        ]
        for fact in own
    }
    removals = identity.removals(own, reverts, matches)
    # What upstream's own reverts take back: a branch that reverts the same has them in effect.
    taken_back = {
        link.target: fact.oid
        for fact in ahead
        for link in said.get(fact.oid, ())
        if link.kind is LinkKind.REVERTS and link.target
    }
    for oid, gone in removals.items():
        upstream = taken_back.get(oid)
        if upstream:
            evidence = f"the branch reverts the same: {oid[:12]}"
            matches.setdefault(upstream, Match(upstream, gone.by, evidence))
        matches.pop(oid, None)
    numbers = sorted(number for oid in matches if (number := index.oids.number(oid)) is not None)
    newest = numbers[-_LATER] if len(numbers) >= _LATER else -1
    undone = _undone(said, {fact.oid for fact in ahead})
    return Carried(here, index, said, matches, removals, undone, newest=newest)


def _undone(said: Sayings, ahead: set[str]) -> dict[str, str]:
    """Return upstream's commits that upstream reverted, and by which commit, as it stands now."""
    reverted: dict[str, str] = {}
    # A revert that was itself reverted, or re-applied over, takes nothing back.
    for oid in ahead:
        for link in said.get(oid, ()):
            if link.kind is LinkKind.REVERTS and link.target:
                reverted[link.target] = oid
    return {target: by for target, by in reverted.items() if by not in reverted}

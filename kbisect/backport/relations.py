# SPDX-License-Identifier: GPL-2.0-or-later
"""Candidates among themselves: what mends what, what was posted together, what was passed over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from kbisect.backport.carried import Carried
from kbisect.backport.fixes import Candidate, Strength
from kbisect.backport.postings import posted_before
from kbisect.history.graph import Mask
from kbisect.history.store import Index

_LEFT_OUT = 0.25
"""Fixes left out for each one taken, up to which a branch is said to take nearly every fix."""


def passed_over(candidates: Sequence[Candidate], has: Carried) -> list[Candidate]:
    """Doubt what a branch that takes nearly every fix left out when it took later ones."""
    number = has.index.number
    left = {each.oid for each in candidates if has.passed_over(number(each.oid))}
    taken = sum(has.passed_over(number(oid)) for oid in has.matches if has.index.oids.number(oid))
    if len(left) > _LEFT_OUT * taken:
        return list(candidates)
    why = "passed over: the branch has taken many later fixes"
    return [
        replace(each, strength=Strength.WEAK, doubt=each.doubt or why)
        if each.oid in left and not each.wished
        else each
        for each in candidates
    ]


def strangers(
    candidates: Sequence[Candidate], names: Callable[[], frozenset[str]]
) -> list[Candidate]:
    """Doubt what only asks for stable, where the branch has none of its files.

    Who names no culprit may mend what came after the branch; a file that isn't there says so.

    Parameters
    ----------
    names : of the branch's files, without folders; asked only where it matters
    """
    why = "none of its files is on the branch, and it doesn't name what it mends"
    return [
        replace(each, strength=Strength.WEAK, doubt=each.doubt or why)
        if not each.targets and not each.wished and names().isdisjoint(map(_name, each.files))
        else each
        for each in candidates
    ]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def with_coming(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Say which of a candidate's targets only come with it, and doubt it where none is to come."""
    found: dict[str, Candidate] = {}
    # In upstream's order: whoever is mended comes first.
    for candidate in candidates:
        coming = tuple(dict.fromkeys(oid for oid in candidate.targets if oid in found))
        weak = [oid[:12] for oid in coming if found[oid].strength is Strength.WEAK]
        strength, doubt = candidate.strength, candidate.doubt
        if weak and len(weak) == len(set(candidate.targets)) and not candidate.wished:
            strength = Strength.WEAK
            doubt = doubt or f"mends what isn't to be taken: {', '.join(weak)}"
        found[candidate.oid] = replace(candidate, coming=coming, strength=strength, doubt=doubt)
    return list(found.values())


def with_postings(candidates: Sequence[Candidate], index: Index, missing: Mask) -> list[Candidate]:
    """Add to each candidate what was posted before it and is torn from it."""
    before = posted_before(index)
    coming = {each.oid for each in candidates}
    torn = {
        each.oid: tuple(
            oid
            for oid in before.get(each.oid, ())
            if oid not in coming and missing[index.number(oid)]
        )
        for each in candidates
    }
    return [
        replace(each, posting=torn[each.oid]) if torn[each.oid] else each for each in candidates
    ]


def with_followups(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Add to each candidate those that mend it."""
    later: dict[str, list[str]] = {}
    for candidate in candidates:
        for target in dict.fromkeys(candidate.targets):
            later.setdefault(target, []).append(candidate.oid)
    return tuple(
        replace(candidate, followups=tuple(later.get(candidate.oid, ())))
        for candidate in candidates
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits that the index says repair what may have broken builds: fix-ups worth a try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kbisect.bisect.state import State
from kbisect.bisect.verdict import Role, Verdict
from kbisect.bisect.view import Range, search
from kbisect.git.repository import Repository
from kbisect.history import store

_MOST = 3
"""So many are offered."""
_QUERY = """
SELECT l.target, f.oid FROM links l JOIN commits f ON f.oid = l.oid
WHERE l.target IN (SELECT unnest(?)) AND l.kind IN ('fixes', 'blames', 'reverts')
GROUP BY l.target, f.oid, f.commit_time ORDER BY f.commit_time, f.oid
"""


@dataclass(frozen=True, slots=True)
class Repair:
    """A commit that repairs one which may have broken what can't be tested.

    Attributes
    ----------
    oid : the repair; none of `lost` contains it
    breaker : what it names in Fixes or in prose, or reverts
    lost : the commits that couldn't be tested, and contain the breaker
    chance : the probability that it broke them, if one commit did
    """

    oid: str
    breaker: str
    lost: tuple[str, ...]
    chance: float


def look(repository: Repository, state: State, searched: Range) -> tuple[Repair, ...]:
    """Look for repairs of what couldn't be tested, those of the likeliest breaker first."""
    lost = dict.fromkeys(
        run.oid for run in state.of(Role.SEARCH) if run.verdict is Verdict.SKIP and not run.reverted
    )
    if not lost:
        return ()
    found = search(state, searched)
    chances: dict[str, float] = {}
    blocks: dict[str, list[str]] = {}
    for oid in lost:
        position = searched.position(oid)
        for breaker, chance in found.breakers(position) if position is not None else ():
            (name,) = searched.named([breaker])
            chances[name] = max(chance, chances.get(name, 0.0))
            blocks.setdefault(name, []).append(oid)
    repairs = [
        Repair(repair, breaker, still, chances[breaker])
        for breaker, repair in _known(repository, list(chances))
        if (still := _without(repository, repair, blocks[breaker]))
    ]
    return tuple(sorted(repairs, key=lambda each: -each.chance)[:_MOST])


def _without(repository: Repository, repair: str, lost: Sequence[str]) -> tuple[str, ...]:
    """Return those that don't contain a repair: the others can't be tested in spite of it."""
    return tuple(oid for oid in lost if not repository.is_ancestor(repair, oid))


def _known(repository: Repository, breakers: Sequence[str]) -> list[tuple[str, str]]:
    """Return what the index knows to repair these: (breaker, repair), oldest repair first."""
    try:
        index = store.load(repository.store)
    except (store.NoIndex, store.IndexDamaged):
        return []
    return [(broken, repair) for broken, repair in index.rows(_QUERY, [list(breakers)])]

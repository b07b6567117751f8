# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a candidate apply, alone or after what it needs? Proved by replay, in memory.

A conflict removes no candidate, and a clean pick proves nothing about the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kbisect.backport.candidates import Candidate, Survey
from kbisect.git.picks import Pick, Picker
from kbisect.git.repository import Repository
from kbisect.history.store import Index

# More than this many unmerged changes of one file are a backport by hand, not a list of picks.
_MOST_BLOCKERS = 12


class State(StrEnum):
    """What happens when a candidate is picked onto the branch."""

    CLEAN = "clean"
    CLEAN_AFTER = "clean-after"
    CONFLICT = "conflict"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Forecast:
    """A candidate on the branch.

    Attributes
    ----------
    state : State; `clean-after` needs only candidates, or what its message names
    prerequisites : oids, in order; for a conflict, those after which a replay was clean
    conflicts : paths that conflict when it is picked alone
    blockers : upstream commits the branch lacks that changed those paths before it, newest first
    """

    candidate: Candidate
    state: State
    prerequisites: tuple[str, ...]
    conflicts: tuple[str, ...]
    blockers: tuple[str, ...]


def forecasts(repository: Repository, index: Index, surveyed: Survey) -> Iterator[Forecast]:
    """Try each candidate of a survey, in upstream's order."""
    picker = Picker(repository)
    branch = picker.tree_of(surveyed.branch)
    earlier: list[Candidate] = []
    for candidate in surveyed.candidates:
        yield _one(picker, index, surveyed, branch, candidate, earlier)
        earlier.append(candidate)


def _one(
    picker: Picker,
    index: Index,
    surveyed: Survey,
    branch: str,
    candidate: Candidate,
    earlier: Sequence[Candidate],
) -> Forecast:
    alone = picker.pick(candidate.oid, branch)
    if alone.clean:
        state = State.EMPTY if alone.empty else State.CLEAN
        return Forecast(candidate, state, candidate.named, (), ())
    touching = [
        other.oid for other in earlier if set(other.files) & {*alone.conflicts, *candidate.files}
    ]
    order = index.oids.number
    wanted = sorted({*candidate.named, *touching}, key=lambda oid: order(oid) or 0)
    if wanted and _replay(picker, branch, [*wanted, candidate.oid]).clean:
        needed = _fewest(picker, branch, wanted, candidate.oid)
        return Forecast(candidate, State.CLEAN_AFTER, needed, alone.conflicts, ())
    blockers = _blockers(index, surveyed, candidate, alone.conflicts)
    prerequisites: tuple[str, ...] = ()
    if 0 < len(blockers) <= _MOST_BLOCKERS:
        wanted = sorted({*blockers, *candidate.named}, key=lambda oid: order(oid) or 0)
        if _replay(picker, branch, [*wanted, candidate.oid]).clean:
            prerequisites = _fewest(picker, branch, wanted, candidate.oid)
    return Forecast(candidate, State.CONFLICT, prerequisites, alone.conflicts, blockers)


def _replay(picker: Picker, tree: str, oids: Sequence[str]) -> Pick:
    """Pick several commits one after another; the first conflict ends it."""
    done = Pick(tree, (), empty=False)
    for oid in oids:
        done = picker.pick(oid, done.tree or tree)
        if not done.clean:
            break
    return done


def _fewest(picker: Picker, tree: str, wanted: Sequence[str], oid: str) -> tuple[str, ...]:
    """Leave out, one at a time, what the pick doesn't need."""
    needed = list(wanted)
    for one in list(wanted):
        fewer = [other for other in needed if other != one]
        if _replay(picker, tree, [*fewer, oid]).clean:
            needed = fewer
    return tuple(needed)


def _blockers(
    index: Index, surveyed: Survey, candidate: Candidate, conflicts: Sequence[str]
) -> tuple[str, ...]:
    paths = sorted({*conflicts} | (set(candidate.files) & set(conflicts)))
    if not paths:
        return ()
    marks = ", ".join("?" for _ in paths)
    rows = index.rows(
        "SELECT DISTINCT c.number, c.oid FROM changes x JOIN commits c ON c.oid = x.oid"
        f" WHERE x.path IN ({marks}) AND c.number < ? ORDER BY c.number DESC",
        [*paths, index.number(candidate.oid)],
    )
    return tuple(oid for number, oid in rows if surveyed.missing[number])

# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a candidate apply, alone or after what it needs? Proved by replay, in memory.

Candidates are tried on the branch as it will be with the earlier ones. A conflict removes no
candidate, and a clean pick proves nothing about the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kbisect.backport.blockers import Blockers
from kbisect.backport.candidates import Candidate, Strength, Survey
from kbisect.backport.silent import Absent, absent_names
from kbisect.git.picks import Pick, Picker
from kbisect.git.repository import Repository
from kbisect.history.store import Index

_MOST = 12
"""More commits than this are a backport by hand, not a list of picks."""


class State(StrEnum):
    """What happens when a candidate is picked onto the branch."""

    CLEAN = "clean"
    CLEAN_AFTER = "clean-after"
    CONFLICT = "conflict"
    EMPTY = "empty"
    MISSING = "file-missing"


@dataclass(frozen=True, slots=True)
class Forecast:
    """A candidate on the branch.

    Attributes
    ----------
    state : `clean-after` needs only candidates, or what its message names; `empty`: its effect is
        there already; `file-missing`: a conflict because none of its files is there
    prerequisites : oids, in order; for a conflict, those after which a replay was clean
    conflicts : paths that conflict when it is picked alone
    blockers : upstream commits the branch lacks that wrote the lines it builds on, oldest first
    absent : names it uses and the branch doesn't have, though it may apply
    """

    candidate: Candidate
    state: State
    prerequisites: tuple[str, ...]
    conflicts: tuple[str, ...]
    blockers: tuple[str, ...]
    absent: tuple[Absent, ...] = ()

    @property
    def emitted(self) -> bool:
        """Whether it goes into a script or a mailbox unasked: a weak link never does."""
        return self.candidate.strength is not Strength.WEAK and self.state is not State.EMPTY


@dataclass(frozen=True, slots=True)
class _Try:
    """Two picks of a candidate: on the branch, and on the branch with the earlier candidates."""

    candidate: Candidate
    alone: Pick
    then: Pick
    tree: str
    earlier: tuple[Candidate, ...]


def forecasts(
    repository: Repository,
    index: Index,
    surveyed: Survey,
    chosen: Sequence[Candidate] | None = None,
) -> Iterator[Forecast]:
    """Try the candidates of a survey (or some of them), in upstream's order."""
    yield from Forecaster(repository, index, surveyed).all(chosen)


class Forecaster:
    """Tries candidates one after another on one branch."""

    def __init__(self, repository: Repository, index: Index, surveyed: Survey) -> None:
        self._repository = repository
        self._index = index
        self._surveyed = surveyed
        self._picker = Picker(repository)
        self._branch = self._picker.tree_of(surveyed.branch)
        self._blockers = Blockers(repository, index, surveyed, self._picker)

    def all(self, chosen: Sequence[Candidate] | None = None) -> Iterator[Forecast]:
        """Try them in order, each behind the clean ones before it."""
        candidates = self._surveyed.candidates if chosen is None else chosen
        silent = absent_names(self._repository, self._index, self._surveyed, candidates)
        tries = list(self._tries(candidates))
        hard = [each for each in tries if not each.alone.clean]
        # What they conflict in is read at once.
        both = (pick for each in hard for pick in (each.alone, each.then))
        self._blockers.read_histories({path for pick in both for path in pick.conflicts})
        for each in tries:
            yield self._judged(each, silent.get(each.candidate.oid, ()))

    def _tries(self, candidates: Sequence[Candidate]) -> Iterator[_Try]:
        tree = self._branch
        earlier: tuple[Candidate, ...] = ()
        for candidate in candidates:
            alone = self._picker.pick(candidate.oid, self._branch)
            then = alone if tree == self._branch else self._picker.pick(candidate.oid, tree)
            yield _Try(candidate, alone, then, tree, earlier)
            if then.tree is not None and candidate.strength is not Strength.WEAK:
                tree = then.tree
                earlier = (*earlier, candidate)

    def _judged(self, tried: _Try, absent: tuple[Absent, ...]) -> Forecast:
        candidate, alone = tried.candidate, tried.alone
        if alone.clean:
            state = State.EMPTY if alone.empty else State.CLEAN
            first = self._ordered({*candidate.named, *(name.commit for name in absent)})
            return Forecast(candidate, state, first, (), (), absent)
        conflicts = alone.conflicts
        blockers = self._blockers.of(candidate.oid, tried.then.conflicts or conflicts, tried.tree)
        near = {*self._blockers.of(candidate.oid, conflicts, self._branch), *candidate.named}
        coming = {other.oid for other in tried.earlier} | {*candidate.named}
        paths = {*conflicts, *candidate.files}
        touching = {other.oid for other in tried.earlier if paths & {*other.files}}
        for wanted in (near & coming, touching | {*candidate.named}):
            needed = self._fewest(self._ordered(wanted), candidate.oid) if wanted else None
            if needed is not None:
                return Forecast(candidate, State.CLEAN_AFTER, needed, conflicts, (), absent)
        needed = self._with_blockers(candidate, near)
        state = State.CONFLICT
        if not any(self._picker.has(self._branch, path) for path in conflicts):
            state = State.MISSING
        return Forecast(candidate, state, needed or (), conflicts, blockers, absent)

    def _with_blockers(self, candidate: Candidate, near: set[str]) -> tuple[str, ...] | None:
        """Add what blocks, and what blocks that, until a replay on the branch is clean."""
        wanted = set(near)
        while 0 < len(wanted) <= _MOST:
            order = [*self._ordered(wanted), candidate.oid]
            failed, pick, tree = self._replay(order)
            if failed is None:
                return self._fewest(order[:-1], candidate.oid)
            more = set(self._blockers.of(failed, pick.conflicts, tree)) - wanted
            if not more:
                return None
            wanted |= more
        return None

    def _ordered(self, oids: set[str]) -> tuple[str, ...]:
        return tuple(sorted(oids, key=self._index.number))

    def _replay(self, oids: Sequence[str]) -> tuple[str | None, Pick, str]:
        """Pick commits one after another; return the first that conflicts, and onto what."""
        tree = self._branch
        done = Pick(tree, (), empty=False)
        for oid in oids:
            done = self._picker.pick(oid, tree)
            if done.tree is None:
                return oid, done, tree
            tree = done.tree
        return None, done, tree

    def _fewest(self, wanted: Sequence[str], oid: str) -> tuple[str, ...] | None:
        """Leave out what the pick doesn't need, in ever smaller parts; None if it isn't clean."""

        def clean(some: Sequence[str]) -> bool:
            return self._replay([*some, oid])[0] is None

        needed = list(wanted)
        if not clean(needed):
            return None
        size = len(needed)
        while size:
            for start in range(len(needed) - size, -1, -size):
                fewer = needed[:start] + needed[start + size :]
                if len(fewer) < len(needed) and clean(fewer):
                    needed = fewer
            size //= 2
        return tuple(needed)


_SURE = {Strength.STRONG: 0, Strength.MEDIUM: 1, Strength.WEAK: 2}
_FITS = {State.CLEAN: 0, State.CLEAN_AFTER: 0, State.CONFLICT: 2, State.MISSING: 3, State.EMPTY: 4}


def by_strength(tried: Sequence[Forecast]) -> list[Forecast]:
    """Order by how likely the branch takes it: firm reasons, all it uses is there, it applies."""
    return sorted(
        tried,
        key=lambda each: (
            each.candidate.strength is Strength.WEAK,
            _FITS[each.state] + bool(each.absent),
            _SURE[each.candidate.strength],
        ),
    )

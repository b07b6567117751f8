# SPDX-License-Identifier: GPL-2.0-or-later
"""Does a candidate apply, alone or after what it needs? Proved by replay, in memory.

Candidates are tried on the branch as it will be with the earlier ones. A conflict removes no
candidate, and a clean pick proves nothing about the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from threading import Event, local

from kbisect.backport.blockers import Blockers, Histories, folder
from kbisect.backport.candidates import Survey
from kbisect.backport.fixes import Candidate, Strength
from kbisect.backport.silent import Absent, absent_names
from kbisect.git.picks import Pick, Picker
from kbisect.git.repository import Repository
from kbisect.history.store import Index

_WORKERS = 2
"""More threads than this wait for each other's Python."""
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
    in_turn : whether it applies alone, or with the candidates before it taken
    """

    candidate: Candidate
    state: State
    prerequisites: tuple[str, ...]
    conflicts: tuple[str, ...]
    blockers: tuple[str, ...]
    absent: tuple[Absent, ...] = ()
    in_turn: bool = True

    @property
    def emitted(self) -> bool:
        """Whether it goes into a script or a mailbox unasked: a weak link never does."""
        return self.candidate.strength is not Strength.WEAK and self.state is not State.EMPTY


@dataclass(frozen=True, slots=True)
class _Behind:
    """A pick on the branch as it is with the earlier candidates."""

    pick: Pick
    tree: str
    earlier: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class _Try:
    """A candidate's two picks, and the names it uses that the branch doesn't have."""

    candidate: Candidate
    alone: Pick
    behind: _Behind
    absent: tuple[Absent, ...]

    @property
    def hard(self) -> bool:
        return not self.alone.clean


def forecasts(
    repository: Repository,
    index: Index,
    surveyed: Survey,
    chosen: Sequence[Candidate] | None = None,
) -> Iterator[Forecast]:
    """Try the candidates of a survey (or some of them), each behind the clean ones before it.

    Most of the time is git's, which merges while we read: threads share the work.

    Parameters
    ----------
    chosen : in upstream's order, which is the order of the answer too
    """
    candidates = surveyed.candidates if chosen is None else chosen
    histories = Histories(repository, index, surveyed)
    picker = Picker(repository, passing=True)
    branch = picker.tree_of(surveyed.branch)
    own = local()
    stopped = Event()

    def mine() -> _Forecaster:
        if not hasattr(own, "forecaster"):
            own.forecaster = _Forecaster(histories, branch, Picker(repository, picker))
        found: _Forecaster = own.forecaster
        return found

    pool = ThreadPoolExecutor(_WORKERS)
    try:
        chain = pool.submit(lambda: [*mine().behind(candidates, stopped)])
        alone = pool.map(lambda each: mine().alone(each), candidates)
        silent = absent_names(repository, index, surveyed, candidates)
        tries = [
            _Try(candidate, pick, behind, silent.get(candidate.oid, ()))
            for candidate, pick, behind in zip(candidates, alone, chain.result(), strict=True)
        ]
        list(pool.map(lambda asked: histories.read(*asked), _by_folder(histories, tries)))
        yield from pool.map(lambda tried: mine().judged(tried), tries)
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


def _by_folder(histories: Histories, tries: Iterable[_Try]) -> list[tuple[set[str], int]]:
    """Return the paths that conflict, by folder, and the number of the last that conflicts there.

    Those that take longest come first.
    """
    paths: dict[str, set[str]] = {}
    last: dict[str, int] = {}
    for tried in (each for each in tries if each.hard):
        for path in {*tried.alone.conflicts, *tried.behind.pick.conflicts}:
            above = folder(path)
            paths.setdefault(above, set()).add(path)
            # Candidates are in upstream's order.
            last[above] = histories.number(tried.candidate.oid)
    order = sorted(paths, key=lambda above: (-len(paths[above]), above))
    return [(paths[above], last[above]) for above in order]


class _Forecaster:
    """Tries candidates on one branch, in one thread."""

    def __init__(self, histories: Histories, branch: str, picker: Picker) -> None:
        self._histories = histories
        self._branch = branch
        self._picker = picker
        self._blockers = Blockers(histories, picker)

    def alone(self, candidate: Candidate) -> Pick:
        """Pick a candidate onto the branch as it is."""
        return self._picker.pick(candidate.oid, self._branch)

    def behind(self, candidates: Iterable[Candidate], stopped: Event) -> Iterator[_Behind]:
        """Pick each behind those before it that are clean and not weak, till somebody stops it."""
        tree = self._branch
        earlier: tuple[Candidate, ...] = ()
        for candidate in candidates:
            if stopped.is_set():
                return
            pick = self._picker.pick(candidate.oid, tree)
            yield _Behind(pick, tree, earlier)
            if pick.tree is not None and candidate.strength is not Strength.WEAK:
                tree = pick.tree
                earlier = (*earlier, candidate)

    def judged(self, tried: _Try) -> Forecast:
        """Say what becomes of a candidate that was tried, and what it needs."""
        candidate, alone, behind, absent = tried.candidate, tried.alone, tried.behind, tried.absent
        if alone.clean:
            state = State.EMPTY if alone.empty else State.CLEAN
            known = {name.commit for name in absent if name.commit is not None}
            first = self._ordered({*candidate.named, *known})
            return Forecast(candidate, state, first, (), (), absent)
        conflicts, in_turn = alone.conflicts, behind.pick.clean
        blockers = self._blockers.of(candidate.oid, behind.pick.conflicts or conflicts, behind.tree)
        near = {*self._blockers.of(candidate.oid, conflicts, self._branch), *candidate.named}
        coming = {other.oid for other in behind.earlier} | {*candidate.named}
        paths = {*conflicts, *candidate.files}
        touching = {other.oid for other in behind.earlier if paths & {*other.files}}
        for wanted in (near & coming, touching | {*candidate.named}):
            needed = self._fewest(self._ordered(wanted), candidate.oid) if wanted else None
            if needed is not None:
                return Forecast(
                    candidate, State.CLEAN_AFTER, needed, conflicts, (), absent, in_turn
                )
        needed = self._with_blockers(candidate, near)
        state = State.CONFLICT
        if not any(self._picker.has(self._branch, path) for path in conflicts):
            state = State.MISSING
        return Forecast(candidate, state, needed or (), conflicts, blockers, absent, in_turn)

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
        return tuple(sorted(oids, key=self._histories.number))

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
_FITS = {State.CLEAN: 0, State.CLEAN_AFTER: 1, State.CONFLICT: 2, State.MISSING: 3, State.EMPTY: 4}


def by_strength(tried: Sequence[Forecast]) -> list[Forecast]:
    """Order by how likely the branch takes it.

    Firm reasons first, then that it applies and all it uses is there, then that somebody asked for
    stable and what it mends is there already.
    """
    return sorted(
        tried,
        key=lambda each: (
            each.candidate.strength is Strength.WEAK,
            _FITS[each.state] + bool(each.absent),
            _SURE[each.candidate.strength],
            not (each.candidate.tagged and each.candidate.here),
        ),
    )

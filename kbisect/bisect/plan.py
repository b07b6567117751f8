# SPDX-License-Identifier: GPL-2.0-or-later
"""What a campaign does next: the ends, the merge bases, the search, the confirmation. Pure.

Several workers ask one after the other; each is told what the others are at.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kbisect.bisect import aside
from kbisect.bisect.confirmation import Finding, SequentialTest
from kbisect.bisect.events import Outcome, Tested
from kbisect.bisect.search import GOOD_END, Choice, Ending, Search
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Role, Verdict
from kbisect.bisect.view import Range, likely, search

MOST = 60
"""So many tests for each halving of the range are too many."""
Running = AbstractSet[tuple[str, Role, str | None]]


@dataclass(frozen=True, slots=True)
class Try:
    """Test this commit, with `reverts` taken back on top of it. `suspects` of the range remain.

    Of a tip, `tree` is the tree.
    """

    oid: str
    role: Role
    suspects: int
    reverts: str | None = None
    tree: str | None = None

    @property
    def what(self) -> tuple[str, Role, str | None]:
        """What tells it from other tests."""
        return self.oid, self.role, self.reverts

    @property
    def tests_left(self) -> int:
        """About how many tests of the search remain, this one among them."""
        return max(0, (self.suspects - 1).bit_length())


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to test."""

    outcome: Outcome
    culprit: str | None = None
    suspects: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""
    confidence: float | None = None


class Wait:
    """Nothing can be tested before one of the running tests has ended."""


Planned = Try | End | Wait


def plan(state: State, searched: Range, pending: Sequence[Try] = ()) -> Planned:
    """Return the next step of a campaign whose ends are known.

    Parameters
    ----------
    pending : what is being tested at this moment

    Raises
    ------
    UsageError
        Verdicts given by hand contradict each other.
    """
    candidates = searched.candidates
    by_script = not state.started.by_hand
    if not by_script:
        candidates.suspects(state.verdicts)
    running = {test.what for test in pending}
    for run in state.to_repeat:
        again = Try(run.oid, run.role, len(candidates), run.reverted, run.tree)
        if again.what not in running:
            return again
    if state.to_repeat:
        return Wait()
    found = search(state, searched)
    suspects = likely(found)
    left = len(suspects)
    if by_script and not state.started.trust_ends and (step := _ends(state, left, running)):
        return step
    if step := _bases(state, searched.bases, left, running):
        return step
    if by_script and len(state.tested) >= MOST * (2 + len(candidates).bit_length()):
        return _unresolved(state, searched, found, "so many tests, and no sure answer")
    good_end = state.ends[1][0] if state.ends[1] else ""
    busy = [at for test in pending if (at := _position(test, searched, good_end)) is not None]
    planned = found.next(busy)
    if planned is None:
        return Wait()
    if isinstance(planned, Choice):
        role = Role.CONFIRM if found.repeats(planned.position) else Role.SEARCH
        return Try(searched.oid(planned.position, good_end), role, left)
    named = searched.named(planned.positions)
    sure = planned.confidence if by_script else None
    if planned.ending is Ending.NO_CULPRIT:
        good, bad = found.belief.heard
        return End(
            Outcome.NO_CULPRIT,
            reason=f"the failure isn't tied to this range: {bad} of {good + bad} runs failed, "
            "with no commit from which on they do",
            hint="make the script repeat its test until it is sure, or look at the machine",
            confidence=sure,
        )
    if planned.ending is Ending.UNRESOLVED:
        return _unresolved(state, searched, found, "no test can say more")
    if planned.ending is Ending.RANGE:
        skipped = set(state.named(Verdict.SKIP))
        tried, left = sum(oid in skipped for oid in named), len(named)
        return End(
            Outcome.RANGE,
            suspects=named,
            reason=f"{tried} of the {left} suspects can't be tested"
            + (f", {left - tried - 1} between them were not tried" if left - tried > 1 else ""),
            hint="make one of them testable, then: kbisect bisect good|bad REV",
            confidence=sure,
        )
    if by_script and (step := confirmation(state, searched, named[0], running)):
        return step
    return End(Outcome.CULPRIT, culprit=named[0], suspects=named, confidence=sure)


def idle(state: State, searched: Range, pending: Sequence[Try]) -> tuple[Try, ...]:
    """Return the running tests that can say nothing more."""
    found = search(state, searched)
    idle = []
    for test in pending:
        position = searched.position(test.oid) if test.role is Role.SEARCH else None
        if position is not None and found.idle(position):
            idle.append(test)
    return tuple(idle)


def _position(test: Try, searched: Range, good_end: str) -> int | None:
    if test.role in {Role.REVERT, Role.TIP}:
        return None
    position = searched.position(test.oid)
    return GOOD_END if position is None and test.oid == good_end else position


def _unresolved(state: State, searched: Range, found: Search, why: str) -> End:
    tests = len(state.tested)
    return End(
        Outcome.UNRESOLVED,
        suspects=searched.named(likely(found)),
        reason=f"{why}, after {tests} tests: the failure comes and goes",
        hint="make the script repeat its test until it is sure, then run it again",
    )


def _ends(state: State, left: int, running: Running) -> Planned | None:
    start = state.started
    assert start.bad is not None
    runs = {run.oid: run for run in state.of(Role.BAD_END, Role.GOOD_END)}
    wanted = [Try(start.bad, Role.BAD_END, left)]
    bad = runs.get(start.bad)
    if bad is not None:
        wanted.clear()
        if bad.verdict is Verdict.SKIP:
            return _not_reproduced(
                f"the bad end {start.bad[:12]} can't be tested ({bad.seen})",
                "choose a neighbour of it as --bad, or see its output",
            )
        for oid in start.goods:
            good = runs.get(oid)
            if good is not None and (problem := _good_end(good, bad)):
                return problem
        if bad.verdict is Verdict.GOOD and all(oid in runs for oid in start.goods):
            return _not_reproduced(
                f"the bad end {start.bad[:12]} passes, so there is nothing to hunt",
                "run the script there by hand; does it need more time, or another configuration?",
            )
    wanted += [Try(oid, Role.GOOD_END, left) for oid in start.goods if oid not in runs]
    looked_at = {run.oid for run in state.of(Role.TIP)}
    wanted += [
        Try(oid, Role.TIP, left, tree=tree) for tree, oid in tips(state) if oid not in looked_at
    ]
    return _first(wanted, running)


def tips(state: State) -> tuple[tuple[str, str], ...]:
    """Return (tree, oid) of the trees whose newest commit is tested too."""
    pairs = (tip.rpartition("=") for tip in state.started.tips)
    return tuple((tree, oid) for tree, _, oid in pairs)


def _first(wanted: Sequence[Try], running: Running) -> Planned | None:
    """Return the first test that nobody is at; wait if there are only others."""
    for test in wanted:
        if test.what not in running:
            return test
    return Wait() if wanted else None


def _good_end(good: Tested, bad: Tested) -> End | None:
    if bad.verdict is Verdict.GOOD:
        if good.seen.failed:
            return _not_reproduced(
                f"the ends look swapped: the good end {good.oid[:12]} fails ({good.seen}), "
                f"the bad end {bad.oid[:12]} passes",
                "if this is a fix, find where it was introduced with older ends; "
                "else exchange --good and --bad",
            )
        return None
    if good.verdict is Verdict.BAD:
        return _not_reproduced(
            f"the good end {good.oid[:12]} fails just as the bad end does ({good.seen})",
            "choose an older --good, or check that the script can pass at all",
        )
    if good.verdict is Verdict.SKIP:
        return _not_reproduced(
            f"the good end {good.oid[:12]} doesn't pass ({good.seen}; "
            f"the bad end: {bad.seen}), {good.cause}",
            "choose a neighbour of it as --good, or see its output",
        )
    return None


def _bases(state: State, bases: Sequence[str], left: int, running: Running) -> Planned | None:
    bad = set(state.named(Verdict.BAD))
    known = bad.union(state.named(Verdict.GOOD), state.named(Verdict.SKIP))
    for base in bases:
        if base in bad:
            return _not_reproduced(
                f"the merge base {base[:12]} of the ends is bad too: "
                "the failure was fixed on the good end's side, not introduced on the bad end's",
                f"choose a --good that is an ancestor of {base[:12]}",
            )
    return _first([Try(base, Role.BASE, left) for base in bases if base not in known], running)


def confirmation(
    state: State, searched: Range, culprit: str, running: Running = frozenset()
) -> Planned | None:
    """Return what is still to be tested of a culprit, None when all of it was.

    The culprit and its parents once more, and the bad end without the culprit: as often as it takes
    to tell a cure from luck. The culprit without itself is its parent. Of the commits that were set
    aside one is built, unless a parent was one.
    """
    candidates = searched.candidates
    again = {run.oid for run in state.of(Role.CONFIRM)}
    last = state.tested[-1].oid if state.tested else None
    oids = (culprit, *candidates.parents[candidates.number[culprit]])
    wanted = [Try(oid, Role.CONFIRM, 1) for oid in oids if oid not in again]
    wanted.sort(key=lambda test: test.oid != last)  # a worker may hold its build still
    end = state.ends[0]
    start = state.started
    if end is not None and end != culprit and start.checkout and not start.find_fix:
        wanted += _reverts(state, searched, culprit, end)
    if not wanted and state.aside is not None and not again.intersection(state.aside.oids):
        oid = aside.to_check(candidates, state)
        wanted += [Try(oid, Role.CONFIRM, 1)] if oid is not None else []
    return _first(wanted, running)


def _reverts(state: State, searched: Range, culprit: str, end: str) -> list[Try]:
    if any(stuck.reverted == culprit and stuck.oid == end for stuck in state.stuck):
        return []
    runs = [run for run in state.of(Role.REVERT) if (run.reverted, run.oid) == (culprit, end)]
    good = sum(run.verdict is Verdict.GOOD for run in runs)
    bad = sum(run.verdict is Verdict.BAD for run in runs)
    if len(runs) > good + bad or len(runs) >= MOST:
        return []  # it can't be tested, or not for ever
    cured = SequentialTest.of(search(state, searched).belief).judge(good, bad)
    return [Try(end, Role.REVERT, 1, culprit)] if cured.finding is Finding.OPEN else []


def _not_reproduced(reason: str, hint: str) -> End:
    return End(Outcome.NOT_REPRODUCED, reason=reason, hint=hint)

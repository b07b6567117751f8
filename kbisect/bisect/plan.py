# SPDX-License-Identifier: GPL-2.0-or-later
"""What a campaign does next: the ends, the merge bases, the search, the confirmation. Pure.

Several workers ask one after the other; each is told what the others are at.
"""

from __future__ import annotations

from collections.abc import Sequence

from kbisect.bisect import aside, ends
from kbisect.bisect.confirmation import Finding, SequentialTest
from kbisect.bisect.events import End, Outcome
from kbisect.bisect.moves import Leave, Planned, Running, Try, Wait, first
from kbisect.bisect.search import GOOD_END, Choice, Search
from kbisect.bisect.state import State
from kbisect.bisect.stopping import Ending
from kbisect.bisect.verdict import Role, Verdict
from kbisect.bisect.view import Range, likely, search

BRANCHES = 8
"""So many branches that had it all along are left before it is given up."""
MOST = 60
"""So many tests for each halving of the range are too many."""


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
    if by_script and not state.started.trust_ends and (step := ends.ends(state, left, running)):
        return step
    if step := ends.bases(state, searched.bases, left, running):
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
    if by_script and (step := _was_so_before(state, searched, found, named[0], running)):
        return step
    reason = ""
    if searched.prior.weights[searched.candidates.number[named[0]]] == 0:
        paths = " ".join(state.started.only)
        reason = f"it doesn't change {paths} (--only): every commit in it that does is innocent"
    return End(Outcome.CULPRIT, named[0], named, reason, confidence=sure)


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
    if not any(found.belief.heard):
        return End(
            Outcome.UNRESOLVED,
            reason=f"none of the commits that were tried can be tested, after {tests} tests",
            hint="see what one printed: kbisect bisect report; then correct the script or recipe",
        )
    return End(
        Outcome.UNRESOLVED,
        suspects=searched.named(likely(found)),
        reason=f"{why}, after {tests} tests: the failure comes and goes",
        hint="make the script repeat its test until it is sure, then run it again",
    )


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
    return first(wanted, running)


def _was_so_before(
    state: State, searched: Range, found: Search, culprit: str, running: Running
) -> Planned | None:
    """Doubt a culprit whose parent, outside the range, has the same: that branch had it all along.

    A branch may have begun where the failure, or another like it, was still there and was repaired
    on the way to the good end. Or, where a fix is looked for, before there was any failure.
    """
    numbers = searched.candidates.number
    known = {*state.ends[1], *searched.bases}
    for parent in searched.candidates.parents[numbers[culprit]]:
        if parent in numbers or parent in known:
            continue
        heard = [verdict for oid, verdict in state.heard if oid == parent]
        good, bad = heard.count(Verdict.GOOD), heard.count(Verdict.BAD)
        if not bad or good + bad >= MOST:
            continue
        said = SequentialTest.of(found.belief).judge(good, bad).finding
        if said is Finding.OPEN:
            return first([Try(parent, Role.CONFIRM, 1)], running)
        if said is Finding.FAILS and len(state.old) < BRANCHES:
            return Leave(parent)
        if said is Finding.FAILS:
            passes = state.started.find_fix
            return End(
                Outcome.UNRESOLVED,
                suspects=(culprit,),
                reason=f"{parent[:12]}, its parent, {'passes' if passes else 'fails'} too: that "
                "branch began before the range "
                + ("and never failed" if passes else "and has the failure of old")
                + f", as {len(state.old)} others did",
                hint="search the main line alone: the same command with --first-parent",
            )
    return None


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

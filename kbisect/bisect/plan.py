# SPDX-License-Identifier: GPL-2.0-or-later
"""What a campaign does next: the ends, the merge bases, the search, the confirmation. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kbisect.bisect.candidates import Candidates
from kbisect.bisect.events import Outcome, Tested
from kbisect.bisect.search import Choice, Ending, Search
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Role, Verdict
from kbisect.bisect.view import Range, likely, search

MOST = 60
"""So many tests for each halving of the range are too many."""


@dataclass(frozen=True, slots=True)
class Try:
    """Test this commit. `suspects` of the range remain."""

    oid: str
    role: Role
    suspects: int

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


def plan(state: State, searched: Range) -> Try | End:
    """Return the next step of a campaign whose ends are known.

    Raises
    ------
    UsageError
        Verdicts given by hand contradict each other.
    """
    candidates = searched.candidates
    by_script = state.started.script is not None
    if not by_script:
        candidates.suspects(state.verdicts)
    found = search(state, searched)
    suspects = likely(found)
    left = len(suspects)
    if by_script and not state.started.trust_ends and (step := _ends(state, left)):
        return step
    if step := _bases(state, searched.bases, left):
        return step
    if by_script and len(state.tested) >= MOST * (2 + len(candidates).bit_length()):
        return _unresolved(state, searched, found, "so many tests, and no sure answer")
    planned = found.next()
    assert planned is not None
    good_end = state.ends[1][0] if state.ends[1] else ""
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
    if by_script and (step := _confirmation(state, candidates, named[0])):
        return step
    return End(Outcome.CULPRIT, culprit=named[0], suspects=named, confidence=sure)


def _unresolved(state: State, searched: Range, found: Search, why: str) -> End:
    tests = len(state.tested)
    return End(
        Outcome.UNRESOLVED,
        suspects=searched.named(likely(found)),
        reason=f"{why}, after {tests} tests: the failure comes and goes",
        hint="make the script repeat its test until it is sure, then run it again",
    )


def _ends(state: State, left: int) -> Try | End | None:
    start = state.started
    assert start.bad is not None
    runs = {run.oid: run for run in state.of(Role.BAD_END, Role.GOOD_END)}
    bad = runs.get(start.bad)
    if bad is None:
        return Try(start.bad, Role.BAD_END, left)
    if bad.verdict is Verdict.SKIP:
        return _not_reproduced(
            f"the bad end {start.bad[:12]} can't be tested ({bad.seen})",
            "choose a neighbour of it as --bad, or see its output",
        )
    for oid in start.goods:
        good = runs.get(oid)
        if good is None:
            return Try(oid, Role.GOOD_END, left)
        if problem := _good_end(good, bad):
            return problem
    if bad.verdict is Verdict.GOOD:
        return _not_reproduced(
            f"the bad end {start.bad[:12]} passes, so there is nothing to hunt",
            "run the script there by hand; does it need more time, or another configuration?",
        )
    return None


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


def _bases(state: State, bases: Sequence[str], left: int) -> Try | End | None:
    bad = set(state.named(Verdict.BAD))
    known = bad.union(state.named(Verdict.GOOD), state.named(Verdict.SKIP))
    for base in bases:
        if base in bad:
            return _not_reproduced(
                f"the merge base {base[:12]} of the ends is bad too: "
                "the failure was fixed on the good end's side, not introduced on the bad end's",
                f"choose a --good that is an ancestor of {base[:12]}",
            )
        if base not in known:
            return Try(base, Role.BASE, left)
    return None


def _confirmation(state: State, candidates: Candidates, culprit: str) -> Try | None:
    """Test the culprit and its parents again, each at least once."""
    again = {run.oid for run in state.of(Role.CONFIRM)}
    for oid in (culprit, *candidates.parents[candidates.number[culprit]]):
        if oid not in again:
            return Try(oid, Role.CONFIRM, 1)
    return None


def _not_reproduced(reason: str, hint: str) -> End:
    return End(Outcome.NOT_REPRODUCED, reason=reason, hint=hint)

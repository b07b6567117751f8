# SPDX-License-Identifier: GPL-2.0-or-later
"""What a campaign does next: the ends, the merge bases, the search, the confirmation. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kbisect.bisect.candidates import Candidates
from kbisect.bisect.events import Outcome, Tested
from kbisect.bisect.midpoint import Strategy
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Role, Verdict


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


def plan(
    state: State, candidates: Candidates, strategy: Strategy, bases: Sequence[str] = ()
) -> Try | End:
    """Return the next step of a campaign whose ends are known.

    Parameters
    ----------
    bases : merge bases of the ends, where a good end isn't an ancestor of the bad one. If one of
        them is bad, the failure was fixed on the good end's way, not introduced on the bad end's.
    """
    suspects = candidates.suspects(state.verdicts)
    left = int(suspects.sum())
    by_script = state.started.script is not None
    if by_script and not state.started.trust_ends and (step := _ends(state, left)):
        return step
    if step := _bases(state, bases, left):
        return step
    chosen = strategy.choose(candidates, suspects, state.verdicts)
    if chosen is not None:
        return Try(candidates.graph.oids[chosen], Role.SEARCH, left)
    named = candidates.named(suspects)
    if left > 1:
        tried = sum(oid in set(state.named(Verdict.SKIP)) for oid in named)
        return End(
            Outcome.RANGE,
            suspects=named,
            reason=f"{tried} of the {left} suspects can't be tested"
            + (f", {left - tried - 1} between them were not tried" if left - tried > 1 else ""),
            hint="make one of them testable, then: kbisect bisect good|bad REV",
        )
    if by_script and (step := _confirmation(state, candidates, named[0])):
        return step
    return End(Outcome.CULPRIT, culprit=named[0], suspects=named)


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


def _confirmation(state: State, candidates: Candidates, culprit: str) -> Try | End | None:
    runs = {run.oid: run for run in state.of(Role.CONFIRM)}
    for oid in (culprit, *candidates.parents[candidates.number[culprit]]):
        run = runs.get(oid)
        if run is None:
            return Try(oid, Role.CONFIRM, 1)
        expected = Verdict.BAD if oid == culprit else Verdict.GOOD
        if run.verdict not in {expected, Verdict.SKIP}:
            what = "culprit" if oid == culprit else "parent of the culprit"
            return End(
                Outcome.UNRESOLVED,
                suspects=(culprit,),
                reason=f"tested again, the {what} {oid[:12]} is {run.verdict}: "
                "the failure comes and goes",
                hint="make the script repeat its test until it is sure, then run it again",
            )
    return None


def _not_reproduced(reason: str, hint: str) -> End:
    return End(Outcome.NOT_REPRODUCED, reason=reason, hint=hint)

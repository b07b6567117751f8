# SPDX-License-Identifier: GPL-2.0-or-later
"""A campaign's result in figures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kbisect.bisect.confirmation import SequentialTest
from kbisect.bisect.events import Outcome, Stuck, Tested
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Role, Verdict


class Kind(StrEnum):
    """What a check looks at."""

    BAD_END = "bad end"
    GOOD_END = "good end"
    BASE = "merge base"
    CULPRIT = "culprit"
    PARENT = "parent"
    REVERT = "revert"
    TIP = "tip"


@dataclass(frozen=True, slots=True)
class Check:
    """What all runs of one commit say, or why there are none.

    Attributes
    ----------
    oid : the commit; of a revert, the one it was made on
    verdict : what the runs together speak for, None without a run
    seen : what the last run with that verdict did
    tree : of a tip, the tree
    note : why it wasn't tested
    """

    kind: Kind
    oid: str
    verdict: Verdict | None
    bad: int = 0
    good: int = 0
    skipped: int = 0
    seen: str = ""
    tree: str | None = None
    note: str = ""

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.bad + self.good + self.skipped


@dataclass(frozen=True, slots=True)
class Result:
    """What a campaign found, or how far it is.

    Attributes
    ----------
    outcome : None while it goes on
    suspects : commits that can still be the culprit, parents first; the culprit alone at the end
    confidence : probability that the culprit, or the suspects, are right. None while it goes on,
        and by hand, where every verdict is taken for true.
    tests : runs (or verdicts by hand) of the search; the ends and the confirmation are apart
    builds : runs in a worktree, each of which may have built something, those too whose binary was
        the same as another's; not those whose build was there still
    aside : number of commits that were not built since they can't change what is built
    aside_checked : those of them that were, and made the same binary as they were said to
    old : commits outside the range whose branches had it all along, and are left out
    aside_refused : why none is set aside any more, empty if that didn't happen
    seconds : time spent in the script
    confirmed : runs made to confirm the culprit, the reverts among them
    checks : what is known of each commit that the result rests on
    unchecked : what the result does not rest on, a line each
    """

    outcome: Outcome | None
    culprit: str | None
    suspects: tuple[str, ...]
    confidence: float | None
    tests: int
    tests_ends: int
    tests_confirm: int
    builds: int
    aside: int
    aside_checked: tuple[str, ...]
    aside_refused: str
    old: tuple[str, ...]
    skips: int
    seconds: float
    candidates: int | None
    find_fix: bool
    reason: str
    hint: str
    ends: tuple[Tested, ...]
    confirmed: tuple[Tested, ...]
    checks: tuple[Check, ...]
    unchecked: tuple[str, ...]

    def check(self, kind: Kind) -> tuple[Check, ...]:
        """Return the checks of a kind."""
        return tuple(check for check in self.checks if check.kind is kind)

    @property
    def is_confirmed(self) -> bool:
        """Whether the culprit failed and its parents passed when they were tested once more.

        A revert that didn't help speaks against it; one that conflicts says nothing.
        """
        again = {run.oid for run in self.confirmed if run.role is Role.CONFIRM}
        culprit, parents = self.check(Kind.CULPRIT), self.check(Kind.PARENT)
        bad, good = (Verdict.GOOD, Verdict.BAD) if self.find_fix else (Verdict.BAD, Verdict.GOOD)
        return (
            self.culprit in again
            and all(check.verdict is bad for check in culprit)
            and bool(parents)
            and all(check.verdict is good and check.oid in again for check in parents)
            and all(check.verdict in {None, Verdict.GOOD} for check in self.check(Kind.REVERT))
        )


def summarise(
    state: State,
    suspects: Sequence[str] = (),
    parents: Sequence[str] = (),
    rates: SequentialTest | None = None,
) -> Result:
    """Return the result of a campaign.

    Parameters
    ----------
    suspects : those that remain while it goes on
    parents : of the culprit
    rates : what the search has learned of them; None where every verdict is taken for true
    """
    end = state.finished
    ends = state.of(Role.BAD_END, Role.GOOD_END, Role.BASE, Role.TIP)
    confirmed = state.of(Role.CONFIRM, Role.REVERT)
    checks = _checks(state, end.culprit if end else None, parents, rates)
    search = [
        answer
        for answer in state.answers
        if not isinstance(answer, Tested) or answer.role is Role.SEARCH
    ]
    by_hand = state.started.by_hand
    if by_hand:
        ends_known = _ends_by_hand(state)
        search = [answer for answer in search if answer.oid not in ends_known]
    return Result(
        outcome=end.outcome if end else None,
        culprit=end.culprit if end else None,
        suspects=end.suspects if end else tuple(suspects),
        confidence=round(end.confidence, 4) if end and end.confidence is not None else None,
        tests=len(search),
        tests_ends=len(ends),
        tests_confirm=len(confirmed),
        builds=_builds(state),
        aside=len(state.aside.oids) if state.aside else 0,
        aside_checked=state.aside.checked if state.aside else (),
        aside_refused=state.aside.reason if state.aside else "",
        old=state.old,
        skips=sum(answer.verdict is Verdict.SKIP for answer in search),
        seconds=round(sum(run.seconds for run in state.tested), 3),
        candidates=state.started.candidates,
        find_fix=state.started.find_fix,
        reason=end.reason if end else "",
        hint=end.hint if end else "",
        ends=ends,
        confirmed=tuple(sorted(confirmed, key=lambda run: bool(end and run.oid != end.culprit))),
        checks=checks,
        unchecked=tuple(_unchecked(state, checks)) if end and end.culprit else (),
    )


def _builds(state: State) -> int:
    if not state.started.checkout:
        return 0
    return sum(not run.reused for run in state.tested) + len(state.same)


def _checks(
    state: State, culprit: str | None, parents: Sequence[str], rates: SequentialTest | None
) -> tuple[Check, ...]:
    found: list[Check] = []

    def add(kind: Kind, oid: str, runs: Sequence[Tested], tree: str | None = None) -> None:
        if runs:
            found.append(_check(kind, oid, runs, tree, rates))

    def everywhere(oid: str) -> list[Tested]:
        return [run for run in state.tested if run.oid == oid and run.reverted is None]

    if culprit is not None:
        add(Kind.CULPRIT, culprit, everywhere(culprit))
        for oid in parents:
            add(Kind.PARENT, oid, everywhere(oid))
        reverts = [run for run in state.of(Role.REVERT) if run.reverted == culprit]
        add(Kind.REVERT, reverts[0].oid if reverts else "", reverts)
        found += [
            Check(Kind.REVERT, stuck.oid, None, note=_conflict(stuck))
            for stuck in {(each.reverted, each.oid): each for each in state.stuck}.values()
            if stuck.reverted == culprit
        ]
    for run in state.of(Role.BAD_END, Role.GOOD_END, Role.BASE):
        if run.oid not in {check.oid for check in found if check.kind is not Kind.REVERT}:
            kind = {Role.BAD_END: Kind.BAD_END, Role.GOOD_END: Kind.GOOD_END}.get(run.role)
            add(kind or Kind.BASE, run.oid, everywhere(run.oid))
    tips = {run.tree: run.oid for run in state.of(Role.TIP)}
    for tree, oid in tips.items():
        add(Kind.TIP, oid, [run for run in state.of(Role.TIP) if run.oid == oid], tree)
    return tuple(found)


def _check(
    kind: Kind, oid: str, runs: Sequence[Tested], tree: str | None, rates: SequentialTest | None
) -> Check:
    counts = {verdict: sum(run.verdict is verdict for run in runs) for verdict in Verdict}
    good, bad = counts[Verdict.GOOD], counts[Verdict.BAD]
    fails = rates.rather_fails(good, bad) if rates and good and bad else bad > good
    verdict = Verdict.BAD if fails else Verdict.GOOD
    if not good + bad:
        verdict = Verdict.SKIP
    seen = [str(run.seen) for run in runs if run.verdict is verdict]
    return Check(
        kind,
        oid,
        verdict,
        counts[Verdict.BAD],
        counts[Verdict.GOOD],
        counts[Verdict.SKIP],
        seen[-1],
        tree,
    )


def _conflict(stuck: Stuck) -> str:
    first = ", ".join(stuck.conflicts[:2]) + (", ..." if len(stuck.conflicts) > 2 else "")
    return f"conflicts on {stuck.oid[:12]} ({first})"


def _ends_by_hand(state: State) -> set[str]:
    """Return the first bad and the first good commit a person named."""
    first: dict[Verdict, str] = {}
    for oid, verdict in state.verdicts:
        first.setdefault(verdict, oid)
    return {oid for verdict, oid in first.items() if verdict is not Verdict.SKIP}


def _unchecked(state: State, checks: Sequence[Check]) -> list[str]:
    if state.started.by_hand:
        return ["revert not tested", "every verdict was given by hand, once"]
    lines = []
    reverts = [check for check in checks if check.kind is Kind.REVERT]
    if not any(check.runs for check in reverts):
        why = "".join(f": {check.note}" for check in reverts) or _why_no_revert(state)
        lines.append(f"revert not tested{why}")
    lines += [
        f"the revert on {check.oid[:12]} doesn't help ({check.seen}): "
        "something else fails there too"
        for check in reverts
        if check.verdict is Verdict.BAD
    ]
    lines += [
        f"the revert on {check.oid[:12]} can't be tested ({check.seen})"
        for check in reverts
        if check.verdict is Verdict.SKIP
    ]
    if state.started.trust_ends:
        lines.append("the ends were not tested (--trust-ends)")
    lines += [
        f"parent {run.oid[:12]} can't be tested again ({run.seen})"
        for run in state.of(Role.CONFIRM)
        if run.verdict is Verdict.SKIP
    ]
    return lines


def _why_no_revert(state: State) -> str:
    if state.started.find_fix:
        return ""
    if not state.started.checkout:
        return ": nothing is checked out"
    if state.finished and state.finished.culprit == state.started.bad:
        return ": the culprit is the bad end, and the revert its parent"
    return ""

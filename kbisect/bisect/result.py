# SPDX-License-Identifier: GPL-2.0-or-later
"""A campaign's result in figures. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from kbisect.bisect.events import Outcome, Tested
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Role, Verdict


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
    builds : runs in a worktree, each of which may have built something
    seconds : time spent in the script
    confirmed : (oid, verdict) of each run made to confirm the culprit
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
    skips: int
    seconds: float
    candidates: int | None
    find_fix: bool
    reason: str
    hint: str
    ends: tuple[Tested, ...]
    confirmed: tuple[Tested, ...]
    unchecked: tuple[str, ...]


def summarise(state: State, suspects: tuple[str, ...] = ()) -> Result:
    """Return the result of a campaign.

    Parameters
    ----------
    suspects : those that remain while it goes on
    """
    end = state.finished
    ends = state.of(Role.BAD_END, Role.GOOD_END, Role.BASE)
    confirmed = state.of(Role.CONFIRM)
    search = [
        answer
        for answer in state.answers
        if not isinstance(answer, Tested) or answer.role is Role.SEARCH
    ]
    by_hand = state.started.script is None
    if by_hand:
        ends_known = _ends_by_hand(state)
        search = [answer for answer in search if answer.oid not in ends_known]
    return Result(
        outcome=end.outcome if end else None,
        culprit=end.culprit if end else None,
        suspects=end.suspects if end else suspects,
        confidence=round(end.confidence, 4) if end and end.confidence is not None else None,
        tests=len(search),
        tests_ends=len(ends),
        tests_confirm=len(confirmed),
        builds=len(state.tested) if state.started.checkout else 0,
        skips=sum(answer.verdict is Verdict.SKIP for answer in search),
        seconds=round(sum(run.seconds for run in state.tested), 3),
        candidates=state.started.candidates,
        find_fix=state.started.find_fix,
        reason=end.reason if end else "",
        hint=end.hint if end else "",
        ends=ends,
        confirmed=tuple(sorted(confirmed, key=lambda run: bool(end and run.oid != end.culprit))),
        unchecked=tuple(_unchecked(state)) if end and end.culprit else (),
    )


def _ends_by_hand(state: State) -> set[str]:
    """Return the first bad and the first good commit a person named."""
    first: dict[Verdict, str] = {}
    for oid, verdict in state.verdicts:
        first.setdefault(verdict, oid)
    return {oid for verdict, oid in first.items() if verdict is not Verdict.SKIP}


def _unchecked(state: State) -> list[str]:
    lines = ["revert not tested"]
    if state.started.script is None:
        lines.append("every verdict was given by hand, once")
        return lines
    if state.started.trust_ends:
        lines.append("the ends were not tested (--trust-ends)")
    lines += [
        f"parent {run.oid[:12]} can't be tested again ({run.seen})"
        for run in state.of(Role.CONFIRM)
        if run.verdict is Verdict.SKIP
    ]
    return lines

# SPDX-License-Identifier: GPL-2.0-or-later
"""The ends of a campaign: does the bad one fail and the good one pass, and the merge bases? Pure.

A failure that comes and goes may stay away at the bad end, or a machine may fail at the good one,
so neither is believed after one run: the bad end may pass until a failure that comes in a third of
all runs would have shown with the confidence asked for (8 runs at 0.95), and the good end is run
once more when it fails. What they did counts as evidence in the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log

from kbisect.bisect.events import End, Outcome, Tested
from kbisect.bisect.moves import Planned, Running, Try, first
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Role, Verdict

RARE = 1 / 3
"""A failure that comes less often than this may be missed at the bad end."""

_FAILURES = 2  # of a good end that never passed: no accident of the machine


def passes_allowed(confidence: float) -> int:
    """Return after how many passes in a row the bad end counts as good.

    >>> passes_allowed(0.95)
    8
    """
    return ceil(log(1 - confidence) / log(1 - RARE))


def ends(state: State, left: int, running: Running) -> Planned | None:
    """Return what is still to be tested of the ends and the tips, None when all of it was.

    Parameters
    ----------
    left : suspects of the range
    """
    start = state.started
    assert start.bad is not None
    wanted = [Try(start.bad, Role.BAD_END, left)]
    bads = [run for run in state.of(Role.BAD_END) if run.oid == start.bad]
    if bads:
        bad = next((run for run in bads if run.verdict is Verdict.BAD), bads[-1])
        if bad.verdict is Verdict.SKIP:
            return _not_reproduced(
                f"the bad end {start.bad[:12]} can't be tested ({bad.seen})",
                "choose a neighbour of it as --bad, or see its output",
            )
        wanted = []
        for oid in start.goods:
            step = _good_end(state, oid, bad, left)
            if isinstance(step, End):
                return step
            wanted += step
        if bad.verdict is Verdict.GOOD and not wanted:
            allowed = passes_allowed(start.confidence)
            if len(bads) >= allowed:
                return _absent(start.bad, len(bads))
            wanted = [Try(start.bad, Role.BAD_END, left)]
        if bad.verdict is Verdict.BAD:
            looked_at = {run.oid for run in state.of(Role.TIP)}
            wanted += [
                Try(oid, Role.TIP, left, tree=tree)
                for tree, oid in tips(state)
                if oid not in looked_at
            ]
    return first(wanted, running)


def bases(state: State, found: Sequence[str], left: int, running: Running) -> Planned | None:
    """Return what is still to be tested of the merge bases, None when all of it was."""
    bad = set(state.named(Verdict.BAD))
    known = bad.union(state.named(Verdict.GOOD), state.named(Verdict.SKIP))
    for base in found:
        if base in bad:
            return _not_reproduced(
                f"the merge base {base[:12]} of the ends is bad too: "
                "the failure was fixed on the good end's side, not introduced on the bad end's",
                f"choose a --good that is an ancestor of {base[:12]}",
            )
    return first([Try(base, Role.BASE, left) for base in found if base not in known], running)


def tips(state: State) -> tuple[tuple[str, str], ...]:
    """Return (tree, oid) of the trees whose newest commit is tested too."""
    pairs = (tip.rpartition("=") for tip in state.started.tips)
    return tuple((tree, oid) for tree, _, oid in pairs)


def _good_end(state: State, oid: str, bad: Tested, left: int) -> list[Try] | End:
    runs = [run for run in state.of(Role.GOOD_END) if run.oid == oid]
    again = [Try(oid, Role.GOOD_END, left)]
    if not runs:
        return again
    if any(run.verdict is Verdict.GOOD for run in runs):
        return []
    good = runs[-1]
    if bad.verdict is Verdict.GOOD:
        if not good.seen.failed:
            return []
        return _not_reproduced(
            f"the ends look swapped: the good end {oid[:12]} fails ({good.seen}), "
            f"the bad end {bad.oid[:12]} passes",
            f"to find what broke it: --good {bad.oid[:12]} --bad {oid[:12]}"
            if state.started.find_fix
            else f"to find what ended it: --find-fix --bad {oid[:12]} --good {bad.oid[:12]}",
        )
    if good.verdict is Verdict.SKIP:
        return _not_reproduced(
            f"the good end {oid[:12]} doesn't pass ({good.seen}; "
            f"the bad end: {bad.seen}), {good.cause}",
            "choose a neighbour of it as --good, or see its output",
        )
    if len(runs) < _FAILURES:
        return again
    return _not_reproduced(
        f"the good end {oid[:12]} fails just as the bad end does "
        f"({good.seen}, {len(runs)} of {len(runs)} runs)",
        "choose an older --good, or check that the script can pass at all",
    )


def _absent(bad: str, passes: int) -> End:
    shown = 1 - (1 - RARE) ** passes
    return _not_reproduced(
        f"the bad end {bad[:12]} passes, {passes} of {passes} times; a failure that comes in one "
        f"run of three would have shown (probability {shown:.2f})",
        "run the script there by hand: does it need more time, or another configuration? "
        "Where the failure is rarer, let the script repeat its test",
    )


def _not_reproduced(reason: str, hint: str) -> End:
    return End(Outcome.NOT_REPRODUCED, reason=reason, hint=hint)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a campaign's search holds now: its journal replayed into a search. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from kbisect.bisect import aside, branches, priors, rates
from kbisect.bisect.candidates import Candidates
from kbisect.bisect.price import Costs
from kbisect.bisect.priors import Prior
from kbisect.bisect.rates import Floats
from kbisect.bisect.reach import Reach
from kbisect.bisect.search import GOOD_END, Search
from kbisect.bisect.state import Answer, State
from kbisect.bisect.verdict import Verdict
from kbisect.history.graph import Mask

_BUILD = 2.0
"""What a checkout and its build cost against a run, where nobody measured it."""


@dataclass(frozen=True, slots=True)
class Range:
    """What is searched: candidates, what each contains, and what is suspected beforehand."""

    candidates: Candidates
    reach: Reach
    prior: Prior
    bases: tuple[str, ...] = ()

    def oid(self, position: int, good_end: str) -> str:
        """Return the commit at a position."""
        if position == GOOD_END:
            return good_end
        return self.candidates.graph.oids[int(self.reach.order[position])]

    def position(self, oid: str) -> int | None:
        """Return a candidate's position."""
        number = self.candidates.number.get(oid)
        return None if number is None else int(self.reach.position[number])

    def named(self, positions: Sequence[int]) -> tuple[str, ...]:
        """Return the oids at some positions, parents first."""
        numbers = sorted(int(self.reach.order[position]) for position in positions)
        return tuple(self.candidates.graph.oids[number] for number in numbers)


def search(state: State, searched: Range) -> Search:
    """Replay a campaign's answers into a search.

    What a person says is taken for true; what a script says is evidence, against `--only` too: when
    nothing that it leaves can be the culprit, the other commits are looked at.
    """
    found = _replayed(state, searched, searched.prior.weights)
    if state.started.only and not state.started.by_hand and not found.belief.suspects().any():
        left = searched.prior.weights > 0
        whole = _replayed(state, searched, priors.doubted(left))
        outside = float(whole.belief.posterior.culprit[~left[searched.reach.order]].sum())
        if whole.belief.suspects().any() or outside > 0.5:
            return whole
    return found


def _replayed(state: State, searched: Range, weights: Floats) -> Search:
    start = state.started
    by_script = not start.by_hand
    order = searched.reach.order
    unchanged = aside.marked(searched.candidates, state)
    same = None
    if unchanged.any():
        same = aside.labels(searched.candidates, unchanged)[order].tolist()
    found = Search(
        searched.candidates.graph,
        searched.reach,
        weights[order],
        rates.learned() if by_script else rates.certain(),
        _costs(state),
        start.confidence,
        same,
    )
    known = {*state.ends[1], *searched.bases}
    old = _on_old_branches(state, searched)
    found.belief.exclude(unchanged[order] | old)
    for oid, verdict in state.heard:
        position = searched.position(oid)
        if position is not None and old[position]:
            continue
        if position is not None:
            # A person also says what the end is; that it is bad is where the range comes from.
            if by_script or oid != searched.candidates.graph.oids[-1]:
                found.hear(position, verdict)
        elif by_script and oid in known:
            found.hear(GOOD_END, verdict)
    for same in state.same:
        pair = [
            GOOD_END if each in known else searched.position(each)
            for each in (same.oid, same.other)
        ]
        if pair[0] is not None and pair[1] is not None:
            found.equal(pair[0], pair[1])
    return found


def telling(state: State, searched: Range) -> tuple[Answer, ...]:
    """Return the verdicts that say something: not those of branches that had it all along."""
    old = _on_old_branches(state, searched)
    at = {oid: searched.position(oid) for oid, _ in state.verdicts}
    return tuple(
        (oid, verdict)
        for oid, verdict in state.verdicts
        if (position := at[oid]) is None or not old[position]
    )


def _on_old_branches(state: State, searched: Range) -> Mask:
    """Mark what is on branches that had it all along: bool[N], by position."""
    ends = {*state.ends[1], *searched.bases}
    marked = branches.without_end(searched.candidates, state.old, ends)
    left: Mask = marked[searched.reach.order]
    return left


def likely(found: Search) -> list[int]:
    """Return the positions that together hold the stated confidence, or all that can be."""
    suspects = np.flatnonzero(found.belief.suspects())
    if len(suspects):
        listed: list[int] = suspects.tolist()
        return listed
    culprit = found.belief.posterior.culprit
    order = np.argsort(-culprit, kind="stable")
    total = np.cumsum(culprit[order])
    enough = int(np.searchsorted(total, found.confidence * total[-1])) + 1
    kept: list[int] = order[:enough].tolist()
    return kept


def _costs(state: State) -> Costs:
    ended = {
        verdict: [run.seconds for run in state.tested if run.verdict is verdict]
        for verdict in (Verdict.GOOD, Verdict.BAD)
    }
    ratio = 1.0
    good, bad = ended[Verdict.GOOD], ended[Verdict.BAD]
    # Two of each, and long enough to be no accident of the machine.
    if min(len(good), len(bad)) >= 2 and max(mean(good), mean(bad)) > 5:
        measured = min(10.0, max(0.1, mean(bad) / max(0.1, mean(good))))
        ratio = measured if not 0.5 < measured < 2 else 1.0
    if state.started.find_fix:
        ratio = 1 / ratio
    return Costs(_BUILD if state.started.checkout else 0.0, 1.0, ratio)

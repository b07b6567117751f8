# SPDX-License-Identifier: GPL-2.0-or-later
"""The search: what to test next, given what was heard, and when to stop. Pure. In one page:

**Hypotheses.** Commit c of the range is the culprit, for each c, or there is none: the failure is
not tied to the range. With them go the rates of the test: `fail`, how often a commit that contains
the culprit fails (reproduction), `false`, how often one without it does (false failures), and
`untied`, how often any commit fails if there is no culprit. They are never asked for: each pair of
a grid is a hypothesis too, the first being the test that always tells the truth (rates.py).

**Prior.** The product of a prior over commits (priors.py: suspicion, no commit is at zero) and one
over rates. By hand every answer counts as true, so the grid is one point.

**Likelihood.** An answer bad from commit t has probability `fail` if t contains c, else `false`;
good the rest. But runs on one commit are more alike than runs on two, so a commit has rates of its
own, spread around these by as much as is learned too, and integrated out (ownrates.py). So the
likelihood of (c, rates) depends on c only by which tested commits contain it. Commits that are in
the same ones share one row, and the posterior is exact at about as many rows as commits were tested
(belief.py). What commits contain is held as intervals of a numbering along chains, so a sum over
all ancestors, for every commit at once, is one cumulative sum (reach.py).

**Choice.** The test that says most for its price. What it says is the mutual information of its
answer and the culprit, in bits; the price is its build, unless that is there, and its run, which
may be shorter when it fails (telling.py, price.py). While the answers agree and the test is more
likely true than not, rates are left out of it: the suspects are split by their probability, which
on a flat prior is git's rule (halving.py); but none is made after which it would need over `SPARE`
tests beyond log2 of the range, so a wrong suspicion costs little. Both are damped by how likely the
commit can be tested at all, given what could not (blocks.py).

**Others at work.** Pending tests part the suspects into cells, one for each combination of their
answers. The next test is the one that says most beyond them. When every cell is one commit, the
test that matters most is run twice, and after that the likeliest outcome is confirmed.

**Stopping.** Once a set of commits that no possible test tells apart holds the asked confidence,
and the answers prove it without the prior (stopping.py). If the posterior is there and the proof is
not, the test is made that would give it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kbisect.bisect import halving, stopping, telling
from kbisect.bisect.belief import OUTSIDE, Belief, Posterior
from kbisect.bisect.blocks import breakers, testable
from kbisect.bisect.halving import LEAST
from kbisect.bisect.information import entropy
from kbisect.bisect.price import Costs
from kbisect.bisect.rates import Floats, Rates
from kbisect.bisect.reach import Reach
from kbisect.bisect.stopping import Ending, Stop
from kbisect.bisect.verdict import Verdict
from kbisect.history.graph import CommitGraph, Mask

TRUST = 0.7
"""From this probability on that the test always tells the truth, its answers are taken for true.
Until then another run on a built commit is worth more than a build that a wrong answer may have led
astray: at 0.5 a failure that comes every other time costs a twentieth more, one that always comes a
fiftieth less."""

LIKELY = 0.4
"""From this probability on that it does, builds are spent as if it were so. A good answer in the
middle of a range, which a test that fails seldom gives too, leaves it at 0.47."""

SPARE = 3
"""So many tests more than halving takes, a suspicion may cost where it is wrong."""

TWICE = 3
"""So many workers may run one test that all wait for."""

VAIN = 3e-4
"""Bits. Where answers contradict each other, a run that says less isn't worth it: a commit with a
rate of its own is then known as well as it can be."""

GOOD_END = OUTSIDE
"""The position that stands for a good end."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Test this position next (GOOD_END: a good end); it is expected to say so many bits."""

    position: int
    bits: float


class Search:
    """One search over a range, fed with answers.

    It holds no clock and no workers. Whoever runs tests asks `next(pending)` for each free worker,
    calls `hear` with each answer as it comes, in any order, and then may cancel the pending tests
    that are `idle`. A search that heard the same answers in the same order says the same.

    Parameters
    ----------
    prior : float64[N], by position; what is 0 is no candidate
    confidence : it stops at this probability
    same : int[N], optional, by position: commits with one number have one binary, so that
        the build of one serves for all
    """

    def __init__(
        self,
        graph: CommitGraph,
        reach: Reach,
        prior: Floats,
        rates: Rates,
        costs: Costs | None = None,
        confidence: float = 0.95,
        same: Sequence[int] | None = None,
    ) -> None:
        self.graph = graph
        self.reach = reach
        self.belief = Belief(reach, prior, rates)
        self.costs = costs or Costs()
        self.confidence = confidence
        size = len(reach)
        self.built = np.zeros(size + 1, np.bool_)  # the last one: the good end
        self._same = None if same is None else np.asarray(same)
        self._heard = np.zeros(size, np.bool_)
        self._failed = np.zeros(size, np.bool_)
        self._failed[-1] = True  # where the range comes from
        self._skipped = np.zeros(size + 1, np.bool_)  # the same

    # --- what is heard ------------------------------------------------------------------------

    def hear(self, position: int, verdict: Verdict) -> None:
        """Take in an answer."""
        if verdict is Verdict.SKIP:
            self._skipped[position] = True
            return
        self._build(position)
        if position != GOOD_END:
            self._heard[position] = True
            self._failed[position] |= verdict is Verdict.BAD
        self.belief.hear(position, verdict is Verdict.BAD)

    def equal(self, position: int, other: int) -> None:
        """Take in that two commits have the same binary: no culprit lies between them.

        What is in one and not in the other changed nothing that is tested. The build of the one
        serves for the other.
        """
        self.built[[position, other]] |= self.built[[position, other]].any()
        contained = [
            np.zeros(len(self.reach), np.bool_) if each == GOOD_END else self.reach.mask(each)
            for each in (position, other)
        ]
        self.belief.exclude(contained[0] ^ contained[1])

    def _build(self, position: int) -> None:
        self.built[position] = True
        if self._same is not None and position != GOOD_END:
            self.built[:-1] |= self._same == self._same[position]

    # --- what is asked ------------------------------------------------------------------------

    def repeats(self, position: int) -> bool:
        """Whether a test would only check an answer: nothing heard so far must be wrong."""
        left = int(self.belief.suspects().sum())
        ends = position in {GOOD_END, len(self.reach) - 1}
        return left == 1 or (left > 1 and (ends or bool(self._heard[position])))

    def idle(self, position: int) -> bool:
        """Whether a test that is running can say nothing more, so that it may be cancelled."""
        suspects = self.belief.suspects()
        left = int(suspects.sum())
        fresh = position != GOOD_END and not self._heard[position]
        if not left or self.belief.posterior.certain < (LIKELY if fresh else TRUST):
            return False
        if left == 1:
            # What checks the one suspect goes on.
            return fresh and position not in self._around(int(np.argmax(suspects)))
        if position == GOOD_END:
            return True
        inside = sum(int(suspects[low:high].sum()) for low, high in self.reach.within(position))
        return inside in {0, left}

    def breakers(self, position: int) -> list[tuple[int, float]]:
        """Return what may have broken the build of a skipped commit, likeliest first."""
        tested, skipped = np.flatnonzero(self._heard), np.flatnonzero(self.untestable)
        return breakers(self.reach, tested.tolist(), skipped.tolist(), position)

    @property
    def untestable(self) -> Mask:
        """What couldn't be tested, and never could."""
        closed: Mask = self._skipped[:-1] & ~self._heard
        return closed

    def next(self, pending: Sequence[int] = ()) -> Choice | Stop | None:
        """Return what to test next, or that it is over.

        Parameters
        ----------
        pending : positions that others test at this moment

        Returns
        -------
        None: nothing but to wait for those
        """
        post = self.belief.posterior
        suspects = self.belief.suspects()
        left = int(suspects.sum())
        # As long as all answers can be true, there is a culprit to be looked for.
        agree = left > 0 and (post.certain >= TRUST or post.none >= self.confidence)
        likely = left > 0 and (post.certain >= LIKELY or post.none >= self.confidence)
        if agree and left > 1:
            choice = self._split(suspects, pending)
            if choice is not None:
                return choice
            if pending:
                return self._twice(suspects, pending)
            if len(self.belief.rates.fail) == 1:
                return Stop(Ending.RANGE, tuple(np.flatnonzero(suspects).tolist()), 1.0)
        if pending and left <= 1:
            return self._beside(post, suspects, pending)
        closed = self._closed(post)
        ended = self._ended(closed)
        if isinstance(ended, Stop):
            return ended
        choice = self._passing(post, closed) if left else None
        if choice is not None:
            return choice
        if ended is not None:
            choice = self._proof(ended, closed, pending)
        elif (likely and left == 1) or (agree and post.culprit[suspects].sum() < self.confidence):
            # No other test of a suspect would split what is left: check the answers.
            repeats = self._heard.copy()
            if left == 1:
                repeats[:] = False
                repeats[self._around(int(np.argmax(suspects)))] = True
            choice = self._telling(post, pending, closed | ~repeats)
        choice = choice or self._telling(post, pending, closed)
        if choice is not None and likely and left > 1 and self.costs.build:
            # Runs on what is built may try the test itself; a build still parts the suspects.
            fresh = choice.position != GOOD_END and not self._heard[choice.position]
            choice = (self._split(suspects, pending) if fresh else None) or choice
        if choice is not None or pending:
            return choice
        return stopping.exhausted(self.belief, self.confidence)

    # --- when every answer is true ------------------------------------------------------------

    def _split(self, suspects: Mask, pending: Sequence[int]) -> Choice | None:
        """Choose what parts the suspects best, each weighed by its probability."""
        closed = ~suspects | self._heard | self.untestable
        closed[[each for each in pending if each != GOOD_END]] = True
        hope = self._hope(suspects) * ~closed
        for weights in (np.where(suspects, self.belief.prior, 0), suspects.astype(float)):
            gain, inside = halving.bits(self.reach, weights / weights.sum(), pending)
            value = gain / self.costs.price(self.built[:-1], inside) * hope
            if not pending and not self._skipped.any():
                left = (len(suspects) - 1).bit_length() + SPARE - int(self._heard[:-1].sum())
                value = halving.bounded(self.reach, value, suspects, left)
            best = int(np.argmax(value))
            if value[best] > LEAST:
                return Choice(best, float(gain[best]))
            # The prior is sure, and decides nothing: what it holds for impossible is parted too.
        return None

    def _twice(self, suspects: Mask, pending: Sequence[int]) -> Choice | None:
        """Run the pending test that matters most once more: the first of them to end is enough."""
        weights = np.where(suspects, self.belief.prior, 0)
        gain, _ = halving.bits(self.reach, weights / weights.sum())
        count = np.bincount([each for each in pending if each != GOOD_END], minlength=len(weights))
        value = np.where((count > 0) & (count < TWICE), gain / np.maximum(count, 1), 0)
        best = int(np.argmax(value))
        return Choice(best, float(gain[best])) if value[best] > LEAST else None

    def _beside(
        self, post: Posterior, suspects: Mask, pending: Sequence[int]
    ) -> Choice | Stop | None:
        """Choose as if what runs already had come out as it most likely will."""
        if isinstance(ended := self._ended(self._closed(post)), Stop):
            return ended
        kept = self.belief, self._failed
        self.belief, self._failed = self.belief.fork(), self._failed.copy()
        try:
            for position in pending:
                now = self.belief.posterior
                likely = telling.often_at_good_end(now)
                if position != GOOD_END:
                    inside = self.reach.mask(position)
                    likely += float((now.culprit * (now.fail - now.false))[inside].sum())
                    self._failed[position] |= likely >= 0.5
                self.belief.hear(position, likely >= 0.5)
            planned = self.next()
        finally:
            self.belief, self._failed = kept
        return planned if isinstance(planned, Choice) else None

    def _around(self, position: int) -> list[int]:
        """Return a commit's position and its parents'."""
        commit = int(self.reach.order[position])
        parents = self.graph.parents_of(commit)
        return [position, *(int(self.reach.position[parent]) for parent in parents)]

    # --- when answers may be wrong ------------------------------------------------------------

    def _telling(self, post: Posterior, pending: Sequence[int], closed: Mask) -> Choice | None:
        """Choose what says most about the culprit for its price, under all that is believed."""
        culprit = post.culprit
        dim = self._hope(culprit > (1 - self.confidence) / len(self.reach) / 10) * ~closed
        if pending:
            tied = float(culprit.sum())
            fresh, share = halving.bits(self.reach, culprit / tied, pending)
            if fresh.max() > 0.01:
                dim = dim * np.minimum(1, fresh / np.maximum(entropy(share), 1e-9))
        again = self.belief.again
        value = telling.value(self.reach, post, again, self.costs, self.built[:-1], dim)
        best = int(np.argmax(value))
        at_end = telling.bits_at_good_end(post, again)
        price = float(self.costs.price(self.built[-1:], np.zeros(1))[0])
        if not self._skipped[-1] and at_end / price > max(float(value[best]), LEAST):
            return Choice(GOOD_END, at_end)
        if value[best] <= LEAST:
            return None
        said = float(telling.bits(self.reach, post, again)[0][best])
        return Choice(best, said) if said > VAIN or self.belief.suspects().any() else None

    # --- when it may end ----------------------------------------------------------------------

    def _closed(self, post: Posterior) -> Mask:
        """Mark what can't be tested, and what isn't tried any more."""
        closed = self.untestable
        if closed.any():
            suspects = self.belief.suspects()
            if not suspects.any():
                suspects = post.culprit > (1 - self.confidence) / len(self.reach) / 10
            closed = closed | (self._hope(suspects) <= 0)
        return closed

    def _ended(self, closed: Mask) -> Stop | Mask | None:
        return stopping.ended(self.belief, self._failed, closed, self.confidence)

    def _passing(self, post: Posterior, closed: Mask) -> Choice | None:
        """Choose between the likeliest culprit and the bad end, where the former only passes.

        Only a strong prior and rare reproduction can speak for it. How rare that is, the bad end
        tells: no run on it says anything about the culprit, but together they refute it or not.
        """
        top, last = int(np.argmax(post.culprit)), len(self.reach) - 1
        if post.culprit[top] < 0.5 or self._failed[top] or not self._heard[top] or closed[top]:
            return None
        least = min((top, last), key=lambda each: sum(self.belief.runs(each)))
        return Choice(least, 0.0)

    def _proof(self, among: Mask, closed: Mask, pending: Sequence[int]) -> Choice | None:
        """Choose what would prove the set that is believed."""
        top = int(np.argmax(among))
        rivals = self.belief.rivals(top, among)
        if not rivals.any():
            return None if top in pending else Choice(top, 0.0)
        inside = self.reach.mass(among / among.sum() / 2 + rivals / rivals.sum() / 2)
        gain = entropy(np.clip(inside, 0, 1)) * ~closed
        gain[[each for each in pending if each != GOOD_END]] = 0
        best = int(np.argmax(gain))
        return Choice(best, float(gain[best])) if gain[best] > LEAST else None

    def _hope(self, suspects: Mask) -> Floats:
        """Guess how likely each commit can be tested, by position; 1 where it was."""
        skipped = np.flatnonzero(self.untestable & suspects)
        if not len(skipped):
            return np.ones(len(suspects))
        tested = np.flatnonzero(self._heard).tolist()
        # Also an answer "can't be tested" says where the block ends: hence the root.
        return np.sqrt(testable(self.reach, tested, skipped.tolist()))

# SPDX-License-Identifier: GPL-2.0-or-later
"""The search: what to test next, given what was heard, and when to stop. Pure.

While every answer so far is likely true, the commit is taken that splits the suspects best, as git
does, but by their probability and for the time it takes. Once answers contradict each other, or
are unlikely to be all true, each test is weighed by the bits it says about the culprit under
everything that is believed of the rates, for the time that it takes: a commit that is already built
is cheap to test again, and one that must be built is worth as many runs as it takes to know it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from kbisect.bisect.belief import Belief, Posterior
from kbisect.bisect.hope import PATIENCE, hope
from kbisect.bisect.information import RUNS, entropy, several
from kbisect.bisect.rates import Floats, Rates
from kbisect.bisect.reach import Reach
from kbisect.bisect.verdict import Verdict
from kbisect.history.graph import CommitGraph, Mask

TRUST = 0.5
"""From this probability on that the test always tells the truth, its answers are taken for true."""

GOOD_END = -1
"""The position that stands for a good end: it contains no candidate."""

_ALL = slice(None)
_DEAR = 1.5
"""A build is weighed so much heavier than it is: it is often followed by another."""
_LEAST = 1e-7  # bits; a test that says less says nothing


@dataclass(frozen=True, slots=True)
class Costs:
    """What a test costs, in any unit.

    Attributes
    ----------
    build : of a commit that isn't built yet
    test : of one run that ends good
    bad_ratio : time of a run that ends bad against one that ends good
    """

    build: float = 0.0
    test: float = 1.0
    bad_ratio: float = 1.0


class Ending(StrEnum):
    """How a search stops."""

    CULPRIT = "culprit"
    RANGE = "range"
    NO_CULPRIT = "no-culprit"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Choice:
    """Test this position next (GOOD_END: a good end); it is expected to say so many bits."""

    position: int
    bits: float


@dataclass(frozen=True, slots=True)
class Stop:
    """The search is over: these positions, with this probability that the culprit is among them."""

    ending: Ending
    positions: tuple[int, ...]
    confidence: float


class Search:
    """One search over a range, fed with answers.

    Parameters
    ----------
    prior : float64[N], by position
    confidence : it stops at this probability
    """

    def __init__(
        self,
        graph: CommitGraph,
        reach: Reach,
        prior: Floats,
        rates: Rates,
        costs: Costs | None = None,
        confidence: float = 0.95,
    ) -> None:
        self.graph = graph
        self.reach = reach
        self.belief = Belief(reach, prior, rates)
        self.costs = costs or Costs()
        self.confidence = confidence
        size = len(reach)
        self.built = np.zeros(size + 1, np.bool_)  # the last one: the good end
        self._heard = np.zeros(size, np.bool_)
        self._skipped = np.zeros(size, np.bool_)
        self._in_vain = 0

    def hear(self, position: int, verdict: Verdict) -> None:
        """Take in an answer."""
        if verdict is Verdict.SKIP:
            if position != GOOD_END:
                self._skipped[position] = True
                self._in_vain += 1
            return
        self._in_vain = 0
        self.built[position] = True
        if position != GOOD_END:
            self._heard[position] = True
        self.belief.hear(None if position == GOOD_END else position, verdict is Verdict.BAD)

    def repeats(self, position: int) -> bool:
        """Whether a test would only check an answer: nothing heard so far must be wrong."""
        left = int(self.belief.suspects().sum())
        ends = position in {GOOD_END, len(self.reach) - 1}
        return left == 1 or (left > 1 and (ends or bool(self._heard[position])))

    @property
    def untestable(self) -> Mask:
        """What couldn't be tested, and never could."""
        closed: Mask = self._skipped & ~self._heard
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
        if left > 1 and (post.certain >= TRUST or post.none >= self.confidence):
            choice = self._best_split(suspects, pending)
            if choice is not None:
                return choice
            if pending:
                return None
            if len(self.belief.rates.fail) == 1:
                return Stop(Ending.RANGE, tuple(np.flatnonzero(suspects).tolist()), 1.0)
        if pending and left <= 1:
            return self._beside(post, suspects, pending)
        stop, given_up = self._stop(post)
        if stop is not None:
            return stop
        choice = None
        if left and (post.certain >= TRUST or post.none >= self.confidence):
            # All answers can be true, and no other would split what is left: check them.
            closed = ~self._heard
            if left == 1:
                closed[:] = True
                closed[self._around(int(np.argmax(suspects)))] = False
            choice = self._most_telling(post, pending, closed)
        choice = choice or self._most_telling(post, pending, given_up)
        if choice is not None or pending:
            return choice
        likely = np.flatnonzero(post.culprit >= (1 - self.confidence) / max(1, len(self.reach)))
        return Stop(Ending.UNRESOLVED, tuple(likely.tolist()), float(post.culprit[likely].sum()))

    def _beside(
        self, post: Posterior, suspects: Mask, pending: Sequence[int]
    ) -> Choice | Stop | None:
        """Choose as if what runs already had come out as it most likely will."""
        if (stop := self._stop(post)[0]) is not None:
            return stop
        heard, self.belief = self.belief, self.belief.fork()
        try:
            for position in pending:
                now = self.belief.posterior
                low = float(now.culprit @ now.false) + now.none * now.untied
                inside = np.zeros(len(self.reach), np.bool_)
                if position != GOOD_END:
                    inside = self.reach.mask(position)
                likely = low + float((now.culprit * (now.fail - now.false))[inside].sum())
                self.belief.hear(None if position == GOOD_END else position, likely >= 0.5)
            planned = self.next()
        finally:
            self.belief = heard
        return planned if isinstance(planned, Choice) else None

    def _around(self, position: int) -> list[int]:
        """Return a commit's position and its parents'."""
        commit = int(self.reach.order[position])
        parents = self.graph.parents_of(commit)
        return [position, *(int(self.reach.position[parent]) for parent in parents)]

    def idle(self, position: int) -> bool:
        """Whether a test that is running can say nothing more."""
        suspects = self.belief.suspects()
        if self.belief.posterior.certain < TRUST or int(suspects.sum()) <= 1:
            return False
        if position == GOOD_END:
            return True
        inside = sum(int(suspects[low:high].sum()) for low, high in self.reach.within(position))
        return inside in {0, int(suspects.sum())}

    # --- when every answer is true ------------------------------------------------------------

    def _best_split(self, suspects: Mask, pending: Sequence[int]) -> Choice | None:
        weights = np.where(suspects, self.belief.prior, 0)
        weights /= weights.sum()
        closed = ~suspects | self._heard | self.untestable
        closed[[each for each in pending if each != GOOD_END]] = True
        gain, inside = self._split(weights, pending, entropy)
        value = gain / self._cost(inside)
        value[closed] = 0
        value = self._hoped(value, suspects)
        best = int(np.argmax(value))
        return Choice(best, float(gain[best])) if value[best] > _LEAST else None

    def _split(
        self, weights: Floats, pending: Sequence[int], bits: Callable[[Floats], Floats]
    ) -> tuple[Floats, Floats]:
        """Return the bits of each commit beyond what the pending tests will say, and its share."""
        inside = np.clip(self.reach.mass(weights), 0, 1)
        if not pending:
            return bits(inside), inside
        label = np.zeros(len(weights), np.int64)
        for bit, position in enumerate(dict.fromkeys(each for each in pending if each != GOOD_END)):
            for low, high in self.reach.within(position):
                label[low:high] += 1 << bit
        gain = np.zeros(len(weights))
        held = weights > 0
        for cell in np.unique(label[held]).tolist():
            part = np.where(label == cell, weights, 0)
            whole = part.sum()
            gain += whole * bits(np.clip(self.reach.mass(part) / whole, 0, 1))
        return gain, inside

    # --- when answers may be wrong ------------------------------------------------------------

    def _most_telling(
        self, post: Posterior, pending: Sequence[int], given_up: Mask | None
    ) -> Choice | None:
        culprit, reach = post.culprit, self.reach
        tied = float(culprit.sum())
        often = float(culprit @ post.false) + post.none * post.untied
        bad = np.clip(often + reach.mass(culprit * (post.fail - post.false)), 0, 1)
        bits_fail, bits_false = entropy(post.fail), entropy(post.false)
        spare = float(culprit @ bits_false) + post.none * float(entropy(np.array([post.untied]))[0])
        bits = entropy(bad) - spare - reach.mass(culprit * (bits_fail - bits_false))
        value = bits / self._cost(bad)
        share = np.clip(reach.mass(culprit), 0, 1)
        if pending:
            fresh, _ = self._split(culprit / tied, pending, entropy)
            if fresh.max() > 0.01:
                value = value * np.minimum(1, fresh / np.maximum(entropy(share / tied), 1e-9))
        value[self.untestable] = 0
        if given_up is not None:
            value[given_up] = 0
        value = self._hoped(value, culprit > (1 - self.confidence) / len(reach) / 10)
        if self.costs.build > 0:
            few = self._worth_more(value, share)
            fail = reach.mass(culprit * post.fail)[few] / np.maximum(share[few], 1e-12)
            rest = np.maximum(1 - share[few], 1e-12)
            false = (often - reach.mass(culprit * post.false)[few]) / rest
            fail, false = np.clip(fail, 0, 1), np.clip(false, 0, 1)
            dimmed = value[few] * self._cost(bad)[few] / np.maximum(bits[few], 1e-12)
            for runs in RUNS:
                many, length = several(share[few], runs, fail, false)
                worth = many / self._cost(bad, few, length) * np.clip(dimmed, 0, 1)
                value[few] = np.maximum(value[few], worth)
        best = int(np.argmax(value))
        # The good end itself tells a culprit from a failure that is everywhere.
        at_end = float(entropy(np.array([often]))[0]) - spare
        price = (0 if self.built[GOOD_END] else self.costs.build) + self.costs.test
        if at_end / price > value[best]:
            best, value_best, found = GOOD_END, at_end / price, at_end
        else:
            value_best, found = float(value[best]), float(bits[best])
        return Choice(best, found) if value_best > _LEAST else None

    def _stop(self, post: Posterior) -> tuple[Stop | None, Mask | None]:
        if post.none >= self.confidence and not self.belief.suspects().any():
            return Stop(Ending.NO_CULPRIT, (), post.none), None
        if not self._skipped.any():
            top = int(np.argmax(post.culprit))
            if post.culprit[top] >= self.confidence:
                return Stop(Ending.CULPRIT, (top,), float(post.culprit[top])), None
            return None, None
        closed = self.untestable
        if self._in_vain >= PATIENCE:
            suspects = post.culprit > (1 - self.confidence) / len(self.reach) / 10
            closed = closed | (self._hope(suspects) <= 0)
        cell = self.reach.inseparable(closed)
        _, index = np.unique(cell, return_inverse=True)
        mass = np.bincount(index, weights=post.culprit)
        top = int(np.argmax(mass))
        if mass[top] < self.confidence:
            return None, closed
        among = np.flatnonzero((index == top) & (post.culprit > 0))
        ending = Ending.CULPRIT if len(among) == 1 else Ending.RANGE
        return Stop(ending, tuple(among.tolist()), float(mass[top])), closed

    # --- what both share ----------------------------------------------------------------------

    def _worth_more(self, value: Floats, share: Floats) -> NDArray[np.intp]:
        """Return the positions that several runs may be worth: the built ones, the best, halves."""
        among = np.where(value > 0, share, -1)
        halves = [np.abs(among - part).argmin() for part in (0.3, 0.4, 0.5, 0.6, 0.7)]
        best = np.argpartition(value, -min(8, len(value)))[-8:]
        few = np.unique(np.concatenate((np.flatnonzero(self.built[:-1]), best, halves)))
        return few[value[few] > 0]

    def _cost(
        self,
        bad: Floats,
        few: NDArray[np.intp] | slice = _ALL,
        runs: Floats | float = 1.0,
    ) -> Floats:
        """Return the expected cost of so many runs at each position."""
        costs = self.costs
        test = costs.test * (1 + bad[few] * (costs.bad_ratio - 1))
        price: Floats = np.where(self.built[:-1][few], 0, costs.build * _DEAR) + runs * test
        return price

    def _hoped(self, value: Floats, suspects: Mask) -> Floats:
        if not (self._skipped & suspects).any():
            return value
        return value * self._hope(suspects)

    def _hope(self, suspects: Mask) -> Floats:
        """Guess how likely each commit can be tested, by position; 1 where it was."""
        position, order = self.reach.position, self.reach.order
        found = hope(
            self.graph,
            suspects[position],
            self._heard[position],
            (self.untestable & suspects)[position],
            self._in_vain,
        )[order]
        found[self._heard | ~suspects] = 1
        return found

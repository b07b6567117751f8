# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a commit fails as the culprit does, or passes, by as many runs as it takes. Pure.

The search finds a culprit; a reader wants to see it fail, its parents pass, and its revert help. A
fixed number of runs proves nothing: three passes at 20 % reproduction happen every other time with
the bug in. So each check is a sequential test (Wald, 1945): runs are made until the ratio of
the two likelihoods, each averaged over what the search believes of the rates, reaches 1/error one
way or the other. Then the probability of the wrong finding is at most `error` (Ville's inequality),
whenever one stops. The commit's own rates are integrated out, as in the search (rates.py):
its runs are alike.

>>> import numpy as np
>>> half = SequentialTest(np.array([[0.5]]), np.array([[0.0]]), np.ones(1), np.ones(1))
>>> half.passes_needed, half.judge(good=7, bad=0).finding, half.judge(good=3, bad=1).finding
(7, <Finding.PASSES: 'passes'>, <Finding.FAILS: 'fails'>)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kbisect.bisect.belief import Belief
from kbisect.bisect.rates import Floats

MOST = 500
"""A check that is still open after so many runs is given up."""

_RARE = 1e-4
"""No test is surer than this: a pass with the bug in, or a failure without, may always happen."""


class Finding(StrEnum):
    """What the runs of one check say."""

    FAILS = "fails"
    PASSES = "passes"
    OPEN = "open"


class Check(StrEnum):
    """What is run to confirm a culprit."""

    CULPRIT = "culprit"
    PARENT = "parent"
    REVERT = "revert on the culprit"
    REVERT_ON_TIP = "revert on the tip"

    @property
    def expected(self) -> Finding:
        """What it should find."""
        return Finding.FAILS if self is Check.CULPRIT else Finding.PASSES


@dataclass(frozen=True, slots=True)
class Judged:
    """What some runs say.

    Attributes
    ----------
    error : at most so likely is it wrong; of an open one: it would be, were the runs to end here
    """

    finding: Finding
    error: float


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """A test between "fails at a rate of reproduction" and "fails at a rate of false failures".

    Attributes
    ----------
    fail, false : float64[G, J], the rates that are believed in, each with those of single commits
    weight : float64[G], how much each is
    shares : float64[J], how many commits have each rate
    error : probability of a wrong finding, either way
    """

    fail: Floats
    false: Floats
    weight: Floats
    shares: Floats
    error: float = 0.01

    @classmethod
    def of(cls, belief: Belief, error: float = 0.01) -> SequentialTest:
        """Take the rates from what a search has learned of them."""
        rates = belief.rates
        return cls(rates.fail_own, rates.false_own, belief.rate_weights(), rates.shares, error)

    def judge(self, good: int, bad: int) -> Judged:
        """Judge so many good and bad runs of one commit, in whatever order they came."""
        ratio = self._ratio(good, bad)
        error = float(min(1.0, np.exp(-abs(ratio))))
        if error > self.error:
            return Judged(Finding.OPEN, error)
        return Judged(Finding.FAILS if ratio > 0 else Finding.PASSES, error)

    def rather_fails(self, good: int, bad: int) -> bool:
        """Whether these runs look more like a commit that fails than like one that passes.

        Not what most of them did: at a reproduction of 20 % most runs of the culprit pass.
        """
        return self._ratio(good, bad) > 0

    def _ratio(self, good: int, bad: int) -> float:
        fails = self._log_likelihood(self.fail, good, bad)
        return fails - self._log_likelihood(self.false, good, bad)

    @property
    def passes_needed(self) -> int:
        """How many passes in a row show that it passes."""
        return self._needed(lambda runs: self.judge(runs, 0))

    @property
    def failures_needed(self) -> int:
        """How many failures in a row show that it fails."""
        return self._needed(lambda runs: self.judge(0, runs))

    def _needed(self, judged: Callable[[int], Judged]) -> int:
        runs = 1
        while judged(runs).finding is Finding.OPEN and runs < MOST:
            runs += 1
        return runs

    def _log_likelihood(self, rate: Floats, good: int, bad: int) -> float:
        rate = np.clip(rate, _RARE, 1 - _RARE)
        log = bad * np.log(rate) + good * np.log(1 - rate)
        top = float(log.max())
        return top + float(np.log(self.weight @ np.exp(log - top) @ self.shares))


def next_check(
    test: SequentialTest, runs: Sequence[tuple[Check, int, int]]
) -> tuple[Check | None, tuple[Judged, ...]]:
    """Tell which check to run once more, and what each says so far.

    Parameters
    ----------
    runs : (check, good runs, bad runs) of those that can be made: a revert may conflict

    Returns
    -------
    None when all are decided, given up, or one has found what it should not
    """
    judged = tuple(test.judge(good, bad) for _, good, bad in runs)
    for (check, _, _), found in zip(runs, judged, strict=True):
        if found.finding not in {Finding.OPEN, check.expected}:
            return None, judged
    for (check, good, bad), found in zip(runs, judged, strict=True):
        if found.finding is Finding.OPEN and good + bad < MOST:
            return check, judged
    return None, judged

# SPDX-License-Identifier: GPL-2.0-or-later
"""What is believed of a range: which commit is the culprit, whether there is one, and the rates.

Every hypothesis (culprit, rates) gives each answer a probability, which depends on the culprit only
by whether the tested commit contains it. So commits that are in the same tested commits share one
row of the grid: after tests of T commits there are about T rows, however long the range is. A row
is the logarithm of the likelihood at each point of the grid; an answer adds to it how likely that
run was, given the runs on the same commit before it (ownrates.py), and the first answer from a
commit splits the rows.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kbisect.bisect.information import entropy
from kbisect.bisect.ownrates import OwnRates
from kbisect.bisect.rates import Floats, Rates
from kbisect.bisect.reach import Reach
from kbisect.history.graph import Mask

_NEVER = -1e9  # a logarithm that makes any product zero

OUTSIDE = -1
"""The position that stands for a commit that contains no candidate, as a good end."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """The belief after some answers, by position.

    Attributes
    ----------
    culprit : float64[N], probability of each commit
    none : probability that there is no culprit
    fail, false : float64[N], probability that a commit with, or without, the culprit fails the
        next time, given which commit is the culprit; of a commit that was not tested
    fail_twice, false_twice : float64[N], the same of two runs on it
    untied, untied_twice : the same if there is no culprit
    certain : probability that the test always tells the truth
    rates : mean rate of reproduction and of false failures, if there is a culprit
    """

    culprit: Floats
    none: float
    fail: Floats
    false: Floats
    fail_twice: Floats
    false_twice: Floats
    untied: float
    untied_twice: float
    certain: float
    rates: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Again:
    """What is expected of the commits that were tested, whose own rates are known a little.

    Attributes
    ----------
    positions : int[T]; OUTSIDE too
    bad : float64[T], probability that the next run fails
    bits : float64[T], what that run says about the culprit
    with_it, without : (float64[T], float64[T]), probability that the next run fails, and that the
        next two do, if the commit contains the culprit, and if it doesn't
    """

    positions: NDArray[np.int64]
    bad: Floats
    bits: Floats
    with_it: tuple[Floats, Floats]
    without: tuple[Floats, Floats]


class Belief:
    """Answers heard so far; the posterior is worked out when it is asked for.

    Parameters
    ----------
    reach : of the range
    prior : float64[N], by position
    """

    def __init__(self, reach: Reach, prior: Floats, rates: Rates) -> None:
        self.reach = reach
        self.prior = prior / prior.sum()
        self.rates = rates
        self._inside = np.zeros((2, len(reach)), np.int32)
        """Good and bad answers from commits that contain each one."""
        self._total = [0, 0]
        self._runs: dict[int, tuple[int, int]] = {}
        """Good and bad answers from each tested commit."""
        self._new = OwnRates.of(rates)
        self._ahead: dict[int, OwnRates] = {}
        self._row = np.zeros(len(reach), np.int64)
        self._log = np.zeros((1, len(rates.fail)))
        self._untied_log = np.zeros(len(rates.untied))
        self._holds: dict[int, Mask] = {}
        """Which rows each tested commit contains."""
        self._known: Posterior | None = None
        self._again: Again | None = None
        self._weights: tuple[Floats, Floats, Floats] | None = None

    def fork(self) -> Belief:
        """Return a copy that hears on its own."""
        other = copy(self)
        other._inside, other._log = self._inside.copy(), self._log.copy()
        other._untied_log = self._untied_log.copy()
        other._total = list(self._total)
        other._runs, other._holds = dict(self._runs), dict(self._holds)
        other._ahead = dict(self._ahead)
        return other

    @property
    def heard(self) -> tuple[int, int]:
        """The number of good and of bad answers."""
        return self._total[0], self._total[1]

    def runs(self, position: int) -> tuple[int, int]:
        """Return the number of good and of bad answers from one commit."""
        return self._runs.get(position, (0, 0))

    def hear(self, position: int, bad: bool) -> None:
        """Take in one answer."""
        self._forget()
        self._total[bad] += 1
        if position not in self._runs:
            self._runs[position] = (0, 0)
            self._ahead[position] = self._new
            self._split(position)
        if position != OUTSIDE:
            for low, high in self.reach.within(position):
                self._inside[int(bad), low:high] += 1
        expected, holds = self._ahead[position], self._holds[position]
        self._log[holds] += _log(expected.fail[0], bad)
        self._log[~holds] += _log(expected.false[0], bad)
        self._untied_log += _log(expected.untied[0], bad)
        good_runs, bad_runs = self._runs[position]
        self._runs[position] = good_runs + (not bad), bad_runs + bad
        self._ahead[position] = expected.after(bad)

    def _split(self, position: int) -> None:
        """Part the rows by whether a commit contains them."""
        label = 2 * self._row
        if position != OUTSIDE:
            for low, high in self.reach.within(position):
                label[low:high] += 1
        there = np.bincount(label, minlength=2 * len(self._log)) > 0
        labels = np.flatnonzero(there)
        self._row = (np.cumsum(there) - 1)[label]
        self._log = self._log[labels >> 1]
        self._holds = {each: holds[labels >> 1] for each, holds in self._holds.items()}
        self._holds[position] = (labels & 1).astype(np.bool_)

    def suspects(self) -> Mask:
        """Mark what can be the culprit if every answer is true; nothing, if they contradict."""
        good, bad = self._inside
        marked: Mask = (good == 0) & (bad == self._total[1]) & (self.prior > 0)
        return marked

    def rivals(self, position: int, among: Mask) -> Mask:
        """Mark what the answers allow as well as this culprit, whatever the rates; not the set.

        A rival is in every commit that failed and contains the culprit, or in as many, and in no
        more that passed: only a prior can tell it from the culprit.
        """
        good, bad = self._inside
        found: Mask = (good <= good[position]) & (bad >= bad[position]) & ~among & (self.prior > 0)
        return found

    def exclude(self, innocent: Mask) -> None:
        """Leave some commits out from now on; not all of them."""
        kept = np.where(innocent, 0.0, self.prior)
        if kept.any():
            self.prior = kept / kept.sum()
            self._forget()

    def _forget(self) -> None:
        self._known = self._again = self._weights = None

    def rate_weights(self) -> Floats:
        """Return the probability of each point of the grid, if there is a culprit: float64[G]."""
        share, joint, _ = self._joint()
        each: Floats = share @ joint / float((share @ joint).sum())
        return each

    @property
    def posterior(self) -> Posterior:
        """The belief now."""
        if self._known is None:
            self._known = self._posterior()
        return self._known

    @property
    def again(self) -> Again:
        """What to expect of another run on a commit that was tested."""
        if self._again is None:
            self._again = self._expected()
        return self._again

    def _posterior(self) -> Posterior:
        rates, none = self.rates, self.rates.none
        share, joint, alone = self._joint()
        each = joint.sum(axis=1)
        tied = (1 - none) * float(each @ share)
        untied = none * float(alone.sum())
        whole = tied + untied
        possible, safe = each > 0, np.where(each > 0, each, 1)

        def expected(chance: Floats, otherwise: float) -> Floats:
            return np.where(possible, joint @ chance / safe, otherwise)

        fail, false = expected(rates.fail, 1), expected(rates.false, 0)
        mass = share * each
        shared = max(float(mass.sum()), 1e-300)
        return Posterior(
            culprit=self.prior * ((1 - none) * each / whole)[self._row],
            none=untied / whole,
            fail=fail[self._row],
            false=false[self._row],
            fail_twice=expected(self._new.fail[1], 1)[self._row],
            false_twice=expected(self._new.false[1], 0)[self._row],
            untied=_mean(alone, rates.untied),
            untied_twice=_mean(alone, self._new.untied[1]),
            certain=float((joint[:, 0] * share).sum()) / shared,
            rates=(float(mass @ fail) / shared, float(mass @ false) / shared),
        )

    def _expected(self) -> Again:
        none = self.rates.none
        share, joint, alone = self._joint()
        positions = np.array(list(self._runs), np.int64)
        whole = (1 - none) * float(joint.sum(axis=1) @ share) + none * float(alone.sum())
        weight = joint * (share * (1 - none) / whole)[:, None]
        untied_weight = alone * (none / whole)
        mass = weight.sum(axis=1)
        possible, safe = mass[:, None] > 0, np.where(mass > 0, mass, 1)[:, None]
        holds = np.array(list(self._holds.values()), np.bool_).reshape(-1, len(mass)).T

        def chances(which: str, order: int) -> Floats:  # grid x tested
            found = [getattr(each, which)[order] for each in (self._new, *self._ahead.values())]
            return np.array(found[1:], float).reshape(len(found) - 1, len(found[0])).T

        failing = [
            np.where(holds, weight @ chances("fail", i), weight @ chances("false", i))
            for i in (0, 1)
        ]
        untied = [untied_weight @ chances("untied", i) for i in (0, 1)]
        within, beside = mass @ holds, mass @ ~holds + float(untied_weight.sum())
        with_it = [(each * holds).sum(axis=0) / np.maximum(within, 1e-300) for each in failing]
        without = [
            ((each * ~holds).sum(axis=0) + extra) / np.maximum(beside, 1e-300)
            for each, extra in zip(failing, untied, strict=True)
        ]
        likely = failing[0].sum(axis=0) + untied[0]
        known = mass @ entropy(np.clip(np.where(possible, failing[0] / safe, 0), 0, 1))
        if len(alone):
            held = max(float(untied_weight.sum()), 1e-300)
            known = known + held * entropy(np.clip(untied[0] / held, 0, 1))
        return Again(
            positions=positions,
            bad=np.clip(likely, 0, 1),
            bits=entropy(np.clip(likely, 0, 1)) - known,
            with_it=(with_it[0], with_it[1]),
            without=(without[0], without[1]),
        )

    def _joint(self) -> tuple[Floats, Floats, Floats]:
        """Return the prior of each row, and the joint weight of what was heard and the rates.

        float64[R], float64[R, G], float64[U]; the weights have one factor in common.
        """
        if self._weights is None:
            share: Floats = np.bincount(
                self._row, weights=self.prior, minlength=len(self._log)
            ).astype(np.float64)
            # A row without a prior must not set the scale.
            top = float(self._log[share > 0].max())
            top = max(top, float(self._untied_log.max(initial=-np.inf)))
            joint = np.exp(np.minimum(self._log - top, 0)) * self.rates.weight
            alone = np.exp(self._untied_log - top) * self.rates.untied_weight
            self._weights = share, joint, alone
        return self._weights


def _log(chance: Floats, bad: bool) -> Floats:
    said = chance if bad else 1 - chance
    found: Floats = np.full(said.shape, _NEVER)
    np.log(said, out=found, where=said > 0)
    return found


def _mean(weights: Floats, values: Floats) -> float:
    whole = float(weights.sum())
    return float(weights @ values) / whole if whole else 0.0

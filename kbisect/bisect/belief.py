# SPDX-License-Identifier: GPL-2.0-or-later
"""What is believed of a range: which commit is the culprit, whether there is one, and the rates.

Every hypothesis (culprit, rates) gives each answer a probability, so the likelihood of a culprit
depends only on how many bad and good answers came from commits that contain it. Commits with the
same two counts share one row of the grid: with T answers there are about T rows, however long the
range is.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kbisect.bisect.rates import Floats, Rates
from kbisect.bisect.reach import Reach
from kbisect.history.graph import Mask


@dataclass(frozen=True, slots=True)
class Posterior:
    """The belief after some answers, by position.

    Attributes
    ----------
    culprit : float64[N], probability of each commit
    none : probability that there is no culprit
    fail, false : float64[N], probability that a commit with, or without, the culprit fails the
        next time, given which commit is the culprit
    untied : the same if there is no culprit
    certain : probability that the test always tells the truth
    rates : mean rate of reproduction and of false failures, if there is a culprit
    """

    culprit: Floats
    none: float
    fail: Floats
    false: Floats
    untied: float
    certain: float
    rates: tuple[float, float]


class Belief:
    """Answers heard so far, as counts; the posterior is worked out when it is asked for.

    Parameters
    ----------
    reach : of the range
    prior : float64[N], by position
    """

    def __init__(self, reach: Reach, prior: Floats, rates: Rates) -> None:
        self.reach = reach
        self.prior = prior / prior.sum()
        self.rates = rates
        self._logs = rates.logs
        self._untied = rates.untied_logs
        self._inside = np.zeros((2, len(reach)), np.int32)
        """Good and bad answers from commits that contain each one."""
        self._total = [0, 0]
        self._known: Posterior | None = None

    def fork(self) -> Belief:
        """Return a copy that hears on its own."""
        other = copy(self)
        other._inside = self._inside.copy()
        other._total = list(self._total)
        return other

    @property
    def heard(self) -> tuple[int, int]:
        """The number of good and of bad answers."""
        return self._total[0], self._total[1]

    def hear(self, position: int | None, bad: bool) -> None:
        """Take in one answer. None: from a commit that contains no candidate, as a good end."""
        self._known = None
        self._total[bad] += 1
        if position is not None:
            for low, high in self.reach.within(position):
                self._inside[int(bad), low:high] += 1

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
            self.prior, self._known = kept / kept.sum(), None

    def rate_weights(self) -> Floats:
        """Return the probability of each pair of rates, if there is a culprit: float64[G]."""
        share, counts, _ = self._rows()
        log = counts @ self._logs
        joint = np.exp(log - log.max()) * self.rates.weight
        each: Floats = share @ joint / float((share @ joint).sum())
        return each

    @property
    def posterior(self) -> Posterior:
        """The belief now."""
        if self._known is None:
            self._known = self._posterior()
        return self._known

    def _posterior(self) -> Posterior:
        rates = self.rates
        good, bad = self._total
        share, counts, at = self._rows()
        log = counts @ self._logs
        untied_log = np.array([bad, good]) @ self._untied
        top = max(float(log.max()), float(untied_log.max(initial=-np.inf)))
        joint = np.exp(log - top) * rates.weight
        alone = rates.untied_weight * np.exp(untied_log - top)
        each = joint.sum(axis=1)
        tied = (1 - rates.none) * float(each @ share)
        untied = rates.none * float(alone.sum())
        whole = tied + untied
        safe = np.where(each > 0, each, 1)
        fail = np.where(each > 0, joint @ rates.fail / safe, 1)
        false = np.where(each > 0, joint @ rates.false / safe, 0)
        mass = share * each
        shared = max(float(mass.sum()), 1e-300)
        return Posterior(
            culprit=self.prior * ((1 - rates.none) * each / whole)[at],
            none=untied / whole,
            fail=fail[at],
            false=false[at],
            untied=float(alone @ rates.untied / alone.sum()) if untied else 0.0,
            certain=float((joint[:, 0] * share).sum()) / shared,
            rates=(float(mass @ fail) / shared, float(mass @ false) / shared),
        )

    def _rows(self) -> tuple[Floats, NDArray[np.int64], NDArray[np.intp]]:
        """Put commits with equal counts together.

        Returns the prior of each row, its counts (bad and good answers with the culprit, bad and
        good without), and the row of each position.
        """
        good, bad = self._total
        key = self._inside[1].astype(np.int64) * (good + 1) + self._inside[0]
        share = np.bincount(key, weights=self.prior)
        rows = np.flatnonzero(share)
        with_bad, with_good = np.divmod(rows, good + 1)
        counts = np.stack([with_bad, with_good, bad - with_bad, good - with_good], axis=1)
        at: NDArray[np.intp] = np.searchsorted(rows, key)
        at[at == len(rows)] = 0  # commits without weight
        held: Floats = share[rows].astype(np.float64)
        return held, counts, at

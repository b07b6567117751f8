# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of one commit's own rates, at each point of the grid. Pure."""

from __future__ import annotations

import numpy as np

from kbisect.bisect.rates import Floats, Rates


class OwnRates:
    """How likely the next run on one commit fails, and the next two, after those it has had.

    Attributes
    ----------
    fail, false : (float64[G], float64[G]), if it contains the culprit, and if it doesn't
    untied : (float64[U], float64[U]), if there is no culprit
    """

    def __init__(self, steps: tuple[Floats, ...], known: tuple[Floats, ...]) -> None:
        self._steps, self._known = steps, known
        self.fail, self.false, self.untied = (
            (_mean(rate, share), _mean(rate * rate, share))
            for rate, share in zip(steps, known, strict=True)
        )

    @classmethod
    def of(cls, rates: Rates) -> OwnRates:
        """Expect of a commit that wasn't tested what is expected of all."""
        steps = rates.fail_own, rates.false_own, rates.untied_own
        return cls(steps, tuple(np.broadcast_to(rates.shares, each.shape) for each in steps))

    def after(self, bad: bool) -> OwnRates:
        """Take in a run."""
        both = zip(self._steps, self._known, strict=True)
        said = ((rate if bad else 1 - rate, share) for rate, share in both)
        return OwnRates(self._steps, tuple(_after(*each) for each in said))


def _mean(rate: Floats, share: Floats) -> Floats:
    """Return the mean of each row; exactly the rate where it is the same for all commits."""
    first = rate[:, 0]
    found: Floats = first + ((rate - first[:, None]) * share).sum(axis=1)
    return found


def _after(likelihood: Floats, known: Floats) -> Floats:
    """Apply Bayes' rule in each row; one that can't have been stays as it was."""
    product = likelihood * known
    whole = product.sum(axis=1, keepdims=True)
    found: Floats = np.divide(product, whole, out=known.copy(), where=whole > 0)
    return found

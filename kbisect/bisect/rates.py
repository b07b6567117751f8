# SPDX-License-Identifier: GPL-2.0-or-later
"""What is believed beforehand of a test's rates: how often it fails with the culprit, and without.

The rates are never asked for: they are learned with the culprit, on a grid. The first point of the
grid is the test that always tells the truth.

Nor are they the same everywhere. A race that a commit's own timing makes likelier, a machine that
is busy while one commit is tested: runs on one commit are more alike than runs on two. So a commit
draws its own rate from a beta distribution around the mean, and its width, as the correlation of
two runs on one commit, is a third coordinate of the grid, learned as well. What a commit's own rate
is, is integrated out (the beta-binomial, or Polya's urn): `next_time` is all that takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rates:
    """A prior over rates.

    Attributes
    ----------
    fail : float64[G], probability that a commit with the culprit fails (reproduction)
    false : float64[G], probability that one without it fails (false failure)
    weight : float64[G], the prior of each pair, given that there is a culprit; 0 is (1, 0)
    spread : float64[G], correlation of two runs on one commit; 0 where commits are alike
    untied : float64[U], rates of a failure that isn't tied to the range
    untied_weight, untied_spread : float64[U], their prior, and the correlation again
    none : probability that there is no culprit
    """

    fail: Floats
    false: Floats
    weight: Floats
    spread: Floats
    untied: Floats
    untied_weight: Floats
    untied_spread: Floats
    none: float


def next_time(
    rate: Floats, spread: Floats, bad: int | Floats = 0, good: int | Floats = 0
) -> Floats:
    """Return how likely the next run on a commit fails, after so many runs on it."""
    found: Floats = (rate * (1 - spread) + bad * spread) / (1 - spread + (bad + good) * spread)
    return found


SPREADS = ((0.0, 0.65), (0.05, 0.12), (0.12, 0.23))
"""Correlations of two runs on one commit, and their prior. Rates that vary by one in log odds have
about 0.1 where they are near 0.1 or 0.9, and 0.17 at one half."""


def learned(certain: float = 0.55, clean: float = 0.5, none: float = 0.14) -> Rates:
    """Return the default prior.

    Parameters
    ----------
    certain : probability that the test always tells the truth
    clean : of the others, how many never fail without the culprit
    none : probability that the failure isn't tied to the range
    """
    fail = np.array(
        [0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]
    )
    density = np.gradient(fail)
    density[-1] = density[-2]
    density = np.maximum(density, 0.03) / np.sqrt(fail)  # rare reproduction is not rare
    density /= density.sum()
    false = np.array([0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4])
    wide = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7])
    pairs = [(1.0, 0.0, certain)]
    pairs += [
        (p, 0.0, (1 - certain) * clean * w) for p, w in zip(fail, density, strict=True) if p < 1
    ]
    # A test that hardly tells the two apart is no test that somebody bisects with.
    noisy = [
        (p, q, w * v * min(1.0, (p - q) ** 2 / (p * (1 - p) + q * (1 - q))))
        for p, w in zip(fail, density, strict=True)
        for q, v in zip(false, wide, strict=True)
        if p - q >= 0.2 or p >= 3 * q
    ]
    total = sum(w for _, _, w in noisy)
    pairs += [(p, q, (1 - certain) * (1 - clean) * w / total) for p, q, w in noisy]
    # A test that always tells the truth does so on every commit.
    table = np.array(
        [(*pairs[0], 0.0)]
        + [(p, q, w * v, spread) for spread, v in SPREADS for p, q, w in pairs[1:]]
    )
    untied = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])
    # Somebody saw one end fail and the other pass.
    seen = untied * (1 - untied) * np.gradient(untied)
    spreads = np.array(SPREADS)
    return Rates(
        fail=table[:, 0],
        false=table[:, 1],
        weight=table[:, 2] / table[:, 2].sum(),
        spread=table[:, 3],
        untied=np.tile(untied, len(spreads)),
        untied_weight=np.outer(spreads[:, 1], seen / seen.sum()).ravel(),
        untied_spread=np.repeat(spreads[:, 0], len(untied)),
        none=none,
    )


def certain() -> Rates:
    """Return the belief that every answer is true, as `git bisect` holds it."""
    one, zero, nothing = np.ones(1), np.zeros(1), np.zeros(0)
    return Rates(one, zero, one, zero, nothing, nothing, nothing, 0.0)

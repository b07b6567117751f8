# SPDX-License-Identifier: GPL-2.0-or-later
"""What is believed beforehand of a test's rates: how often it fails with the culprit, and without.

The rates are never asked for: they are learned with the culprit, on a grid. The first point of the
grid is the test that always tells the truth.

Nor are they the same everywhere. A race that a commit's own timing makes likelier, a machine that
is busy while one commit is tested: runs on one commit are more alike than runs on two. So a commit
draws its own rate from a beta distribution around the mean. How wide that is, as a standard
deviation in log odds, is a third coordinate of the grid, learned as well; in log odds, so that a
test that never fails without the culprit can't do so often on some commit. What a commit's own rate
is, is integrated out (the beta-binomial, or Polya's urn): `next_time` is all that takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

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
    fail_alike, false_alike : float64[G], correlation of two runs on one commit, with the culprit
        and without; 0 where all commits have the same rate
    untied : float64[U], rates of a failure that isn't tied to the range
    untied_weight, untied_alike : float64[U], their prior, and the correlation again
    none : probability that there is no culprit
    """

    fail: Floats
    false: Floats
    weight: Floats
    fail_alike: Floats
    false_alike: Floats
    untied: Floats
    untied_weight: Floats
    untied_alike: Floats
    none: float


def next_time(rate: Floats, alike: Floats, bad: int | Floats = 0, good: int | Floats = 0) -> Floats:
    """Return how likely the next run on a commit fails, after so many runs on it."""
    found: Floats = (rate * (1 - alike) + bad * alike) / (1 - alike + (bad + good) * alike)
    return found


SPREADS = ((0.0, 0.3), (0.6, 0.1), (1.0, 0.6))
"""Standard deviations of commits' own rates, in log odds, and their prior.

That most tests that come and go do so unevenly costs something where they don't: a tenth more where
they fail every other time, a quarter more where they fail one time in five. With less of it the
confidence was too high where they do: 0.96 was stated and 0.84 held."""


def correlation(mean: Floats, spread: float) -> Floats:
    """Return the correlation of two runs on one commit, whose own rate varies around this mean.

    Parameters
    ----------
    spread : standard deviation of that rate, in log odds

    >>> correlation(np.array([0.01, 0.1, 0.5]), 1.0).round(2)
    array([0.02, 0.09, 0.17])
    """
    if not spread:
        return np.zeros(len(mean))
    nodes, share = np.polynomial.hermite_e.hermegauss(15)
    middle = np.linspace(-12, 12, 481)[:, None]
    own = 1 / (1 + np.exp(-(middle + spread * nodes)))
    once, twice = own @ share / share.sum(), own**2 @ share / share.sum()
    known = (twice - once**2) / (once * (1 - once))
    found: Floats = np.maximum(0, np.interp(mean, once, known, left=0, right=0))
    return found


@cache
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
    points = np.array(
        [(*pairs[0], 0.0)]
        + [(p, q, w * share, spread) for spread, share in SPREADS for p, q, w in pairs[1:]]
    ).T
    untied = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])
    # Somebody saw one end fail and the other pass.
    seen = untied * (1 - untied) * np.gradient(untied)
    shares = np.array([share for _, share in SPREADS])
    return Rates(
        fail=points[0],
        false=points[1],
        weight=points[2] / points[2].sum(),
        fail_alike=_correlations(points[0], points[3]),
        false_alike=_correlations(points[1], points[3]),
        untied=np.tile(untied, len(SPREADS)),
        untied_weight=np.outer(shares, seen / seen.sum()).ravel(),
        untied_alike=np.concatenate([correlation(untied, spread) for spread, _ in SPREADS]),
        none=none,
    )


def _correlations(mean: Floats, spread: Floats) -> Floats:
    found = np.zeros(len(mean))
    for each in np.unique(spread):
        found[spread == each] = correlation(mean[spread == each], each)
    return found


def certain() -> Rates:
    """Return the belief that every answer is true, as `git bisect` holds it."""
    one, zero, nothing = np.ones(1), np.zeros(1), np.zeros(0)
    return Rates(one, zero, one, zero, zero, nothing, nothing, nothing, 0.0)

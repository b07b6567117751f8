# SPDX-License-Identifier: GPL-2.0-or-later
"""What is believed beforehand of a test's rates: how often it fails with the culprit, and without.

The rates are never asked for: they are learned with the culprit, on a grid. The first point of the
grid is the test that always tells the truth.

Nor are they the same everywhere. A race that a commit's own timing makes likelier, a machine that
is busy while one commit is tested: runs on one commit are more alike than runs on two. So a commit
draws its own rate, normal in log odds, around the mean. How wide that is, its standard deviation,
is a third coordinate of the grid, learned as well; in log odds, so that a test that hardly ever
fails without the culprit can't do so often on some commit. What a commit's own rate is, is
integrated out (ownrates.py): what its runs say of it is kept for each point of the grid.
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
    fail_own, false_own : float64[G, J], the rates that single commits may have, with the culprit
        and without, the mean being `fail` and `false`
    shares : float64[J], how many commits have each
    untied : float64[U], rates of a failure that isn't tied to the range
    untied_weight : float64[U], their prior
    untied_own : float64[U, J], of single commits, again
    none : probability that there is no culprit
    """

    fail: Floats
    false: Floats
    weight: Floats
    fail_own: Floats
    false_own: Floats
    shares: Floats
    untied: Floats
    untied_weight: Floats
    untied_own: Floats
    none: float


SPREADS = ((0.0, 0.5), (1.0, 0.5))
"""Standard deviations of commits' own rates, in log odds, and their prior: it is as likely as not
that a test which comes and goes does so unevenly. With less of it too high a confidence is stated
where they are uneven, with more too low a one where they aren't, after more runs."""

_STEPS = np.linspace(-4, 4, 41)
"""Where own rates are looked at, in standard deviations: so densely that the probability of 1,000
runs on one commit is right to a hundredth."""

SHARES: Floats = np.exp(-(_STEPS**2) / 2) / np.exp(-(_STEPS**2) / 2).sum()
"""How many commits are at each step."""


def own(mean: Floats, spread: float) -> Floats:
    """Return the rates that single commits have, in 41 steps, around each mean: float64[G, 41].

    Parameters
    ----------
    spread : their standard deviation, in log odds

    >>> own(np.array([0.1, 0.5]), 1.0)[:, [15, 20, 25]].round(2)
    array([[0.03, 0.08, 0.18],
           [0.27, 0.5 , 0.73]])
    """
    if not spread:
        return np.repeat(mean[:, None], len(_STEPS), axis=1)
    middle = np.linspace(-12, 12, 481)
    means = _odds(middle[:, None] + spread * _STEPS) @ SHARES
    inside = (mean > 0) & (mean < 1)
    found = np.repeat(mean[:, None], len(_STEPS), axis=1)
    at = np.interp(mean[inside], means, middle)
    found[inside] = _odds(at[:, None] + spread * _STEPS)
    return found


def _odds(log: Floats) -> Floats:
    rate: Floats = 1 / (1 + np.exp(-log))
    return rate


@cache
def learned(certain: float = 0.55, clean: float = 0.5, none: float = 0.14) -> Rates:
    """Return the default prior.

    Parameters
    ----------
    certain : probability that the test always tells the truth
    clean : of the others, how many never fail without the culprit
    none : probability that the failure isn't tied to the range
    """
    spreads, shares = np.array(SPREADS).T
    fail, false, weight = _wrong_at_times(clean)
    untied = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])
    # Somebody saw one end fail and the other pass.
    seen = untied * (1 - untied) * np.gradient(untied)

    def spread(first: list[float], mean: Floats) -> tuple[Floats, Floats]:
        # A test that always tells the truth does so on every commit.
        alone = np.array(first)
        each = [own(alone, 0.0), *(own(mean, width) for width in spreads)]
        return np.concatenate((alone, np.tile(mean, len(spreads)))), np.concatenate(each)

    (fails, fail_own), (falses, false_own) = spread([1.0], fail), spread([0.0], false)
    untieds, untied_own = spread([], untied)
    return Rates(
        fail=fails,
        false=falses,
        weight=np.concatenate(([certain], (1 - certain) * np.outer(shares, weight).ravel())),
        fail_own=fail_own,
        false_own=false_own,
        shares=SHARES,
        untied=untieds,
        untied_weight=np.outer(shares, seen / seen.sum()).ravel(),
        untied_own=untied_own,
        none=none,
    )


def _wrong_at_times(clean: float) -> tuple[Floats, Floats, Floats]:
    """Return `fail`, `false` and weight of the tests that don't always tell the truth."""
    fail = np.array(
        [0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]
    )
    density = np.gradient(fail)
    density[-1] = density[-2]
    density = np.maximum(density, 0.03) / np.sqrt(fail)  # rare reproduction is not rare
    density /= density.sum()
    false = np.array([0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4])
    wide = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7])
    # A test that hardly tells the two apart is no test that somebody bisects with.
    noisy = [
        (p, q, w * v * min(1.0, (p - q) ** 2 / (p * (1 - p) + q * (1 - q))))
        for p, w in zip(fail, density, strict=True)
        for q, v in zip(false, wide, strict=True)
        if p - q >= 0.2 or p >= 3 * q
    ]
    rare, total = density[:-1].sum(), sum(w for _, _, w in noisy)
    pairs = [(p, 0.0, clean * w / rare) for p, w in zip(fail, density, strict=True) if p < 1]
    pairs += [(p, q, (1 - clean) * w / total) for p, q, w in noisy]
    found = np.array(pairs).T
    return found[0], found[1], found[2]


def certain() -> Rates:
    """Return the belief that every answer is true, as `git bisect` holds it."""
    one, zero, nothing = np.ones(1), np.zeros(1), np.zeros(0)
    each = one[:, None], zero[:, None], one
    return Rates(one, zero, one, *each, nothing, nothing, nothing[:, None], 0.0)

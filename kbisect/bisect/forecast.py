# SPDX-License-Identifier: GPL-2.0-or-later
"""How much is still to do: tests and seconds, each with an interval. Pure.

Every test says at most so many bits as its noise lets through, and as many as the culprit's
whereabouts hold must be heard. The interval is that of nine campaigns in ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2, sqrt
from statistics import mean, pstdev

import numpy as np

from kbisect.bisect.search import Search
from kbisect.bisect.state import State

_CONFIRMS = 3
"""Tests that follow the search: the culprit, its parent, the revert."""
_SPREAD = 1.645  # standard deviations on each side of nine in ten


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is left, confirmation included.

    Attributes
    ----------
    tests, tests_low, tests_high : runs of the script
    seconds, seconds_low, seconds_high : with all workers; None while no test was timed
    """

    tests: float
    tests_low: int
    tests_high: int
    seconds: float | None
    seconds_low: float | None
    seconds_high: float | None


def forecast(state: State, found: Search, workers: int = 1) -> Forecast | None:
    """Return how much is left of a search; None when it only remains to be confirmed."""
    post = found.belief.posterior
    weights = np.where(found.belief.suspects(), found.belief.prior, 0)
    if not weights.any():
        weights = post.culprit
    weights = weights / weights.sum()
    held = weights[weights > 0]
    bits = float(-(held * np.log2(held)).sum())
    if bits < 1e-6:
        return None
    through = 1.0 if post.certain >= 0.5 else max(0.02, _capacity(*post.rates))
    tests = bits / through
    # How many bits this culprit costs varies with its prior, and each noisy test is a throw.
    spread = float(sqrt((held * (np.log2(held) + bits) ** 2).sum()))
    spread = sqrt((spread / through) ** 2 + tests * (1 - through) / through)
    low = max(1, int(tests - _SPREAD * spread)) + 2
    high = ceil(tests + _SPREAD * spread) + 1 + _CONFIRMS + ceil(2 * (1 - through) / through)
    tests += _CONFIRMS
    times = [run.seconds for run in state.tested if run.seconds > 0]
    if not times:
        return Forecast(tests, low, high, None, None, None)
    each, vary = mean(times), pstdev(times)
    # Tests beside each other: each round of k leaves a (k + 1)th of the suspects.
    rounds = 1 / log2(workers + 1)
    seconds = tests * each * rounds
    slack = _SPREAD * vary * sqrt(tests) * rounds
    return Forecast(
        tests,
        low,
        high,
        seconds,
        # The spread of a few runs is no reason to expect one shorter than all of them.
        max(low * min(times) * rounds, low * each * rounds - slack),
        high * each * rounds + slack,
    )


def _capacity(fail: float, false: float) -> float:
    """Return how many bits of `inside or not` one run lets through at best, asked at one half."""

    def bits(p: float) -> float:
        return 0.0 if p <= 0 or p >= 1 else -p * log2(p) - (1 - p) * log2(1 - p)

    return bits((fail + false) / 2) - (bits(fail) + bits(false)) / 2

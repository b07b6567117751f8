# SPDX-License-Identifier: GPL-2.0-or-later
"""How much one run says about the culprit, and several on the same commit, in bits. Pure."""

from __future__ import annotations

from functools import cache
from math import comb

import numpy as np

from kbisect.bisect.rates import Floats

RUNS = (2, 4, 8, 16, 32)
"""So many runs on one commit are weighed up against one."""


def entropy(share: Floats) -> Floats:
    """Return the bits in a choice between two, the first having this probability."""
    rest = 1 - share
    bits: Floats = -(
        share * np.log2(np.maximum(share, 1e-300)) + rest * np.log2(np.maximum(rest, 1e-300))
    )
    return bits


def several(
    share: Floats, runs: int, with_it: tuple[Floats, Floats], without: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Return the bits of several runs on one commit, and how many runs they take.

    Parameters
    ----------
    share : probability that the commit contains the culprit
    runs : at most so many; they end with the first failure where that proves the culprit
    with_it, without : probability that one run fails, and that two do, if it does and if it doesn't

    Notes
    -----
    What isn't known of a commit's own rate makes its runs alike. The count of failures is taken for
    a beta-binomial of the same mean and variance.
    """
    size = len(share)
    both, passed = _counts(
        runs, *(np.concatenate(pair) for pair in zip(with_it, without, strict=True))
    )
    count, count_without = both[:size], both[size:]
    mixed = share[:, None] * count + (1 - share[:, None]) * count_without
    said = _bits(both)
    bits = _bits(mixed) - share * said[:size] - (1 - share) * said[size:]
    proof = np.clip(1 - without[0] / np.maximum(with_it[0], 1e-9) * 4, 0, 1)
    return bits, runs - share * proof * (runs - passed[:size, :-1].sum(axis=1))


def _counts(runs: int, once: Floats, twice: Floats) -> tuple[Floats, Floats]:
    """Return the probability of each count of failures, and of j passes in a row: [F, runs + 1]."""
    chance = np.minimum(np.maximum(once, 1e-9), 1 - 1e-9)
    alike = (twice - once**2) / (chance * (1 - chance))
    alike = np.minimum(np.maximum(alike, 0), 1 - 1e-9)
    factors = np.empty((3, len(once), runs + 1))
    factors[:, :, 0] = 1
    factors[:, :, 1:] = (np.arange(runs) * alike[:, None])[None]
    factors[:, :, 1:] += (np.stack((chance, 1 - chance, np.ones(len(once)))) * (1 - alike))[
        :, :, None
    ]
    failed, passed, any_way = np.cumprod(factors, axis=2)
    each: Floats = _ways(runs) * failed * passed[:, ::-1] / any_way[:, -1:]
    return each, passed / any_way


@cache
def _ways(runs: int) -> Floats:
    return np.array([float(comb(runs, k)) for k in range(runs + 1)])


def _bits(shares: Floats) -> Floats:
    found: Floats = -(shares * np.log2(np.maximum(shares, 1e-300))).sum(axis=-1)
    return found

# SPDX-License-Identifier: GPL-2.0-or-later
"""How much one run says about the culprit, and several on the same commit, in bits. Pure."""

from __future__ import annotations

from functools import cache
from math import comb

import numpy as np

from kbisect.bisect.rates import Floats

RUNS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
"""So many runs on one commit are weighed up against one."""


def entropy(share: Floats) -> Floats:
    """Return the bits in a choice between two, the first having this probability."""
    rest = 1 - share
    bits: Floats = -(
        share * np.log2(np.maximum(share, 1e-300)) + rest * np.log2(np.maximum(rest, 1e-300))
    )
    return bits


def several(share: Floats, runs: int, fail: Floats, false: Floats) -> tuple[Floats, Floats]:
    """Return the bits of several runs on one commit, and how many runs they take.

    Parameters
    ----------
    share : probability that the commit contains the culprit
    runs : at most so many; they end with the first failure where that proves the culprit
    fail, false : the rates if it does, and if it doesn't
    """
    ways, count = _ways(runs)
    with_it = ways * fail[:, None] ** count * (1 - fail[:, None]) ** (runs - count)
    without = ways * false[:, None] ** count * (1 - false[:, None]) ** (runs - count)
    mixed = share[:, None] * with_it + (1 - share[:, None]) * without
    bits = _bits(mixed) - share * _bits(with_it) - (1 - share) * _bits(without)
    first = (1 - (1 - fail) ** runs) / np.maximum(fail, 1e-9)
    proof = np.clip(1 - false / np.maximum(fail, 1e-9) * 4, 0, 1)
    return bits, runs - share * proof * (runs - np.minimum(first, runs))


@cache
def _ways(runs: int) -> tuple[Floats, Floats]:
    count = np.arange(runs + 1)
    return np.array([float(comb(runs, int(k))) for k in count]), count.astype(float)


def _bits(shares: Floats) -> Floats:
    found: Floats = -(shares * np.log2(np.maximum(shares, 1e-300))).sum(axis=-1)
    return found

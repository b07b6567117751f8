# SPDX-License-Identifier: GPL-2.0-or-later
"""How well a test parts the suspects, where its answer is true: bits, and bounds on the rest. Pure.

On a flat prior the commit with most bits is the one that git chooses: half of what is left is in
it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kbisect.bisect.belief import OUTSIDE
from kbisect.bisect.information import entropy
from kbisect.bisect.rates import Floats
from kbisect.bisect.reach import Reach
from kbisect.history.graph import Mask

LEAST = 1e-7
"""Bits. A test that says less says nothing."""


def bits(reach: Reach, weights: Floats, pending: Sequence[int] = ()) -> tuple[Floats, Floats]:
    """Return what each commit says beyond what pending tests will say, and how likely it is bad.

    Parameters
    ----------
    weights : float64[N], by position, 1 in all
    pending : positions; they part the suspects into cells, one for each combination of answers

    Returns
    -------
    bits, probability : float64[N] each
    """
    inside = np.clip(reach.mass(weights), 0, 1)
    if not pending:
        return entropy(inside), inside
    label = np.zeros(len(weights), np.int64)
    for bit, position in enumerate(dict.fromkeys(each for each in pending if each != OUTSIDE)):
        for low, high in reach.within(position):
            label[low:high] += 1 << bit
    gain = np.zeros(len(weights))
    held = weights > 0
    for cell in np.unique(label[held]).tolist():
        part = np.where(label == cell, weights, 0)
        whole = part.sum()
        gain += whole * entropy(np.clip(reach.mass(part) / whole, 0, 1))
    return gain, inside


def bounded(reach: Reach, value: Floats, suspects: Mask, tests: int) -> Floats:
    """Leave out what could make the search too long, if anything remains.

    Parameters
    ----------
    value : float64[N], of each commit
    tests : so many are left; after one, half of 2 ** `tests` suspects can remain at most
    """
    inside = reach.mass(suspects.astype(float))
    longest = np.maximum(inside, suspects.sum() - inside)
    kept = np.where(longest <= 2.0 ** max(0, tests - 1), value, 0)
    if kept.max() > LEAST:
        return kept
    most = np.where(value > LEAST, longest, np.inf)
    return np.where(most <= most.min() * 1.05, value, 0)

# SPDX-License-Identifier: GPL-2.0-or-later
"""How many answers any search needs at least, where some commits can't be tested.

That the suspects are these and no others is only known when each other commit x has been cleared:
by a good answer of a commit that contains it, or a bad one of a commit that doesn't. Commits that
no one answer can clear together need an answer each; a set of such, found greedily, is a bound.
That what lies between can't be tested must be found out too, and isn't counted.
"""

from __future__ import annotations

import numpy as np

from kbisect.bisect.reach import Reach
from kbisect.history.graph import Mask


def least_answers(reach: Reach, culprit: int, broken: Mask) -> int:
    """Return a lower bound on the answers that prove the suspects.

    Parameters
    ----------
    culprit : position
    broken : bool[N], by position, what can't be tested
    """
    fails = reach.containing(culprit) & ~broken
    passes = ~reach.containing(culprit) & ~broken
    cell = reach.inseparable(broken)
    others = cell != cell[culprit]
    # How many answers clear each commit: those that pass and contain it, fail and don't.
    clearing = reach.holders(passes.astype(float) - fails) + fails.sum()
    free, count = np.ones(len(reach), np.bool_), 0
    for position in np.flatnonzero(others)[np.argsort(clearing[others], kind="stable")].tolist():
        holders = reach.containing(position)
        answers = (passes & holders) | (fails & ~holders)
        if free[answers].all():
            free &= ~answers
            count += 1
    return count

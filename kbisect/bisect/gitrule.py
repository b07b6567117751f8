# SPDX-License-Identifier: GPL-2.0-or-later
"""What `git bisect` does, as a yardstick: every answer is true, and skips are walked away from.

The rule is that of git's bisect.c (`find_bisection`, `filter_skipped`, `skip_away`, git 2.39).
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from kbisect.bisect.reach import Reach
from kbisect.bisect.verdict import Verdict
from kbisect.history.graph import Mask

_MODULO = 32768


class GitRule:
    """A search as `git bisect` does it, by position."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.left: Mask = np.ones(len(reach), np.bool_)
        self._skipped = np.zeros(len(reach), np.bool_)
        self._bad = len(reach) - 1

    def next(self) -> int | None:
        """Return what to test; None when only skipped commits are left, or one."""
        left, reach = self.left, self.reach
        everything = int(left.sum())
        if everything <= 1:
            return None
        counts = np.rint(reach.mass(left.astype(float))).astype(np.int64)
        distance = np.where(left, np.minimum(counts, everything - counts), -1)
        if not self._skipped.any():
            return int(np.argmax(distance))
        listed = np.flatnonzero(left)
        listed = listed[np.argsort(-distance[listed], kind="stable")]
        fit = listed[~self._skipped[listed]]
        # The bad commit stands in the list, at its end, and is never tested again.
        if len(fit) == 0 or (len(fit) == 1 and fit[0] == self._bad):
            return None
        if not self._skipped[listed[0]]:
            return int(fit[0])
        count = len(fit)
        drawn = ((count * 1103515245 + 12345) & 0xFFFFFFFF) // 65536 % _MODULO
        index = (count * drawn // _MODULO) * isqrt(drawn) // isqrt(_MODULO)
        chosen = int(fit[index])
        if chosen == self._bad:
            chosen = int(fit[index - 1]) if index else int(fit[1])
        return chosen

    def hear(self, position: int, verdict: Verdict) -> None:
        """Take in an answer."""
        if verdict is Verdict.SKIP:
            self._skipped[position] = True
            return
        inside = self.reach.mask(position)
        if verdict is Verdict.BAD:
            self._bad = position
            self.left = self.left & inside
        else:
            self.left = self.left & ~inside

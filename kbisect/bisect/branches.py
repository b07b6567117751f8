# SPDX-License-Identifier: GPL-2.0-or-later
"""Branches that had it all along. Pure.

A branch may have begun before the range where the failure, or another like it, was still there, and
was repaired on the way to the good end. Or, where a fix is looked for, before there was any
failure. What it holds up to where it meets the history of the good end is no culprit, and what was
heard there says nothing: a merge with that history is the first commit which does.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from kbisect.bisect.candidates import Candidates
from kbisect.history.graph import Mask


def without_end(candidates: Candidates, old: Collection[str], ends: Collection[str]) -> Mask:
    """Mark the candidates that descend from such branches, but from no end: bool[N], by number.

    Parameters
    ----------
    old : oids of the last commits of these branches that are outside the range
    ends : oids of the good ends and the merge bases
    """
    if not old:
        return np.zeros(len(candidates), np.bool_)
    return _descendants(candidates, old) & ~_descendants(candidates, ends)


def _descendants(candidates: Candidates, above: Collection[str]) -> Mask:
    found = [False] * len(candidates)
    number = candidates.number
    for at, parents in enumerate(candidates.parents):  # parents come first
        found[at] = any(
            found[number[parent]] if parent in number else parent in above for parent in parents
        )
    return np.array(found, np.bool_)

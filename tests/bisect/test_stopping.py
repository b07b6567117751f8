# SPDX-License-Identifier: GPL-2.0-or-later
"""When a search is over."""

from __future__ import annotations

import numpy as np

from kbisect.bisect import rates, stopping
from kbisect.bisect.belief import Belief
from kbisect.bisect.reach import Reach
from kbisect.bisect.stopping import Ending
from tests.bisect.graphs import linear

NOTHING = np.zeros(8, np.bool_)


def test_no_culprit_is_named_at_the_asked_confidence_once_no_run_says_more() -> None:
    """Before that it takes more, for it ends a hunt and tells nobody where to look."""
    belief = Belief(Reach.of(linear(8).graph), np.ones(8), rates.learned())
    for run in range(400):
        if belief.posterior.none >= 0.95:
            break
        belief.hear(run % 9 - 1, run // 9 % 3 == 0)  # the good end fails as often as the others
    none = belief.posterior.none
    assert 0.95 <= none < 1 - 0.05 * stopping.NOBODY
    assert stopping.ended(belief, NOTHING, NOTHING, 0.95) is None
    found = stopping.exhausted(belief, 0.95)
    assert (found.ending, found.positions, found.confidence) == (Ending.NO_CULPRIT, (), none)
    assert stopping.exhausted(belief, 0.999).ending is Ending.UNRESOLVED

# SPDX-License-Identifier: GPL-2.0-or-later
"""When a search is over, and what it found. Pure.

A set of commits that no possible test tells apart (one commit, where all can be tested) is the
answer once its posterior reaches the asked confidence, and **the answers prove it without the
prior**: against each commit outside the set there is an answer, bad from a commit that doesn't
contain it or good from one that does, which doesn't speak against the set just as well; and a
single culprit has failed itself.

"No culprit" needs a higher one, as long as a run can say more, and answers that contradict each
other; a culprit is not named while "no culprit" holds more than a fifth of the doubt. Where answers
contradict each other and no run says anything any more, it is unresolved: the fewest commits that
hold the confidence are named.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from kbisect.bisect.belief import Belief
from kbisect.history.graph import Mask

NOBODY = 0.4
"""There is "no culprit" at so much of the doubt: it ends a hunt, and tells nobody where to look."""

SHARE = 0.2
"""So much of the doubt may be "no culprit" when a culprit is named."""

MARGIN = 0.75
"""While answers agree, it stops at so much of the doubt that is allowed: to check them is cheap."""


class Ending(StrEnum):
    """How a search stops."""

    CULPRIT = "culprit"
    RANGE = "range"
    NO_CULPRIT = "no-culprit"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Stop:
    """The search is over: these positions, with this probability that the culprit is among them."""

    ending: Ending
    positions: tuple[int, ...]
    confidence: float


def ended(belief: Belief, failed: Mask, closed: Mask, confidence: float) -> Stop | Mask | None:
    """Return that it is over; the set that is believed but not proven; None if neither.

    Parameters
    ----------
    failed : bool[N], by position, what failed itself
    closed : bool[N], what can't be tested, or isn't tried any more
    """
    post, doubt = belief.posterior, 1 - confidence
    agree = bool(belief.suspects().any())
    if 1 - post.none <= doubt * NOBODY and not agree:
        return Stop(Ending.NO_CULPRIT, (), post.none)
    if post.none > doubt * SHARE:
        return None
    among = _likeliest(belief, closed)
    held = float(post.culprit[among].sum())
    if 1 - held > doubt * (MARGIN if agree else 1):
        return None
    positions = tuple(np.flatnonzero(among).tolist())
    alone = len(positions) == 1
    shown = not alone or bool((failed | closed)[positions[0]])
    if not shown or belief.rivals(positions[0], among).any():
        return among
    return Stop(Ending.CULPRIT if alone else Ending.RANGE, positions, held)


def exhausted(belief: Belief, confidence: float) -> Stop:
    """Say what is known where no run says anything more.

    That is "no culprit" at the asked confidence, or else the fewest positions that hold it, or all
    that can be.
    """
    post = belief.posterior
    if post.none >= confidence:
        return Stop(Ending.NO_CULPRIT, (), post.none)
    culprit = post.culprit
    order = np.argsort(-culprit, kind="stable")
    total = np.cumsum(culprit[order])
    among = np.sort(order[: int(np.searchsorted(total, confidence)) + 1])
    return Stop(Ending.UNRESOLVED, tuple(among.tolist()), float(culprit[among].sum()))


def _likeliest(belief: Belief, closed: Mask) -> Mask:
    """Mark the commit that most likely is the culprit, with those that nothing tells from it."""
    culprit = belief.posterior.culprit
    if not closed.any():
        alone = np.zeros(len(culprit), np.bool_)
        alone[np.argmax(culprit)] = True
        return alone
    _, cell = np.unique(belief.reach.inseparable(closed), return_inverse=True)
    most = int(np.argmax(np.bincount(cell, weights=culprit)))
    among: Mask = (cell == most) & (culprit > 0)
    return among

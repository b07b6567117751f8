# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the culprit is looked for first. Suspicion, never a filter: no commit's prior is zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kbisect.bisect.rates import Floats
from kbisect.history.graph import Mask

IN_SCOPE = 0.85
"""Share of the commits that change a path in scope, when nothing more is suspected."""
SUSPECTED = 0.8
"""Share of the commits that change a suspected path; those in scope have most of the rest."""


@dataclass(frozen=True, slots=True)
class Source:
    """A reason to suspect some commits: what it is, how many, and their share of the belief."""

    what: str
    commits: int
    share: float


@dataclass(frozen=True, slots=True)
class Prior:
    """Weights of candidates, by number, and where they come from."""

    weights: Floats
    sources: tuple[Source, ...]


def flat(size: int) -> Prior:
    """Suspect every candidate alike."""
    return Prior(np.full(size, 1 / max(1, size)), (Source("every candidate alike", size, 1.0),))


def weigh(size: int, in_scope: Mask | None = None, suspected: Mask | None = None) -> Prior:
    """Return the prior for what is known of the candidates.

    Parameters
    ----------
    in_scope : bool[size], commits that change a path in scope; None where nobody knows
    suspected : bool[size], commits that change a path the user named; None without any
    """
    nothing = np.zeros(size, np.bool_)
    named = nothing if suspected is None else suspected
    scoped = nothing if in_scope is None else in_scope & ~named
    rest = ~named & ~scoped
    has_named = bool(named.any())
    first = SUSPECTED if has_named else 0.0
    groups: Sequence[tuple[str, Mask, float]] = (
        ("changes a suspected path", named, first),
        ("changes a path in scope", scoped, (1 - first) * IN_SCOPE),
        ("none of these", rest, (1 - first) * (1 - IN_SCOPE)),
    )
    groups = [group for group in groups if group[1].any()]
    if len(groups) <= 1:
        return flat(size)
    total = sum(share for _, _, share in groups)
    weights = np.zeros(size)
    for _, mask, share in groups:
        weights[mask] = share / total / mask.sum()
    sources = tuple(Source(what, int(mask.sum()), share / total) for what, mask, share in groups)
    return Prior(weights, sources)

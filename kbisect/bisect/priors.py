# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the culprit is looked for first. Suspicion, never a filter: no commit's prior is zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kbisect.bisect import traits
from kbisect.bisect.rates import Floats
from kbisect.bisect.traits import Factor
from kbisect.history.graph import Mask

IN_SCOPE = 0.88
"""Share of the commits that change a path in scope, when nothing more is suspected."""
SUSPICION = "changes a suspected path"
SUSPECTED = 0.8
"""Share of the commits that change a suspected path; the others divide the rest."""
TRACED = 0.5
"""Share, of what is left then, of the commits that change a file named in the crash's trace."""

ONLY = 0.9
"""Share of what `--only` leaves, once the answers have spoken against it."""


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


def doubted(left: Mask) -> Floats:
    """Return weights that look beside what `--only` leaves: bool[size] -> float64[size]."""
    if left.all():
        return np.full(len(left), 1 / len(left))
    weights: Floats = np.where(left, ONLY / left.sum(), (1 - ONLY) / (~left).sum())
    return weights


def weigh(
    size: int,
    in_scope: Mask | None = None,
    suspected: Mask | None = None,
    traced: Mask | None = None,
    factors: Sequence[Factor] = (),
) -> Prior:
    """Return the prior for what is known of the candidates.

    What changes a suspected path, else a file of the trace, else a path in scope, and the rest each
    have their share, whatever their number; within it, factors weigh one commit against another.

    Parameters
    ----------
    in_scope : bool[size], commits that change a path in scope; None where nobody knows
    suspected : bool[size], commits that change a path the user named; None without any
    traced : bool[size], commits that change a file in the crash's trace; None without a crash
    factors : traits of commits, from `traits.factors`
    """
    left, rest, groups = 1.0, np.ones(size, np.bool_), []
    for what, mask, share in (
        (SUSPICION, suspected, SUSPECTED),
        ("changes a file in the crash's trace", traced, TRACED),
        ("changes a path in scope", in_scope, IN_SCOPE),
    ):
        if mask is None or not (mask & rest).any():
            continue
        groups.append((what, mask & rest, left * share))
        left, rest = left * (1 - share), rest & ~mask
    if not groups and not factors:
        return flat(size)
    if rest.any():
        groups.append(("none of these" if groups else "every candidate", rest, left))
    total = sum(share for _, _, share in groups)
    relative, weights = traits.weights(size, factors), np.zeros(size)
    for _, mask, share in groups:
        weights[mask] = share / total * relative[mask] / relative[mask].sum()
    marked = [(what, mask) for what, mask, _ in groups]
    marked += [(factor.what, factor.marked) for factor in factors]
    return Prior(
        weights,
        tuple(Source(what, int(mask.sum()), float(weights[mask].sum())) for what, mask in marked),
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""How likely a commit can be tested, given what could not: the edges of a block, not its inside.

git replaces a skipped commit by a random neighbour at a growing distance, which in a block of 300
that can't be built took 313 tests. Here a weight is discounted by nearness to a skipped commit: one
that stands alone costs next to nothing, and of a block the edges are found, in leaps that grow with
what is known of its size.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from kbisect.history.graph import CommitGraph, Mask

PATIENCE = 16
"""So many commits inside a block that can't be tested are tried in vain before it is left alone."""


def hope(
    graph: CommitGraph, suspects: Mask, tested: Mask, skipped: Mask, in_vain: int
) -> NDArray[np.float64]:
    """Guess how likely each suspect can be tested, given what could not.

    Parameters
    ----------
    suspects, tested, skipped : bool[N], by commit number
    in_vain : skips since the last answer that said something
    """
    block = _between(graph, skipped, suspects)
    bottom = suspects & ~_has_parent_in(graph, suspects)
    from_block = _distances(graph, skipped, suspects)
    from_known = np.minimum(
        _distances(graph, tested & suspects, suspects), _distances(graph, bottom, suspects) + 1
    )
    # The block ends somewhere before the next commit that was tested; if it is about as long
    # again as what is known of it, it ends sooner.
    found: NDArray[np.float64] = from_block / (from_block + np.minimum(from_known, block.sum()))
    inside = block & ~skipped
    if in_vain >= PATIENCE:
        found[inside] = 0
    else:
        found[inside] *= 1 / (2 + skipped.sum())
    return found


def _between(graph: CommitGraph, skipped: Mask, suspects: Mask) -> Mask:
    """Mark the skipped commits and what lies between two of them."""
    numbers = np.flatnonzero(skipped).tolist()
    below = graph.ancestors(numbers, suspects)
    over = skipped.copy()
    start, parents = graph.start, graph.parents
    for commit in np.flatnonzero(below & ~skipped).tolist():
        over[commit] = over[parents[start[commit] : start[commit + 1]]].any()
    return over & below


def _has_parent_in(graph: CommitGraph, suspects: Mask) -> Mask:
    edges = suspects[graph.parents].astype(np.int64)
    total = np.concatenate(([0], np.cumsum(edges)))
    has: Mask = total[graph.start[1:]] > total[graph.start[:-1]]
    return has


def _distances(graph: CommitGraph, origins: Mask, suspects: Mask) -> NDArray[np.float64]:
    """Count for each suspect the steps, up or down, to the nearest origin."""
    start, parents = graph.start.tolist(), graph.parents.tolist()
    inside = suspects.tolist()
    beside: dict[int, list[int]] = {i: [] for i in np.flatnonzero(suspects).tolist()}
    for commit, near in beside.items():
        for parent in parents[start[commit] : start[commit + 1]]:
            if inside[parent]:
                near.append(parent)
                beside[parent].append(commit)
    # A suspect that no origin is connected with is as far away as can be.
    distance = np.full(len(graph), float(len(graph)))
    sources = np.flatnonzero(origins).tolist()
    distance[sources] = 0
    queue = deque((source, 0) for source in sources)
    seen = set(sources)
    while queue:
        commit, steps = queue.popleft()
        for other in beside[commit]:
            if other not in seen:
                seen.add(other)
                distance[other] = steps + 1
                queue.append((other, steps + 1))
    return distance

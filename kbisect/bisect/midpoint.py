# SPDX-License-Identifier: GPL-2.0-or-later
"""git's choice of the commit to test next, and a better step aside from what can't be tested. Pure.

git weighs a commit by min(reaches, all - reaches), where `reaches` is the number of suspects it
contains (itself too), and takes the heaviest. Skipped commits it replaces by a random neighbour at
a growing distance, which in a block of 300 that can't be built took 313 tests. Here a weight is
discounted by nearness to a skipped commit: one that stands alone costs next to nothing, and of a
block the edges are found, in leaps that grow with what is known of its size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kbisect.bisect.candidates import Candidates
from kbisect.bisect.state import Answer
from kbisect.bisect.verdict import Verdict
from kbisect.history.graph import CommitGraph, Ints, Mask

PATIENCE = 8
"""So many commits inside a block that can't be tested are tried in vain before it is left alone."""

_MEMORY = 1 << 26  # bytes of bit sets held at once


class Strategy(Protocol):
    """Says what to test next."""

    def choose(
        self, candidates: Candidates, suspects: Mask, answers: Sequence[Answer]
    ) -> int | None:
        """Return the number of the commit to test, None when no test can say more."""


class Midpoint:
    """git's rule: as many tests on average, though between equal weights it may pick another."""

    def choose(
        self, candidates: Candidates, suspects: Mask, answers: Sequence[Answer]
    ) -> int | None:
        """Return the heaviest untested commit, away from what can't be tested."""
        everything = int(suspects.sum())
        if everything <= 1:
            return None
        counts = reaches(candidates.graph, suspects).astype(np.float64)
        weight = np.where(suspects, np.minimum(counts, everything - counts), -1)
        tested = np.zeros(len(candidates), np.bool_)
        skipped = np.zeros(len(candidates), np.bool_)
        for oid, verdict in answers:
            index = candidates.number.get(oid)
            if index is not None:
                (skipped if verdict is Verdict.SKIP else tested)[index] = True
        skipped &= suspects & ~tested
        weight[tested | skipped] = -1
        if skipped.any():
            weight = weight * _hope(candidates.graph, suspects, tested, skipped, _in_vain(answers))
        best = int(np.argmax(weight))
        return best if weight[best] > 0 else None


def reaches(graph: CommitGraph, suspects: Mask) -> Ints:
    """Count for each suspect the suspects it contains, itself included.

    Commits in a row are taken as one: only at a fork or a merge is anything counted, by bit sets
    over the suspects.

    Returns
    -------
    int32[N], 0 for commits that are no suspects
    """
    chain, place, above = _chains(graph, suspects)
    sizes = np.bincount(chain[chain >= 0], minlength=len(above))
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    total = np.zeros(len(above), np.int64)
    everything = int(offsets[-1])
    block = max(512, _MEMORY * 8 // max(1, len(above)) // 64 * 64)
    for low in range(0, everything, block):
        total += _contained(above, offsets - low, min(block, everything - low))
    counts = np.zeros(len(graph), np.int32)
    inside = chain >= 0
    own = chain[inside]
    counts[inside] = total[own] - (sizes[own] - 1 - place[inside])
    return counts


def _chains(graph: CommitGraph, suspects: Mask) -> tuple[Ints, Ints, list[list[int]]]:
    """Part the suspects into rows of only children of only parents.

    Returns the chain of each commit (-1: none), its place in it, and each chain's parent chains.
    A row is only ever left at its end, so the parents of a row's first commit are ends of rows.
    """
    start, parents = graph.start.tolist(), graph.parents.tolist()
    inside = suspects.tolist()
    children = np.bincount(
        graph.parents[np.repeat(suspects, np.diff(graph.start))], minlength=len(graph)
    ).tolist()
    chain = [-1] * len(graph)
    place = [0] * len(graph)
    above: list[list[int]] = []
    for commit in np.flatnonzero(suspects).tolist():
        mine = [p for p in parents[start[commit] : start[commit + 1]] if inside[p]]
        if len(mine) == 1 and children[mine[0]] == 1:
            chain[commit] = chain[mine[0]]
            place[commit] = place[mine[0]] + 1
        else:
            chain[commit] = len(above)
            above.append([chain[p] for p in mine])
    return np.array(chain, np.int32), np.array(place, np.int32), above


def _contained(above: list[list[int]], offsets: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Count, of the suspects numbered 0 to width, those that the end of each chain contains."""
    rows = np.zeros((len(above), (width + 63) // 64 * 8), np.uint8)
    bounds = np.clip(offsets, 0, width).tolist()
    for index, over in enumerate(above):
        row = rows[index]
        for parent in over:
            np.bitwise_or(row, rows[parent], out=row)
        first, last = bounds[index], bounds[index + 1]
        if first < last:
            _set_bits(row, first, last)
    step = max(1, (1 << 24) // rows.shape[1])
    return np.concatenate([_ones(rows[i : i + step]) for i in range(0, len(rows), step)])


def _set_bits(row: NDArray[np.uint8], first: int, last: int) -> None:
    low, high = first >> 3, (last - 1) >> 3
    start = 0xFF << (first & 7) & 0xFF
    end = 0xFF >> (7 - ((last - 1) & 7))
    if low == high:
        row[low] |= start & end
        return
    row[low] |= start
    row[high] |= end
    row[low + 1 : high] = 0xFF


@cache
def _population() -> NDArray[np.uint8]:
    return np.array([word.bit_count() for word in range(1 << 16)], np.uint8)


def _ones(rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    if hasattr(np, "bitwise_count"):  # numpy 2
        ones: NDArray[np.int64] = np.bitwise_count(rows.view(np.uint64)).sum(axis=1, dtype=np.int64)
    else:
        ones = _population()[rows.view(np.uint16)].sum(axis=1, dtype=np.int64)
    return ones


def _hope(
    graph: CommitGraph, suspects: Mask, tested: Mask, skipped: Mask, in_vain: int
) -> NDArray[np.float64]:
    """Guess how likely each suspect can be tested, given what could not."""
    block = _between(graph, skipped, suspects)
    bottom = suspects & ~_has_parent_in(graph, suspects)
    from_block = _distances(graph, skipped, suspects)
    from_known = np.minimum(
        _distances(graph, tested & suspects, suspects), _distances(graph, bottom, suspects) + 1
    )
    # The block ends somewhere before the next commit that was tested; if it is about as long
    # again as what is known of it, it ends sooner.
    hope: NDArray[np.float64] = from_block / (from_block + np.minimum(from_known, block.sum()))
    inside = block & ~skipped
    if in_vain >= PATIENCE:
        hope[inside] = 0
    else:
        hope[inside] *= 1 / (2 + skipped.sum())
    return hope


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


def _in_vain(answers: Sequence[Answer]) -> int:
    """Count the skips since the last answer that said something."""
    for count, (_, verdict) in enumerate(reversed(answers)):
        if verdict is not Verdict.SKIP:
            return count
    return len(answers)

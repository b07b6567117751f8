# SPDX-License-Identifier: GPL-2.0-or-later
"""git's choice of the commit to test next, and a better step aside from what can't be tested. Pure.

git weighs a commit by min(reaches, all - reaches), where `reaches` is the number of suspects it
contains (itself too), and takes the heaviest.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kbisect.bisect.candidates import Candidates
from kbisect.bisect.hope import hope
from kbisect.bisect.reach import chains
from kbisect.bisect.state import Answer
from kbisect.bisect.verdict import Verdict
from kbisect.history.graph import CommitGraph, Ints, Mask

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
            weight = weight * hope(candidates.graph, suspects, tested, skipped, _in_vain(answers))
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
    chain, place, above = chains(graph, suspects)
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


def _in_vain(answers: Sequence[Answer]) -> int:
    """Count the skips since the last answer that said something."""
    for count, (_, verdict) in enumerate(reversed(answers)):
        if verdict is not Verdict.SKIP:
            return count
    return len(answers)

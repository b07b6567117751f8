# SPDX-License-Identifier: GPL-2.0-or-later
"""What each commit contains, as intervals of a numbering in which chains are contiguous. Pure.

A commit's ancestors in a range are nearly contiguous once commits in a row stand together: on
v2.6.39..v3.0 a chain's end contains 1.7 intervals on average (24 at most on 122,478 commits). So
the weight of everything that each commit contains is one cumulative sum and a few differences,
where bit sets would take the square of the range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kbisect.history.graph import CommitGraph, Ints, Mask

Floats = NDArray[np.float64]

_FEW = 48
"""So many intervals are joined faster by a loop than by array operations."""
_MOST = 1 << 23
"""So many intervals in all are too many: 64 MB, and a tenth of a second for each sum."""


class Tangled(Exception):
    """The graph's ancestries are no intervals: thousands of branches that nothing merges."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Commits by position: chain after chain, parents first, and the intervals they contain.

    Attributes
    ----------
    order : int32[N], the commit at each position
    position : int32[N], the position of each commit
    chain : int32[N], the chain of each position
    offset : int32[C + 1], the first position of each chain
    first : int32[C + 1], the end of chain i contains intervals `first[i]` to `first[i + 1]`
    low, high : int32[K], positions `low` to `high - 1`
    """

    order: Ints
    position: Ints
    chain: Ints
    offset: Ints
    first: Ints
    low: Ints
    high: Ints

    @classmethod
    def of(cls, graph: CommitGraph) -> Reach:
        """Work out what each commit of a graph contains.

        Raises
        ------
        Tangled
            It would take too much memory.
        """
        chain, place, above = _lined_up(*chains(graph, np.ones(len(graph), np.bool_)))
        order = np.lexsort((place, chain)).astype(np.int32)
        position = np.empty_like(order)
        position[order] = np.arange(len(order), dtype=np.int32)
        sizes = np.bincount(chain, minlength=len(above))
        offset = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
        held: list[Sequence[int]] = []
        total = 0
        for index, over in enumerate(above):
            held.append(_joined([held[parent] for parent in over], index))
            total += len(held[-1]) // 2
            if total > _MOST:
                raise Tangled
        counts = [len(each) // 2 for each in held]
        flat = np.fromiter((n for each in held for n in each), np.int32, 2 * sum(counts))
        return cls(
            order=order,
            position=position,
            chain=chain[order],
            offset=offset,
            first=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
            low=offset[flat[::2]],
            high=offset[flat[1::2]],
        )

    def __len__(self) -> int:
        return len(self.order)

    def within(self, position: int) -> list[tuple[int, int]]:
        """Return the intervals of positions that one commit contains, itself included."""
        chain = int(self.chain[position])
        a, b = int(self.first[chain]), int(self.first[chain + 1])
        pairs = list(zip(self.low[a:b].tolist(), self.high[a:b].tolist(), strict=True))
        # The last interval ends with the chain itself; what stands after the commit is cut off.
        return [*pairs[:-1], (pairs[-1][0], position + 1)]

    def mass(self, weights: Floats) -> Floats:
        """Sum, for each commit, the weights of all that it contains; by position."""
        total = np.concatenate(([0.0], np.cumsum(weights)))
        ends = np.add.reduceat(total[self.high] - total[self.low], self.first[:-1])
        after = total[self.offset[1:]]
        if len(ends) == 1:
            alone: Floats = ends[0] - after[0] + total[1:]
            return alone
        found: Floats = (ends - after)[self.chain] + total[1:]
        return found

    def holders(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Sum, for each commit, the weights of all that contain it; by position."""
        total = np.concatenate((np.zeros(1, weights.dtype), np.cumsum(weights)))
        whole = total[self.offset[1:]] - total[self.offset[:-1]]
        change = np.zeros(len(self) + 1, weights.dtype)
        each = np.repeat(whole, np.diff(self.first))
        np.add.at(change, self.low, each)
        np.subtract.at(change, self.high, each)
        # A commit's own chain holds it from its place on only.
        before = total[:-1] - total[self.offset[self.chain]]
        found: NDArray[Any] = np.cumsum(change[:-1]) - before
        return found

    def inseparable(self, closed: Mask) -> NDArray[np.uint64]:
        """Name the set that each commit is in, if these can't be tested; by position.

        Two commits are in one set if whatever can be tested contains both or neither. The name is
        a hash of what contains them.
        """
        mixed = np.arange(1, len(self) + 1, dtype=np.uint64)
        for factor in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB):
            mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(factor)
        return self.holders(np.where(closed, np.uint64(0), mixed))

    def mask(self, position: int) -> Mask:
        """Mark what one commit contains, by position."""
        found = np.zeros(len(self), np.bool_)
        for low, high in self.within(position):
            found[low:high] = True
        return found

    def containing(self, position: int) -> Mask:
        """Mark what contains one commit, itself included, by position."""
        only = np.zeros(len(self))
        only[position] = 1
        found: Mask = self.mass(only) > 0.5
        return found


def chains(graph: CommitGraph, suspects: Mask) -> tuple[Ints, Ints, list[list[int]]]:
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


def _lined_up(
    chain: Ints, place: Ints, above: list[list[int]]
) -> tuple[Ints, Ints, list[list[int]]]:
    """Number the chains anew, each as late as it may stand: just before what first needs it.

    A side branch that is merged late would else be a hole in all that comes between.
    """
    used = {parent for over in above for parent in over}
    number = [-1] * len(above)
    count = 0
    for tip in [index for index in range(len(above)) if index not in used]:
        stack = [tip]
        while stack:
            index = stack[-1]
            if number[index] < 0 and (
                waiting := [parent for parent in above[index] if number[parent] < 0]
            ):
                stack.append(waiting[0])
                continue
            stack.pop()
            if number[index] < 0:
                number[index] = count
                count += 1
    lined: list[list[int]] = [[]] * len(above)
    for index, over in enumerate(above):
        lined[number[index]] = [number[parent] for parent in over]
    return np.array(number, np.int32)[chain], place, lined


def _joined(held: list[Sequence[int]], own: int) -> Sequence[int]:
    """Join the intervals of a chain's parents, and add the chain itself: low, high, low, high…"""
    if not held:
        return (own, own + 1)
    if len(held) == 1:
        over = held[0]
        return (*over[:-1], own + 1) if over[-1] == own else (*over, own, own + 1)
    if sum(map(len, held)) > 2 * _FEW:
        return _joined_arrays(held, own)
    pairs = sorted(pair for each in held for pair in zip(each[::2], each[1::2], strict=True))
    pairs.append((own, own + 1))
    joined: list[int] = []
    for low, high in pairs:
        if joined and low <= joined[-1]:
            joined[-1] = max(joined[-1], high)
        else:
            joined += (low, high)
    return tuple(joined)


def _joined_arrays(held: list[Sequence[int]], own: int) -> Sequence[int]:
    flat = np.concatenate([np.asarray(each, np.int32) for each in (*held, (own, own + 1))])
    low, high = flat[::2], flat[1::2]
    order = np.argsort(low, kind="stable")
    low, high = low[order], np.maximum.accumulate(high[order])
    apart = np.flatnonzero(low[1:] > high[:-1]) + 1
    joined = np.empty(2 * len(apart) + 2, np.int32)
    joined[::2] = low[np.concatenate(([0], apart))]
    joined[1::2] = high[np.concatenate((apart - 1, [len(high) - 1]))]
    kept: Sequence[int] = joined  # type: ignore[assignment]  # an array serves as well
    return kept

# SPDX-License-Identifier: GPL-2.0-or-later
"""The commit graph in arrays: parents, children, ancestry. Pure.

Commits are numbered parents first, so an edge always leads from a higher number to a lower one and
every question about ancestry is one sweep. A networkx graph of 1.3 million nodes takes a gigabyte;
these arrays take 20 bytes a commit beside the oids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from kbisect.history.oids import Bytes, Oids, packed

Ints = NDArray[np.int32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CommitGraph:
    """Commits and their parents; number 0 has no parent in the graph.

    Attributes
    ----------
    oids : N full hex oids, parents before children
    start : int32[N + 1], parents of commit i are `parents[start[i]:start[i + 1]]`
    parents : int32, in git's order (the first parent first); parents outside the graph are left out
    times : int64[N], commit times in Unix seconds
    """

    oids: Sequence[str]
    start: Ints
    parents: Ints
    times: NDArray[np.int64]

    @classmethod
    def build(cls, rows: Iterable[tuple[str, int, Sequence[str]]]) -> CommitGraph:
        """Build from (oid, time, parent oids), children before parents as `git log` prints them."""
        listed = list(rows)
        graph, _ = cls.grown(
            None,
            packed(row[0] for row in listed),
            np.array([row[1] for row in listed], np.int64),
            np.array([len(row[2]) for row in listed], np.int32),
            packed(oid for row in listed for oid in row[2]),
        )
        return graph

    @classmethod
    def grown(
        cls,
        before: CommitGraph | None,
        oids: Bytes,
        times: NDArray[np.int64],
        counts: Ints,
        parents: Bytes,
    ) -> tuple[CommitGraph, Ints]:
        """Add commits to a graph, none of which is an ancestor of what it holds.

        Parameters
        ----------
        before : CommitGraph, its numbers stay; its oids must be an `Oids`
        oids : uint8[N, 20], children before parents for the most part
        times : int64[N]
        counts : int32[N], how many parents each has
        parents : uint8[M, 20], one commit's after the other's

        Returns
        -------
        (CommitGraph, int32[N], the places of the new commits in what was given, by number)
        """
        base = len(before) if before else 0
        new = Oids(oids[::-1])
        starts, places = _turned(counts)
        above = new.numbers(parents)[places]
        order = np.arange(len(new), dtype=np.int32)
        if np.any(above >= np.repeat(order, np.diff(starts))):
            order = _parents_first(starts, above)
            places, starts = places[_spread(starts, order)], _starts(np.diff(starts)[order])
            new = Oids(new.raw[order])
            above = new.numbers(parents)[places]
        above[above >= 0] += base
        if before is not None:
            assert isinstance(before.oids, Oids)
            outside = np.flatnonzero(above < 0)
            above[outside] = before.oids.numbers(parents[places[outside]])
        order = (len(new) - 1 - order).astype(np.int32)
        # A parent that is nowhere is left out.
        inside = np.concatenate(([0], np.cumsum(above >= 0)))
        starts = inside[starts].astype(np.int32)
        above = above[above >= 0]
        if before is None:
            return cls(new, starts, above, times[order]), order
        assert isinstance(before.oids, Oids)
        whole = cls(
            oids=Oids(np.concatenate((before.oids.raw, new.raw))),
            start=np.concatenate((before.start, before.start[-1] + starts[1:])).astype(np.int32),
            parents=np.concatenate((before.parents, above)),
            times=np.concatenate((before.times, times[order])),
        )
        return whole, order

    def __len__(self) -> int:
        return len(self.oids)

    def parents_of(self, commit: int) -> list[int]:
        """Return the parents' numbers, the first parent first."""
        return [int(p) for p in self.parents[self.start[commit] : self.start[commit + 1]]]

    def ancestors(self, tips: Iterable[int], within: Mask | None = None) -> Mask:
        """Mark what the tips contain, themselves included.

        Parameters
        ----------
        tips : numbers
        within : bool[N], optional
            Walk only through commits marked here.

        Returns
        -------
        bool[N]
        """
        seen = np.zeros(len(self), np.bool_)
        stack = [tip for tip in tips if within is None or within[tip]]
        seen[stack] = True
        start, parents = self.start, self.parents
        while stack:
            commit = stack.pop()
            for parent in parents[start[commit] : start[commit + 1]].tolist():
                if not seen[parent] and (within is None or within[parent]):
                    seen[parent] = True
                    stack.append(parent)
        return seen

    def between(self, tips: Iterable[int], below: Iterable[int]) -> list[int]:
        """Return what the tips contain and `below` does not, highest number first.

        Only as much of the history is walked as lies above the lowest of them.
        """
        outside = set(below)
        wanted = set(tips) - outside
        start, parents = self.start.data, self.parents.data
        queue = [-commit for commit in wanted | outside]
        heapify(queue)
        found = []
        # As parents have lower numbers, all children of what comes off the heap came before it.
        while wanted:
            commit = -heappop(queue)
            inside = commit not in outside
            wanted.discard(commit)
            if inside:
                found.append(commit)
            for parent in parents[start[commit] : start[commit + 1]]:
                if parent in outside:
                    continue
                if parent not in wanted:
                    heappush(queue, -parent)
                if inside:
                    wanted.add(parent)
                else:
                    outside.add(parent)
                    wanted.discard(parent)
        return found

    def contains(self, pairs: Iterable[tuple[int, int]]) -> list[bool]:
        """Tell, for many pairs at once, whether the second commit contains the first.

        One sweep for all: each commit carries the set of asked ancestors it contains, as the bits
        of one number, and shares it with its only parent where nothing is added.
        """
        asked = list(pairs)
        bit = {older: 1 << at for at, older in enumerate(dict.fromkeys(o for o, _ in asked))}
        held: list[int] = []
        start, parents = self.start.tolist(), self.parents.tolist()
        for commit in range(max((newer for _, newer in asked), default=-1) + 1):
            first, last = start[commit], start[commit + 1]
            contained = held[parents[first]] if first < last else 0
            for parent in parents[first + 1 : last]:
                if held[parent] is not contained:
                    contained |= held[parent]
            own = bit.get(commit)
            held.append(contained | own if own else contained)
        return [bool(held[newer] & bit[older]) for older, newer in asked]

    def first_containing(self, tips: Sequence[int], known: Ints | None = None) -> Ints:
        """Tell, for each commit, the first of the tips that contains it.

        Parameters
        ----------
        tips : numbers, in the order that decides (releases: oldest first)
        known : int32, an earlier answer for the same tips but for new ones, -1 where there was none

        Returns
        -------
        int32[N], an index into `tips`, -1 where none contains it
        """
        none = len(tips)
        first = [none] * len(self)
        settled: set[int] = set()
        if known is not None:
            first[: len(known)] = np.where(known < 0, none, known).tolist()
            settled = {index for index, tip in enumerate(tips) if first[tip] <= index}
        start, parents = self.start.tolist(), self.parents.tolist()
        for index, tip in enumerate(tips):
            if index in settled or first[tip] <= index:
                continue
            stack = [tip]
            first[tip] = index
            while stack:
                commit = stack.pop()
                for parent in parents[start[commit] : start[commit + 1]]:
                    if first[parent] > index:
                        first[parent] = index
                        stack.append(parent)
        answer = np.array(first, np.int32)
        answer[answer == none] = -1
        return answer


def _starts(counts: Ints) -> Ints:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)


def _spread(starts: Ints, order: Ints) -> Ints:
    """Return the places of what belongs to some rows, row by row in the order given."""
    counts = np.diff(starts)[order]
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    places: Ints = (np.repeat(starts[:-1][order], counts) + nth).astype(np.int32)
    return places


def _turned(counts: Ints) -> tuple[Ints, Ints]:
    """Turn rows around: where each begins then, and where what belongs to it stood before."""
    backwards = np.arange(len(counts) - 1, -1, -1, dtype=np.int32)
    return _starts(counts[::-1]), _spread(_starts(counts), backwards)


def _parents_first(starts: Ints, above: Ints) -> Ints:
    """Order rows so that one that stands before its parent, by a skewed clock, waits for it."""
    size = len(starts) - 1
    rows = np.repeat(np.arange(size), np.diff(starts))
    early = [*np.unique(rows[above >= rows]).tolist(), size]
    first, parents = starts.tolist(), above.tolist()
    waiting: dict[int, list[int]] = {}
    late: set[int] = set()
    ordered: list[int] = []
    row = turn = 0
    while row < size:
        if not late:
            # Up to the next that is early, all is as it should be.
            while early[turn] < row:
                turn += 1
            ordered.extend(range(row, early[turn]))
            row = early[turn]
            if row == size:
                break
        ready = [row]
        while ready:
            one = ready.pop()
            # A parent that is not done: it comes later, or waits itself.
            missing = (p for p in parents[first[one] : first[one + 1]] if p > row or p in late)
            parent = next(missing, -1)
            if parent >= 0:
                waiting.setdefault(parent, []).append(one)
                late.add(one)
                continue
            ordered.append(one)
            late.discard(one)
            ready += waiting.pop(one, ())
        row += 1
    return np.array(ordered, np.int32)

# SPDX-License-Identifier: GPL-2.0-or-later
"""The commit graph in arrays: parents, children, ancestry. Pure.

Commits are numbered parents first, so an edge always leads from a higher number to a lower one and
every question about ancestry is one sweep. A networkx graph of 1.3 million nodes takes a gigabyte;
these arrays take 20 bytes a commit beside the oids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kbisect.history.oids import Oids

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
        return cls.extend(None, rows)

    @classmethod
    def extend(
        cls, before: CommitGraph | None, rows: Iterable[tuple[str, int, Sequence[str]]]
    ) -> CommitGraph:
        """Add commits to a graph, none of which is an ancestor of what it holds.

        Parameters
        ----------
        before : CommitGraph, its numbers stay; its oids must be an `Oids`
        rows : (oid, time, parent oids), children before parents for the most part
        """
        listed = _parents_first(list(rows))
        base = len(before) if before else 0
        number = {row[0]: base + index for index, row in enumerate(listed)}
        known = before.oids.number if before and isinstance(before.oids, Oids) else None
        counts = np.zeros(len(listed), np.int32)
        parents: list[int] = []
        for index, (_, _, above) in enumerate(listed):
            had = len(parents)
            for oid in above:
                found = number.get(oid)
                if found is None and known is not None:
                    found = known(oid)
                if found is not None:
                    parents.append(found)
            counts[index] = len(parents) - had
        oids = Oids.of([row[0] for row in listed])
        times = np.array([row[1] for row in listed], np.int64)
        starts = np.concatenate(([0], np.cumsum(counts, dtype=np.int32)))
        if before is None:
            return cls(oids, starts.astype(np.int32), np.array(parents, np.int32), times)
        assert isinstance(before.oids, Oids)
        return cls(
            oids=Oids(np.concatenate((before.oids.raw, oids.raw))),
            start=np.concatenate((before.start, before.start[-1] + starts[1:])).astype(np.int32),
            parents=np.concatenate((before.parents, np.array(parents, np.int32))),
            times=np.concatenate((before.times, times)),
        )

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


Row = tuple[str, int, Sequence[str]]


def _parents_first(rows: list[Row]) -> list[Row]:
    """Turn rows around; one that stands before its parent, by a skewed clock, waits for it."""
    rows.reverse()
    inside = {row[0] for row in rows}
    done: set[str] = set()
    waiting: dict[str, list[Row]] = {}
    ordered: list[Row] = []
    for row in rows:
        ready = [row]
        while ready:
            one = ready.pop()
            late = next((oid for oid in one[2] if oid not in done and oid in inside), None)
            if late is not None:
                waiting.setdefault(late, []).append(one)
                continue
            ordered.append(one)
            done.add(one[0])
            if one[0] in waiting:
                ready += waiting.pop(one[0])
    return ordered

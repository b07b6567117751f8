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
        listed.reverse()
        number = {row[0]: index for index, row in enumerate(listed)}
        start = np.zeros(len(listed) + 1, np.int32)
        parents: list[int] = []
        for index, (_, _, above) in enumerate(listed):
            parents.extend(number[oid] for oid in above if oid in number)
            start[index + 1] = len(parents)
        return cls(
            oids=[row[0] for row in listed],
            start=start,
            parents=np.array(parents, np.int32),
            times=np.array([row[1] for row in listed], np.int64),
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

    def first_containing(self, tips: Sequence[int]) -> Ints:
        """Tell, for each commit, the first of the tips that contains it.

        Parameters
        ----------
        tips : numbers, in the order that decides (releases: oldest first)

        Returns
        -------
        int32[N], an index into `tips`, -1 where none contains it
        """
        first = np.full(len(self), -1, np.int32)
        start, parents = self.start, self.parents
        for index, tip in enumerate(tips):
            stack = [tip] if first[tip] < 0 else []
            first[stack] = index
            while stack:
                commit = stack.pop()
                for parent in parents[start[commit] : start[commit + 1]].tolist():
                    if first[parent] < 0:
                        first[parent] = index
                        stack.append(parent)
        return first

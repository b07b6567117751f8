# SPDX-License-Identifier: GPL-2.0-or-later
"""The graph of commits in scope: git's `--full-history --simplify-merges`. Pure.

A commit that changes nothing in scope is replaced by its parent; a merge stays if, after that, it
still ties two lines together. The rules are those of git's revision.c (simplify_one), so that the
result is the same, commit for commit and parent for parent. What a commit becomes depends on its
ancestors alone, so new commits are added to an earlier result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kbisect.history.graph import CommitGraph, Ints, Mask


@dataclass(frozen=True, slots=True)
class Simplified:
    """What each of N commits becomes.

    Attributes
    ----------
    becomes : int32[N], the commit that stands for it: itself if it stays
    same : bool[N], it changes nothing in scope against any parent
    start : int32[N + 1], the nearest kept ancestors of commit i are `above[start[i]:start[i + 1]]`
    above : int32
    """

    becomes: Ints
    same: Mask
    start: Ints
    above: Ints

    def shown(self, since: int = 0) -> dict[int, list[int]]:
        """Return the parents of every commit that stays, from number `since` on.

        An ancestor that has nothing in scope and no parents is not part of the graph.
        """
        counts = np.diff(self.start)
        stays = (self.becomes == np.arange(len(self.becomes))) & (~self.same | (counts > 1))
        start, above, kept = self.start.tolist(), self.above.tolist(), stays.tolist()
        return {
            commit: [parent for parent in above[start[commit] : start[commit + 1]] if kept[parent]]
            for commit in (since + np.flatnonzero(stays[since:])).tolist()
        }


def simplify(
    graph: CommitGraph,
    touched: Mask,
    merges: Mapping[int, Sequence[bool]],
    before: Simplified | None = None,
) -> Simplified:
    """Simplify a graph, or the commits added to it since an earlier result.

    Parameters
    ----------
    graph : CommitGraph, N commits
    touched : bool[N], the non-merges that change something in scope (a root: that has something)
    merges : for each merge, per parent whether the scope is the same there
    before : Simplified, of the first M commits; `touched` and `merges` then count from M on
    """
    first_new = len(before.becomes) if before else 0
    becomes = list(range(len(graph)))
    same = bytearray(len(graph))
    above = _Above(before)
    followed = bytearray(len(graph))
    if before:
        followed = bytearray(np.isin(np.arange(len(graph)), before.above).tobytes())
        becomes[:first_new] = before.becomes.tolist()
        same[:first_new] = before.same.astype(np.uint8).tobytes()
    start = graph.start.tolist()
    parents = graph.parents.tolist()
    changes = touched.tolist()
    for commit in range(first_new, len(graph)):
        first, last = start[commit], start[commit + 1]
        if last - first < 2:
            same[commit] = not changes[commit]
            if first == last:
                above[commit] = []
            elif same[commit]:
                becomes[commit] = becomes[parents[first]]
            else:
                above[commit] = [becomes[parents[first]]]
                followed[above[commit][0]] = 1
            continue
        kept: dict[int, bool] = {}
        for parent, alike in zip(parents[first:last], merges[commit], strict=True):
            kept.setdefault(becomes[parent], alike)
        if len(kept) > 1:
            _drop_redundant(kept, above, same, followed)
        same[commit] = all(kept.values())
        if len(kept) == 1 and same[commit]:
            becomes[commit] = next(iter(kept))
        else:
            above[commit] = list(kept)
            for parent in kept:
                followed[parent] = 1
    starts, flat = above.arrays(len(graph))
    return Simplified(
        np.array(becomes, np.int32), np.frombuffer(bytes(same), np.bool_), starts, flat
    )


class _Above(dict[int, list[int]]):
    """The kept ancestors of a commit; those of earlier results are looked up when needed."""

    def __init__(self, before: Simplified | None) -> None:
        super().__init__()
        self._before = before

    def __missing__(self, commit: int) -> list[int]:
        assert self._before is not None
        low, high = self._before.start[commit : commit + 2].tolist()
        found: list[int] = self._before.above[low:high].tolist()
        self[commit] = found
        return found

    def arrays(self, size: int) -> tuple[Ints, Ints]:
        """Return them as offsets and a flat list, the earlier ones first."""
        old = len(self._before.becomes) if self._before else 0
        counts = np.zeros(size - old, np.int32)
        flat: list[int] = []
        for commit in range(old, size):
            line = self.get(commit)
            if line:
                counts[commit - old] = len(line)
                flat.extend(line)
        starts = np.concatenate(([0], np.cumsum(counts, dtype=np.int32))).astype(np.int32)
        if self._before is None:
            return starts, np.array(flat, np.int32)
        return (
            np.concatenate((self._before.start, self._before.start[-1] + starts[1:])),
            np.concatenate((self._before.above, np.array(flat, np.int32))),
        )


def _drop_redundant(
    kept: dict[int, bool], above: _Above, same: bytearray, followed: bytearray
) -> None:
    # What nothing stands on yet, and so most tips of branches, no other parent contains.
    marked = [
        parent
        for parent in kept
        if (same[parent] and not above[parent])
        or (
            followed[parent]
            and any(other > parent and _contains(other, parent, above) for other in kept)
        )
    ]
    # A merge that took one side whole keeps the way to that side.
    if marked and not any(kept[parent] for parent in kept if parent not in marked):
        taken = next((parent for parent in kept if parent in marked and kept[parent]), None)
        if taken is not None:
            marked.remove(taken)
    for parent in marked:
        del kept[parent]


def _contains(descendant: int, ancestor: int, above: _Above) -> bool:
    seen = {descendant}
    stack = [descendant]
    while stack:
        for parent in above[stack.pop()]:
            if parent == ancestor:
                return True
            if parent > ancestor and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return False

# SPDX-License-Identifier: GPL-2.0-or-later
"""The graph of commits in scope: git's `--full-history --simplify-merges`. Pure.

A commit that changes nothing in scope is replaced by its parent; a merge stays if, after that, it
still ties two lines together. The rules are those of git's revision.c (simplify_one), so that the
result is the same, commit for commit and parent for parent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kbisect.history.graph import CommitGraph, Mask


def simplify(
    graph: CommitGraph, touched: Mask, merges: Mapping[int, Sequence[bool]]
) -> dict[int, list[int]]:
    """Return the parents of every commit that stays.

    Parameters
    ----------
    graph : CommitGraph, N commits
    touched : bool[N], the non-merges that change something in scope (a root: that has something)
    merges : for each merge, per parent whether the scope is the same there

    Returns
    -------
    dict
        number → numbers of its nearest kept ancestors, in git's order
    """
    becomes = list(range(len(graph)))
    above: dict[int, list[int]] = {}
    same = bytearray(len(graph))
    start = graph.start.tolist()
    parents = graph.parents.tolist()
    for commit in range(len(graph)):
        first, last = start[commit], start[commit + 1]
        if last - first < 2:
            same[commit] = not touched[commit]
            if first == last:
                above[commit] = []
            elif same[commit]:
                becomes[commit] = becomes[parents[first]]
            else:
                above[commit] = [becomes[parents[first]]]
            continue
        kept: dict[int, bool] = {}
        for parent, alike in zip(parents[first:last], merges[commit], strict=True):
            kept.setdefault(becomes[parent], alike)
        if len(kept) > 1:
            _drop_redundant(kept, above, same)
        same[commit] = all(kept.values())
        if len(kept) == 1 and same[commit]:
            becomes[commit] = next(iter(kept))
        else:
            above[commit] = list(kept)
    # An ancestor that has nothing in scope and no parents is not part of the graph.
    shown = {commit for commit, line in above.items() if not same[commit] or len(line) > 1}
    return {
        commit: [parent for parent in line if parent in shown]
        for commit, line in above.items()
        if commit in shown
    }


def _drop_redundant(kept: dict[int, bool], above: Mapping[int, list[int]], same: bytearray) -> None:
    marked = [
        parent
        for parent in kept
        if (not above[parent] and same[parent])
        or any(other > parent and _contains(other, parent, above) for other in kept)
    ]
    # A merge that took one side whole keeps the way to that side.
    if marked and not any(kept[parent] for parent in kept if parent not in marked):
        taken = next((parent for parent in kept if parent in marked and kept[parent]), None)
        if taken is not None:
            marked.remove(taken)
    for parent in marked:
        del kept[parent]


def _contains(descendant: int, ancestor: int, above: Mapping[int, list[int]]) -> bool:
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

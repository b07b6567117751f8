# SPDX-License-Identifier: GPL-2.0-or-later
"""Which trees contain a commit.

A walk from a tree's tip down to an old commit passes half the history. But mainline's releases
contain one another, and the index knows each commit's first release; so the walk need only reach
the newest release below the tip, and goes on from there for what no such release contains.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush

from kbisect.history import releases as naming
from kbisect.history.store import Index


def trees_with(index: Index, number: int) -> tuple[str, ...]:
    """Return the trees whose branch contains a commit, in the index's order.

    Parameters
    ----------
    index : Index
    number : int
        The commit's, in the index's graph.
    """
    tips = {
        tree: tip
        for tree, ref in index.meta.trees.items()
        if (oid := index.meta.refs.get(ref)) and (tip := index.oids.number(oid)) is not None
    }
    chain = _chain(index) if tips else {}
    return tuple(tree for tree, tip in tips.items() if _contains(index, tip, number, chain))


def _contains(index: Index, tip: int, number: int, chain: Mapping[int, int]) -> bool:
    """Walk down from a tip, highest number first."""
    start, parents = index.graph.start.data, index.graph.parents.data
    first = int(index.release[number])
    seen = {tip}
    queue = [-tip]
    while queue:
        commit = -heappop(queue)
        if commit == number:
            return True
        if commit < number:
            return False
        position = chain.get(commit)
        if position is not None:
            if first < 0 or first > position:
                # The release doesn't contain the commit, so nothing below it does.
                continue
            if first in chain.values():
                return True
        for parent in parents[start[commit] : start[commit + 1]]:
            if parent >= number and parent not in seen:
                seen.add(parent)
                heappush(queue, -parent)
    return False


def _chain(index: Index) -> dict[int, int]:
    """Return the newest mainline releases, as far as each contains the one before.

    Commit number → position among all releases. That each contains the one before is not taken on
    trust: the first parents below the newer one must lead to the older one.
    """
    mainline = [
        (number, position)
        for position, (name, oid) in enumerate(index.meta.releases)
        if naming.is_mainline(name) and (number := index.oids.number(oid)) is not None
    ]
    start, parents = index.graph.start.data, index.graph.parents.data
    chain = dict(mainline[-1:])
    newer = mainline[-1][0] if mainline else -1
    for older, position in reversed(mainline[:-1]):
        commit = newer
        while commit > older and start[commit] < start[commit + 1]:
            commit = parents[start[commit]]
        if commit != older:
            break
        chain[older] = position
        newer = older
    return chain

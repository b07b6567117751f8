# SPDX-License-Identifier: GPL-2.0-or-later
"""A branch among others: what it grew from, what grew on it, what the others take."""

from __future__ import annotations

import numpy as np

from kbisect.backport.carried import Sayings
from kbisect.history.graph import CommitGraph, Mask
from kbisect.history.messages import LinkKind
from kbisect.history.store import Index


def base_release(index: Index, here: Mask) -> str | None:
    """Return the newest mainline release that the branch contains."""
    rows = index.rows("SELECT name, oid FROM releases WHERE mainline ORDER BY position DESC")
    return next((name for name, oid in rows if here[index.number(oid)]), None)


def in_trees(index: Index) -> Mask:
    """Mark what the known trees contain, stable branches apart."""
    tips = [
        index.number(index.meta.refs[ref])
        for tree, ref in index.meta.trees.items()
        if not tree.endswith(".y") and ref in index.meta.refs
    ]
    return index.graph.ancestors(tips)


def grown_on(graph: CommitGraph, tip: int, upstream: Mask) -> Mask:
    """Mark what grew on a branch's tip since, outside upstream: its own future, no other branch."""
    grown = np.zeros(len(graph), bool)
    grown[tip] = True
    for number in np.flatnonzero(~upstream):
        # Parents come before their children.
        grown[number] |= any(grown[above] for above in graph.parents_of(int(number)))
    return grown


def elsewhere(index: Index, said: Sayings, own: Mask) -> set[str]:
    """Return upstream's commits that a branch beside this one names in a marker."""
    return {
        link.target
        for oid, links in said.items()
        for link in links
        if link.kind is LinkKind.UPSTREAM and link.target and not own[index.number(oid)]
    }

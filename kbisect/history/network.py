# SPDX-License-Identifier: GPL-2.0-or-later
"""The in-scope commits, or those of a range, as a networkx graph."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

from kbisect.history.store import Index

if TYPE_CHECKING:
    import networkx as nx


def between(index: Index, old: str | None, new: str) -> set[str]:
    """Return what `new` contains and `old` doesn't, as oids.

    Raises
    ------
    UsageError
        An end came after the index was made.
    """
    below = [index.number(old)] if old else []
    return {index.oids[number] for number in index.graph.between([index.number(new)], below)}


def network(index: Index, only: Set[str] | None = None) -> nx.DiGraph[str]:
    """Return the graph of commits in scope, each pointing at its nearest kept ancestors.

    Parameters
    ----------
    index : Index
    only : set of oids, optional
        Keep the commits of a range (`between`).

    Returns
    -------
    networkx.DiGraph
        Nodes are oids with `subject`, `author`, `time` (Unix seconds), `release`, `lineage` and
        `merge`; edges go from child to parent, as in git. What git's
        `rev-list --parents --full-history --simplify-merges -- SCOPE` prints.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    rows = index.rows(
        "SELECT e.child, e.parent, c.subject, c.author, c.commit_time, c.release, c.lineage"
        " FROM edges e LEFT JOIN commits c ON c.oid = e.child"
        + (" WHERE e.child IN (SELECT unnest(?))" if only is not None else ""),
        [list(only)] if only is not None else [],
    )
    for child, parent, subject, author, time, release, lineage in rows:
        graph.add_node(
            child,
            subject=subject or "",
            author=author or "",
            time=time,
            release=release or "",
            lineage=lineage or "",
            merge=subject is None,
        )
        if parent is not None and (only is None or parent in only):
            graph.add_edge(child, parent)
    _complete_merges(index, graph)
    return graph


def _complete_merges(index: Index, graph: nx.DiGraph[str]) -> None:
    """Give merges, which are no rows of `commits`, their subjects and times."""
    merges = {index.number(oid): oid for oid, data in graph.nodes(data=True) if data["merge"]}
    titles = dict(
        index.rows(
            "SELECT number, subject FROM merges WHERE number IN (SELECT unnest(?))", [list(merges)]
        )
    )
    for number, oid in merges.items():
        graph.nodes[oid]["subject"] = titles.get(number, "")
        graph.nodes[oid]["time"] = int(index.graph.times[number])

# SPDX-License-Identifier: GPL-2.0-or-later
"""The in-scope commits, or those of a range, as a networkx graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kbisect.git import commits
from kbisect.git.repository import Repository
from kbisect.history.store import Index

if TYPE_CHECKING:
    import networkx as nx


def network(index: Index, only: set[str] | None = None) -> nx.DiGraph[str]:
    """Return the graph of commits in scope, each pointing at its nearest kept ancestors.

    Parameters
    ----------
    index : Index
    only : set of oids, optional
        Keep the commits of a range.

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
    )
    for child, parent, subject, author, time, release, lineage in rows:
        if only is not None and child not in only:
            continue
        graph.add_node(
            child,
            subject=subject or "",
            author=author or "",
            time=int(index.graph.times[index.number(child)]) if time is None else time,
            release=release or "",
            lineage=lineage or "",
            merge=subject is None,
        )
        if parent is not None and (only is None or parent in only):
            graph.add_edge(child, parent)
    return graph


def name_merges(repository: Repository, graph: nx.DiGraph[str]) -> None:
    """Give the merges of a graph their subjects, which the index doesn't keep."""
    merges = [oid for oid, data in graph.nodes(data=True) if data["merge"]]
    if not merges:
        return
    for oid, subject in commits.subjects(repository, merges):
        graph.nodes[oid]["subject"] = subject

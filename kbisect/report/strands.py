# SPDX-License-Identifier: GPL-2.0-or-later
"""A graph of commits as strands for a page: a row a commit, children above what they stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import networkx as nx
from markupsafe import Markup

from kbisect.report import lanes
from kbisect.report.charts import element, picture

_ROW, _LANE, _SIDE = 26, 16, 18
_CUT = 72

Row = Callable[[str, float, float, float], Iterable[Markup]]
"""Draws a commit: its oid, where its dot is, and where its text begins."""


def strands(
    parents: Mapping[str, Sequence[str]], row: Row, dotted: Callable[[str, str], bool], what: str
) -> Markup:
    """Draw a graph.

    Parameters
    ----------
    parents : for each commit what it stands on, which are keys too; parents first
    dotted : whether something between child and parent is left out
    what : for those who can't see it
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    for place, (oid, below) in enumerate(parents.items()):
        graph.add_node(oid, time=place)
        graph.add_edges_from((oid, parent) for parent in below)
    drawing = lanes.arrange(graph)
    at = {oid: number for number, oid in enumerate(drawing.order)}

    def spot(lane: int, oid: str) -> tuple[int, int]:
        return _SIDE + lane * _LANE, _SIDE + at[oid] * _ROW

    shapes = []
    for edge in drawing.edges:
        (x0, y0), (x, y) = spot(drawing.lane[edge.child], edge.child), spot(edge.lane, edge.parent)
        bend = f"C{x0} {y0 + _ROW // 2} {x} {y0 + _ROW // 2} {x} {y0 + _ROW}" if x != x0 else ""
        shapes.append(
            element(
                "path",
                class_="axis",
                d=f"M{x0} {y0}{bend}V{y}",
                stroke_width=2,
                stroke_dasharray="2 4" if dotted(edge.child, edge.parent) else None,
            )
        )
    beside = _SIDE + drawing.width * _LANE + 6
    for oid in drawing.order:
        shapes += row(oid, *spot(drawing.lane[oid], oid), beside)
    height = 2 * _SIDE + (len(at) - 1) * _ROW
    return picture(max(920, beside + 860), height, what, shapes)


def named(
    oid: str, subject: str, words: str, at: tuple[float, float], *, strong: bool = False
) -> Markup:
    """Return the text of a row: the commit, its subject cut short, and some words."""
    cut = subject if len(subject) <= _CUT else subject[: _CUT - 1].rstrip() + "…"
    return element(
        "text",
        element("title", f"{oid}\n{subject}"),
        element("tspan", oid[:12], class_="mono"),
        element("tspan", cut, dx=10, class_="strong" if strong else None),
        element("tspan", words, dx=12, class_="dim"),
        x=at[0],
        y=at[1] + 4,
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""A graph of commits drawn as lanes: one row a commit, children above parents. One SVG file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from kbisect.errors import UsageError
from kbisect.report.terminal import printable

if TYPE_CHECKING:
    import networkx as nx

LIMIT = 5000
"""More rows than this are refused: nobody reads them, and browsers choke."""

_ROW, _LANE, _LEFT, _TOP, _RADIUS = 20, 14, 14, 16, 4
_SUBJECT = 76
# Okabe and Ito's colours, which the colour-blind can tell apart; the yellow is too light on white.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#444444")
# What XML 1.0 can't hold at all.
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_STYLE = (
    "text{font:12px ui-sans-serif,system-ui,'DejaVu Sans',sans-serif;fill:#1f2328}"
    ".oid{font-family:ui-monospace,'DejaVu Sans Mono',monospace;fill:#57606a}"
    ".by{fill:#57606a}.tag{font-weight:bold;font-size:11px}"
    "path{fill:none;stroke-width:2}rect.row{fill:#fff}g.commit:hover rect.row{fill:#eef4fb}"
)


@dataclass(frozen=True, slots=True)
class Edge:
    """A line from a child's dot to the parent's lane, and down to its dot. Lanes from 0."""

    child: str
    parent: str
    lane: int
    color: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where everything stands.

    Attributes
    ----------
    order : oids, children before parents; the position is the row
    lane : oid → lane of its dot
    color : oid → number of its colour
    edges : in drawing order
    width : how many lanes there are
    """

    order: tuple[str, ...]
    lane: Mapping[str, int]
    color: Mapping[str, int]
    edges: tuple[Edge, ...]
    width: int


def arrange(graph: nx.DiGraph[str]) -> Drawing:
    """Give each commit a row and a lane.

    A first parent goes on in its child's lane; another one takes the lane that already leads to
    it, or the first that is free.
    """
    order = _order(graph)
    lanes: list[str | None] = []  # which commit each lane leads to, as far as it is drawn
    colors: list[int] = []
    lane: dict[str, int] = {}
    color: dict[str, int] = {}
    edges = []
    drawn = 0

    def occupy(oid: str) -> int:
        nonlocal drawn
        if None in lanes:
            at = lanes.index(None)
            lanes[at], colors[at] = oid, drawn
        else:
            at = len(lanes)
            lanes.append(oid)
            colors.append(drawn)
        drawn += 1
        return at

    for oid in order:
        at = lanes.index(oid) if oid in lanes else occupy(oid)
        lane[oid], color[oid] = at, colors[at]
        lanes[at] = None
        for place, parent in enumerate(graph.successors(oid)):
            if parent in lanes:
                to = lanes.index(parent)
            elif place == 0:
                lanes[at], to = parent, at
            else:
                to = occupy(parent)
            edges.append(Edge(oid, parent, to, colors[to]))
    return Drawing(tuple(order), lane, color, tuple(edges), max(1, len(lanes)))


def svg(graph: nx.DiGraph[str], title: str = "commits in scope") -> str:
    """Draw a graph as a self-contained SVG.

    Parameters
    ----------
    graph : networkx.DiGraph
        As `history.network` gives it.
    title : str
        For those who can't see it.

    Raises
    ------
    UsageError
        More than `LIMIT` commits.
    """
    require_drawable(graph)
    drawing = arrange(graph)
    row = {oid: at for at, oid in enumerate(drawing.order)}
    text_at = _LEFT + drawing.width * _LANE + 6
    width, height = text_at + 940, 2 * _TOP + max(0, len(row) - 1) * _ROW + 8
    rows = []
    seen: set[str] = set()
    for oid in drawing.order:
        data = graph.nodes[oid]
        release = data["release"]
        label = release if release and release not in seen else ""
        seen.add(release)
        rows.append(_commit(oid, data, row[oid], drawing, text_at, width, label))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img">',
        f"<title>{_text(title)}</title><style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *(shape for shapes, _ in rows for shape in shapes),
        *(_line(edge, row, drawing) for edge in drawing.edges),
        *(dot for _, dot in rows),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def require_drawable(graph: nx.DiGraph[str]) -> None:
    """Refuse a graph that is too large to draw.

    Raises
    ------
    UsageError
    """
    if len(graph) > LIMIT:
        raise UsageError(
            f"{len(graph):,} commits are too many to draw (at most {LIMIT:,})",
            hint="draw a range: kbisect graph v3.0..v3.1 --format svg > graph.svg",
        )


def _order(graph: nx.DiGraph[str]) -> list[str]:
    """Sort children before parents, one line of history after another, as git's --topo-order."""
    waiting = {oid: graph.in_degree(oid) for oid in graph}
    tips = [oid for oid, children in waiting.items() if not children]
    tips.sort(key=lambda oid: (graph.nodes[oid]["time"], oid))
    order = []
    while tips:
        oid = tips.pop()
        order.append(oid)
        ready = []
        for parent in graph.successors(oid):
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)
        # What a merge brought is drawn right below it, the first parent's line after that.
        tips.extend(ready)
    return order


def _commit(
    oid: str,
    data: Mapping[str, object],
    row: int,
    drawing: Drawing,
    text_at: int,
    width: int,
    label: str,
) -> tuple[list[str], str]:
    """Return the row's text, and its dot, which is drawn above the lines."""
    x, y = _at(drawing.lane[oid], row)
    subject = str(data["subject"] or ("(merge)" if data["merge"] else "(no subject)"))
    when = datetime.fromtimestamp(int(str(data["time"] or 0)), UTC).strftime("%Y-%m-%d")
    dated = when if data["time"] else ""
    facts = [
        f"{oid}",
        subject,
        f"{data['author']}, {dated}" if dated else "",
        f"first in {data['release']}" if data["release"] else "in no release yet",
        f"came through {data['lineage']}" if data["lineage"] else "",
    ]
    hint = _text("\n".join(fact for fact in facts if fact))
    color = _COLORS[drawing.color[oid] % len(_COLORS)]
    at = text_at + 84
    shapes = [f'<g class="commit"><title>{hint}</title>']
    shapes.append(
        f'<rect class="row" x="{text_at - 4}" y="{y - _ROW // 2}" width="{width}" height="{_ROW}"/>'
    )
    shapes.append(f'<text class="oid" x="{text_at}" y="{y + 4}">{oid[:12]}</text>')
    at += 14
    if label:
        size = 7 * len(label) + 10
        shapes.append(
            f'<rect x="{at}" y="{y - 8}" width="{size}" height="16" rx="4" fill="#fff3c4"'
            ' stroke="#b08800"/>'
            f'<text class="tag" x="{at + 5}" y="{y + 4}">{_text(label)}</text>'
        )
        at += size + 6
    cut = subject if len(subject) <= _SUBJECT else subject[: _SUBJECT - 1].rstrip() + "…"
    by = f'<tspan class="by" dx="10">{_text(str(data["author"]))} {dated}</tspan>' if dated else ""
    shapes.append(f'<text x="{at}" y="{y + 4}">{_text(cut)}{by}</text></g>')
    fill = "#fff" if data["merge"] else color
    dot = (
        f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" fill="{fill}" stroke="{color}" stroke-width="2">'
        f"<title>{hint}</title></circle>"
    )
    return shapes, dot


def _line(edge: Edge, row: Mapping[str, int], drawing: Drawing) -> str:
    """Leave the child's dot for the parent's lane at once, and go straight down there."""
    x0, y0 = _at(drawing.lane[edge.child], row[edge.child])
    x, y = _at(edge.lane, row[edge.parent])
    steps = [f"M{x0} {y0}"]
    if x != x0:
        steps.append(f"C{x0} {y0 + _ROW // 2} {x} {y0 + _ROW // 2} {x} {y0 + _ROW}")
    steps.append(f"V{y}")
    return f'<path d="{"".join(steps)}" stroke="{_COLORS[edge.color % len(_COLORS)]}"/>'


def _at(lane: int, row: int) -> tuple[int, int]:
    return _LEFT + lane * _LANE, _TOP + row * _ROW


def _text(text: str) -> str:
    return escape(_NO_XML.sub("\ufffd", printable(text)))

# SPDX-License-Identifier: GPL-2.0-or-later
"""The drawing of a graph: rows, lanes, labels, and text that can do no harm."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbisect.errors import UsageError
from kbisect.history.network import network
from kbisect.history.store import Index
from kbisect.report import lanes

SVG = "{http://www.w3.org/2000/svg}"


def commits(parents: list[list[int]], **data: str) -> nx.DiGraph[str]:
    """Return a graph of numbered commits, each with the numbers of its parents."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    plain = {"subject": "net: x", "author": "Ada", "release": "", "lineage": ""} | data
    for number, above in enumerate(parents):
        graph.add_node(f"{number:040x}", time=1000 + number, merge=len(above) > 1, **plain)
        graph.add_edges_from((f"{number:040x}", f"{parent:040x}") for parent in above)
    return graph


def check(graph: nx.DiGraph[str]) -> lanes.Drawing:
    """Check what must hold of every drawing."""
    drawing = lanes.arrange(graph)
    assert sorted(drawing.order) == sorted(graph)
    row = {oid: at for at, oid in enumerate(drawing.order)}
    assert {(edge.child, edge.parent) for edge in drawing.edges} == set(graph.edges)
    for edge in drawing.edges:
        assert row[edge.child] < row[edge.parent]
        assert edge.lane == drawing.lane[edge.parent]
        passed = drawing.order[row[edge.child] + 1 : row[edge.parent]]
        assert all(drawing.lane[oid] != edge.lane for oid in passed)
    assert all(0 <= lane < drawing.width for lane in drawing.lane.values())
    return drawing


def test_a_line_is_one_lane() -> None:
    drawing = check(commits([[], [0], [1], [2]]))
    assert drawing.width == 1
    assert [int(oid, 16) for oid in drawing.order] == [3, 2, 1, 0]


def test_a_merge_has_two_lanes_and_they_end() -> None:
    drawing = check(commits([[], [0], [0], [1, 2], [3]]))
    assert drawing.width == 2
    assert {int(oid, 16): lane for oid, lane in drawing.lane.items()} == {
        4: 0,
        3: 0,
        1: 0,
        0: drawing.lane[f"{0:040x}"],
        2: 1,
    }


def test_an_octopus_and_two_roots() -> None:
    check(commits([[], [], [0], [0], [1], [2, 3, 4], [5]]))


@given(st.lists(st.sets(st.integers(0, 30), max_size=3), max_size=30))
def test_no_line_runs_through_a_dot_of_others(wanted: list[set[int]]) -> None:
    parents = [sorted(p for p in above if p < number) for number, above in enumerate(wanted)]
    graph = commits(parents)
    check(graph)
    assert lanes.svg(graph) == lanes.svg(commits(parents))


def test_the_fixture_is_drawn(nettrees_index: Index) -> None:
    graph = network(nettrees_index)
    drawing = check(graph)
    assert drawing.width < 20
    root = ET.fromstring(lanes.svg(graph))
    assert len(root.findall(f"{SVG}circle")) == len(graph)
    assert len(root.findall(f"{SVG}path")) == len(graph.edges)
    labels = [each.text for each in root.iter(f"{SVG}text") if each.get("class") == "tag"]
    assert len(labels) == len(set(labels))
    assert {"v3.12-rc1", "v3.13", "v3.14-rc2"} <= set(labels)
    # Each subject whole in the row's tip.
    tips = "".join(each.text or "" for each in root.iter(f"{SVG}title"))
    assert all(data["subject"] in tips for _, data in graph.nodes(data=True))


@pytest.mark.parametrize(
    "text",
    [
        "</text><script>alert(1)</script>",
        '" onload="alert(1)',
        "]]> <!-- & &amp; <",
        "\x1b]0;owned\x07\x00\x9b31m",
        "\ufffe \udc80 \U0001f427",
        "x" * 100_000,
        "\u202etxet sdrawkcab",
    ],
)
def test_text_of_a_commit_stays_text(text: str) -> None:
    names = {"subject": text, "author": text, "release": "v1", "lineage": text}
    drawn = lanes.svg(commits([[], [0]], **names), title=text)
    root = ET.fromstring(drawn)
    assert {each.tag for each in root.iter()} <= {
        f"{SVG}{tag}"
        for tag in ("svg", "title", "style", "rect", "g", "text", "tspan", "path", "circle")
    }
    assert not any(key.startswith("on") for each in root.iter() for key in each.attrib)
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    drawn.encode()


def test_what_nobody_could_read_is_refused() -> None:
    lanes.svg(commits([[], *([n] for n in range(lanes.LIMIT - 1))]))
    with pytest.raises(UsageError, match="5,001 commits are too many") as caught:
        lanes.svg(commits([[], *([n] for n in range(lanes.LIMIT))]))
    assert "v3.0..v3.1" in caught.value.hint


def test_nothing_to_draw() -> None:
    ET.fromstring(lanes.svg(nx.DiGraph()))

# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures of the pages: what is drawn is what was given, and text stays text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbisect.report import charts
from kbisect.report.charts import Series

counts = st.integers(0, 5000)


def boxes(drawn: str) -> list[tuple[str, float, float]]:
    """Return class, y and height of every box."""
    found = ElementTree.fromstring(drawn).iter("rect")
    return [
        (box.get("class", ""), float(box.get("y", 0)), float(box.get("height", 0))) for box in found
    ]


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=40))
def test_bars_are_as_high_as_their_values(rows: list[tuple[int, int]]) -> None:
    labels = [f"v3.{number}" for number in range(len(rows))]
    series = [
        Series("a", "net", [a for a, _ in rows]),
        Series("b", "net-next", [b for _, b in rows]),
    ]
    drawn = boxes(charts.bars(labels, series, "a test"))
    values = [(tone, value) for row in rows for tone, value in zip("ab", row, strict=True) if value]
    assert [tone for tone, _, _ in drawn] == [tone for tone, _ in values]
    most = max((value for _, value in values), default=0)
    if most:
        scale = max(height for _, _, height in drawn) / most
        for (_, _, height), (_, value) in zip(drawn, values, strict=True):
            assert height == pytest.approx(value * scale, abs=0.11)  # a tenth of a pixel


def test_bars_stand_on_each_other() -> None:
    series = [Series("a", "net", [30]), Series("b", "net-next", [50])]
    (_, low, _), (_, high, height) = boxes(charts.bars(["v3.0"], series, "a test"))
    assert high + height == pytest.approx(low)


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=20))
def test_rows_are_as_long_as_their_values(rows: list[tuple[int, int]]) -> None:
    labels = [f"include/net/{number}.h" for number in range(len(rows))]
    series = [Series("a", "gone", [a for a, _ in rows]), Series("b", "new", [b for _, b in rows])]
    drawn = list(ElementTree.fromstring(charts.rows(labels, series, "a test")).iter("rect"))
    values = [value for row in rows for value in row if value]
    widths = [float(box.get("width", 0)) for box in drawn]
    most = max((a + b for a, b in rows), default=0)
    if most:
        room = max(float(box.get("x", 0)) + float(box.get("width", 0)) for box in drawn)
        scale = (room - min(float(box.get("x", 0)) for box in drawn)) / most
        assert widths == pytest.approx([value * scale for value in values], abs=0.6)
    assert len(drawn) == len(values)


@given(st.floats(0.01, 1e7))
def test_the_ticks_are_few_and_reach_above_the_most(most: float) -> None:
    ticks = charts._rounds(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most * 0.999
    assert 2 <= len(ticks) <= 7


def test_a_line_is_broken_where_there_is_no_value() -> None:
    drawn = charts.lines(list("abcde"), [Series("a", "days", [1, 2, None, 4, 5])], "a test")
    found = [line for line in ElementTree.fromstring(drawn).iter("polyline")
             if "line" in line.get("class", "")]  # fmt: skip
    assert [len(line.get("points", "").split()) for line in found] == [2, 2]


def test_text_that_looks_like_an_element_is_text() -> None:
    evil = "</title><script>alert(1)</script>\x1b[31m\x00"
    drawn = charts.bars([evil], [Series("a", evil, [1])], evil)
    tree = ElementTree.fromstring(drawn)
    assert not list(tree.iter("script"))
    assert "\\x1b[31m\\x00" in (tree.findtext(".//title") or "")
    assert tree.get("aria-label", "").startswith("</title><script>")

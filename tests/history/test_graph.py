# SPDX-License-Identifier: GPL-2.0-or-later
"""The graph in arrays: parents first whatever the clocks said, and grown as if built at once."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.history.graph import CommitGraph
from kbisect.history.oids import Oids, packed

Row = tuple[str, int, list[str]]


def oid(number: int) -> str:
    return f"{number * 7919 + 1:040x}"


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Rows in an order that git could give them in by date, children first but for some."""
    size = draw(st.integers(1, 40))
    rows = []
    for number in range(size):
        below = min(3, number)
        parents = draw(st.lists(st.integers(0, max(0, number - 1)), max_size=below, unique=True))
        rows.append((oid(number), 1000 + number, [oid(parent) for parent in parents]))
    rows.reverse()
    for _ in range(draw(st.integers(0, 4))):
        rows.insert(draw(st.integers(0, size - 1)), rows.pop(draw(st.integers(0, size - 1))))
    return rows


def arrays(rows: Sequence[Row]) -> tuple[np.ndarray, ...]:
    return (
        packed(row[0] for row in rows),
        np.array([row[1] for row in rows], np.int64),
        np.array([len(row[2]) for row in rows], np.int32),
        packed(parent for row in rows for parent in row[2]),
    )


def told(graph: CommitGraph) -> dict[str, tuple[int, list[str]]]:
    return {
        graph.oids[at]: (int(graph.times[at]), [graph.oids[p] for p in graph.parents_of(at)])
        for at in range(len(graph))
    }


@settings(deadline=None)
@given(histories())
def test_every_commit_is_there_and_parents_come_first(rows: list[Row]) -> None:
    graph, order = CommitGraph.grown(None, *arrays(rows))
    assert told(graph) == {name: (time, parents) for name, time, parents in rows}
    assert [rows[at][0] for at in order] == list(graph.oids)
    for commit in range(len(graph)):
        assert all(parent < commit for parent in graph.parents_of(commit))


@settings(deadline=None)
@given(histories(), st.data())
def test_a_graph_that_grew_says_the_same(rows: list[Row], data: st.DataObject) -> None:
    whole = CommitGraph.build(rows)
    tip = data.draw(st.integers(0, len(whole) - 1))
    old = {whole.oids[int(n)] for n in whole.ancestors([tip]).nonzero()[0]}
    first = CommitGraph.build([row for row in rows if row[0] in old])
    later = [row for row in rows if row[0] not in old]
    grown, _ = CommitGraph.grown(first, *arrays(later))
    assert list(grown.oids)[: len(first)] == list(first.oids)
    assert told(grown) == told(whole)


def test_a_parent_that_is_nowhere_is_left_out() -> None:
    graph = CommitGraph.build([(oid(2), 2, [oid(1), oid(9)]), (oid(1), 1, [oid(8)])])
    assert told(graph) == {oid(2): (2, [oid(1)]), oid(1): (1, [])}


def test_numbers_of_oids_that_begin_alike() -> None:
    alike = ["ab" * 8 + f"{at:024x}" for at in range(6)]
    oids = Oids.of(alike[:5])
    assert oids.numbers(packed([alike[3], alike[5], alike[0], oid(4)])).tolist() == [3, -1, 0, -1]
    assert Oids.of([]).numbers(packed([oid(1)])).tolist() == [-1]


def test_oids_made_to_begin_alike_cost_no_more_than_others() -> None:
    alike = [f"{0:016x}{at * 7919 % 100_003:024x}" for at in range(100_000)]
    oids = Oids.of(alike)
    begun = time.process_time()
    assert oids.numbers(oids.raw).tolist() == list(range(len(oids)))
    assert [oids.number(one) for one in alike[:1000]] == list(range(1000))
    assert time.process_time() - begun < 5  # it took hours


@given(st.lists(st.text("0123abf", min_size=40, max_size=40), unique=True), st.text("0123abf"))
def test_the_oids_that_begin_with_some_digits(names: list[str], digits: str) -> None:
    found = [names[number] for number in Oids.of(names).matching(digits[:40])]
    assert found == sorted(name for name in names if name.startswith(digits[:40]))


@settings(deadline=None)
@given(histories(), st.data())
def test_a_range_is_what_one_end_contains_and_the_other_does_not(
    rows: list[Row], data: st.DataObject
) -> None:
    graph = CommitGraph.build(rows)
    some = st.lists(st.integers(0, len(graph) - 1), max_size=3)
    tips, below = data.draw(some), data.draw(some)
    inside = graph.ancestors(tips) & ~graph.ancestors(below)
    assert graph.between(tips, below) == inside.nonzero()[0].tolist()[::-1]

# SPDX-License-Identifier: GPL-2.0-or-later
"""The course of a search: its belief adds up, its landmarks are the range's own shape."""

from __future__ import annotations

import random

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.bisect import priors
from kbisect.bisect.candidates import Candidates
from kbisect.bisect.course import WHOLE, follow, landmarks
from kbisect.bisect.events import Started, Told
from kbisect.bisect.reach import Reach
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Verdict
from kbisect.bisect.view import Range
from tests.bisect.graphs import linear, random_dag

GOOD = "f" * 40
seeds = st.integers(0, 10**9)


def ranged(candidates: Candidates) -> Range:
    return Range(candidates, Reach.of(candidates.graph), priors.flat(len(candidates)))


def told(candidates: Candidates, culprit: int, tested: list[int]) -> State:
    """A campaign by hand, every answer true."""
    oids = candidates.graph.oids
    answers = []
    for at, number in enumerate(tested):
        has = bool(candidates.graph.ancestors([number])[culprit])
        answers.append(Told(at, oids[number], Verdict.BAD if has else Verdict.GOOD))
    return State(Started(0.0, bad=oids[-1], goods=(GOOD,)), tuple(answers))


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(2, 60), st.data())
def test_the_belief_adds_up_and_true_answers_only_narrow_it(
    seed: int, size: int, data: st.DataObject
) -> None:
    candidates = random_dag(size, random.Random(seed))
    number = st.integers(0, len(candidates) - 1)
    state = told(candidates, data.draw(number), data.draw(st.lists(number, max_size=6)))
    course = follow(state, ranged(candidates))
    assert len(course.moments) == 1 + len(state.answers)
    assert course.moments[0].suspects == len(candidates)
    for moment in course.moments:
        assert np.isclose(moment.bands.sum(), 1)
        assert np.isclose(moment.bits, np.log2(moment.suspects))  # flat, and every answer true
    left = [moment.suspects for moment in course.moments]
    assert left == sorted(left, reverse=True)
    assert left[-1] == candidates.suspects(state.verdicts).sum()


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(WHOLE + 2, 90), st.data())
def test_landmarks_are_joined_as_their_ancestry_is(
    seed: int, size: int, data: st.DataObject
) -> None:
    candidates = random_dag(size, random.Random(seed), merges=0.4)
    graph = candidates.graph
    chosen = data.draw(st.lists(st.integers(0, len(graph) - 1), max_size=12, unique=True))
    found = landmarks(
        told(candidates, 0, []), ranged(candidates), [graph.oids[number] for number in chosen]
    )
    shown = sorted({*chosen, len(graph) - 1})
    if len(graph) <= WHOLE:
        shown = list(range(len(graph)))
    assert [mark.oid for mark in found] == [GOOD, *(graph.oids[number] for number in shown)]
    ancestry = nx.DiGraph(
        (graph.oids[one], graph.oids[other])
        for one in shown
        for other in shown
        if one != other and graph.ancestors([one])[other]
    )
    expected = set(nx.transitive_reduction(ancestry).edges) if len(ancestry) else set()
    drawn = {(mark.oid, parent) for mark in found for parent in mark.parents}
    assert {edge for edge in drawn if edge[1] != GOOD} == expected
    # What hangs on nothing else hangs on the good end, so the picture is one piece.
    assert {one for one, other in drawn if other == GOOD} == {
        graph.oids[number] for number in shown
    } - {one for one, _ in expected}


def test_in_a_row_every_commit_is_a_landmark_or_counted_between() -> None:
    candidates = linear(200)
    tested = [5, 50, 51, 120]
    found = landmarks(
        told(candidates, 60, tested), ranged(candidates), [candidates.graph.oids[n] for n in tested]
    )
    assert [mark.between for mark in found] == [0, 5, 44, 0, 68, 78]
    assert sum(mark.between for mark in found) + len(found) - 1 == 200


def test_a_skipped_commit_is_shown_and_narrows_nothing() -> None:
    candidates = linear(30)
    state = told(candidates, 20, [])
    skipped = Told(1.0, candidates.graph.oids[15], Verdict.SKIP)
    course = follow(State(state.started, (skipped,)), ranged(candidates))
    assert [moment.suspects for moment in course.moments] == [30, 30]
    assert course.moments[1].place == 15.5 / 30

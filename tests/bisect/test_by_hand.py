# SPDX-License-Identifier: GPL-2.0-or-later
"""The search by hand, where every answer counts as true: it ends at the culprit, and soon."""

import math
import random
from collections.abc import Callable, Collection
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.bisect import rates
from kbisect.bisect.candidates import Candidates
from kbisect.bisect.reach import Reach
from kbisect.bisect.search import Choice, Search
from kbisect.bisect.simulation import name
from kbisect.bisect.stopping import Stop
from kbisect.bisect.verdict import Verdict
from kbisect.errors import UsageError
from tests.bisect.graphs import linear, random_dag


def search(
    candidates: Candidates, contains: Callable[[int], bool], broken: Collection[int] = ()
) -> tuple[int, set[int]]:
    """Bisect; return the number of tests and the suspects left."""
    reach = Reach.of(candidates.graph)
    found = Search(candidates.graph, reach, np.ones(len(reach)), rates.certain())
    tests = 0
    while isinstance(planned := found.next(), Choice):
        assert found.belief.suspects()[planned.position]
        chosen = int(reach.order[planned.position])
        tests += 1
        verdict = Verdict.BAD if contains(chosen) else Verdict.GOOD
        found.hear(planned.position, Verdict.SKIP if chosen in broken else verdict)
    assert isinstance(planned, Stop)
    return tests, {int(reach.order[position]) for position in planned.positions}


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 60), st.data())
def test_it_finds_the_culprit_on_any_graph(seed: int, size: int, data: st.DataObject) -> None:
    candidates = random_dag(size, random.Random(seed))
    culprit = data.draw(st.integers(0, len(candidates) - 1))
    tests, left = search(
        candidates, lambda commit: bool(candidates.graph.ancestors([commit])[culprit])
    )
    assert left == {culprit}
    assert tests < len(candidates)


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 40), st.data())
def test_skips_never_exclude_the_culprit(seed: int, size: int, data: st.DataObject) -> None:
    chance = random.Random(seed)
    candidates = random_dag(size, chance)
    bad_end = len(candidates) - 1
    culprit = data.draw(st.integers(0, bad_end))
    broken = {i for i in range(bad_end) if chance.random() < 0.4}
    graph = candidates.graph

    _, left = search(candidates, lambda commit: bool(graph.ancestors([commit])[culprit]), broken)
    # What testing every commit would leave: those that no answer tells from the culprit.
    exhaustive = np.ones(len(graph), np.bool_)
    for commit in set(range(len(graph))) - broken:
        contains = graph.ancestors([commit])
        exhaustive &= contains if contains[culprit] else ~contains
    assert culprit in left
    assert set(np.flatnonzero(exhaustive).tolist()) <= left


def test_a_straight_line_takes_log2() -> None:
    candidates = linear(1024)
    for culprit in range(0, 1024, 7):
        assert search(candidates, culprit.__le__) == (10, {culprit})


@pytest.mark.parametrize("block", [1, 10, 100, 300])
def test_a_block_that_cannot_be_tested(block: int) -> None:
    """git takes over 100 tests for 300 of 1024 that don't build, having announced 9."""
    candidates, chance, counts = linear(1024), random.Random(block), []
    for _ in range(25):
        culprit, start = chance.randrange(1024), chance.randrange(1023 - block)
        broken = range(start, start + block)
        tests, left = search(candidates, culprit.__le__, broken)
        counts.append(tests)
        expected = {culprit}
        if start <= culprit <= start + block:
            expected = set(range(start, start + block + 1))
        assert left == expected
    assert mean(counts) <= 3 * math.ceil(math.log2(1024))


def test_answers_that_contradict_each_other() -> None:
    candidates = linear(10)
    with pytest.raises(UsageError, match="contradict"):
        candidates.suspects([(name(3), Verdict.BAD), (name(5), Verdict.GOOD)])

# SPDX-License-Identifier: GPL-2.0-or-later
"""The search on graphs: it ends, it ends at the culprit, and it ends soon."""

import math
import random
import time
from collections.abc import Callable, Collection
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.bisect.candidates import Candidates
from kbisect.bisect.midpoint import Midpoint, reaches
from kbisect.bisect.simulation import name
from kbisect.bisect.state import Answer
from kbisect.bisect.verdict import Verdict
from kbisect.errors import UsageError


def build(parents: list[list[int]]) -> Candidates:
    """Number i has these parents; the last one is the bad end."""
    rows = [(name(i), i, [name(p) for p in above]) for i, above in enumerate(parents)]
    return Candidates.build(reversed(rows))


def linear(size: int) -> Candidates:
    return build([[i - 1] if i else [] for i in range(size)])


def random_dag(
    size: int, chance: random.Random, merges: float = 0.2, window: int = 30
) -> Candidates:
    parents: list[list[int]] = [[]]
    for i in range(1, size):
        low = max(0, i - window)
        above = [i - 1 if chance.random() < 0.6 else chance.randrange(low, i)]
        while chance.random() < merges:
            above.append(chance.randrange(low, i))
        parents.append(list(dict.fromkeys(above)))
    tips = set(range(size)) - {p for above in parents for p in above}
    parents.append(sorted(tips))  # one octopus, so that the bad end contains all
    return build(parents)


def search(
    candidates: Candidates, contains: Callable[[int], bool], broken: Collection[int] = ()
) -> tuple[int, set[int]]:
    """Bisect; return the number of tests and the suspects left."""
    answers: list[Answer] = [(candidates.graph.oids[-1], Verdict.BAD)]
    tests = 0
    while True:
        suspects = candidates.suspects(answers)
        chosen = Midpoint().choose(candidates, suspects, answers)
        if chosen is None:
            return tests, set(np.flatnonzero(suspects).tolist())
        assert suspects[chosen]
        assert candidates.graph.oids[chosen] not in {name for name, _ in answers}
        tests += 1
        verdict = Verdict.BAD if contains(chosen) else Verdict.GOOD
        if chosen in broken:
            verdict = Verdict.SKIP
        answers.append((candidates.graph.oids[chosen], verdict))


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


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 80))
def test_reaches_counts_ancestors(seed: int, size: int) -> None:
    chance = random.Random(seed)
    candidates = random_dag(size, chance)
    graph = candidates.graph
    good = graph.ancestors([chance.randrange(len(graph))])
    bad = graph.ancestors([chance.randrange(len(graph))])
    suspects = bad & ~good
    counts = reaches(graph, suspects)
    for commit in range(len(graph)):
        expected = int(graph.ancestors([commit], suspects).sum()) if suspects[commit] else 0
        assert counts[commit] == expected


def test_reaches_counts_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = random_dag(1500, random.Random(3))
    everything = np.ones(len(candidates), np.bool_)
    at_once = reaches(candidates.graph, everything)
    monkeypatch.setattr("kbisect.bisect.midpoint._MEMORY", 1)
    assert (reaches(candidates.graph, everything) == at_once).all()


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


@pytest.mark.parametrize(("size", "limit"), [(10_000, 0.3), (100_000, 3.0)])
def test_choosing_is_fast(size: int, limit: float) -> None:
    candidates = random_dag(size, random.Random(1), merges=0.1, window=300)
    suspects = candidates.suspects([])
    began = time.process_time()
    assert Midpoint().choose(candidates, suspects, []) is not None
    assert time.process_time() - began < limit

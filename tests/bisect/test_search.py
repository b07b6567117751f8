# SPDX-License-Identifier: GPL-2.0-or-later
"""The search by belief: it ends, it never excludes the culprit, and its confidence is true."""

import math
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.bisect import priors, rates
from kbisect.bisect.blocks import HOPELESS
from kbisect.bisect.price import Costs
from kbisect.bisect.reach import Reach
from kbisect.bisect.search import GOOD_END, Choice, Search
from kbisect.bisect.simulation import Bench, Trial, World, name, summary
from kbisect.bisect.stopping import Ending, Stop
from kbisect.bisect.verdict import Verdict
from tests.bisect.graphs import build, linear, random_dag

RATES = rates.learned()
seeds = st.integers(0, 10**9)


def bench(size: int, **options: object) -> Bench:
    candidates = linear(size)
    return Bench(candidates, Reach.of(candidates.graph), np.ones(size), **options)  # type: ignore[arg-type]


def trials(on: Bench, count: int, seed: int = 1) -> dict[str, object]:
    rng = np.random.default_rng(seed)
    return summary(list(on.trials(rng.integers(len(on.reach), size=count).tolist(), rng)))


@settings(deadline=None)
@given(seeds, st.integers(1, 60))
def test_reach_is_ancestry(seed: int, size: int) -> None:
    graph = random_dag(size, random.Random(seed), merges=0.4).graph
    reach = Reach.of(graph)
    contains = np.array([graph.ancestors([i]) for i in range(len(graph))], float)
    weights = np.random.default_rng(seed).random(len(graph))
    by_position = weights[reach.order]
    assert np.allclose(reach.mass(by_position)[reach.position], contains @ weights)
    assert np.allclose(reach.holders(by_position)[reach.position], contains.T @ weights)
    for commit in range(len(graph)):
        mask = reach.mask(int(reach.position[commit]))[reach.position]
        assert (mask == graph.ancestors([commit])).all()


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(1, 50), st.integers(1, 5), st.booleans(), st.data())
def test_true_answers_lead_to_the_culprit(
    seed: int, size: int, workers: int, flat: bool, data: st.DataObject
) -> None:
    """On any graph, for any prior, by any number of workers."""
    candidates = random_dag(size, random.Random(seed))
    reach = Reach.of(candidates.graph)
    n = len(reach)
    prior = np.ones(n) if flat else np.random.default_rng(seed).random(n) ** 4
    on = Bench(candidates, reach, prior + 1e-6, workers=workers, world=World(time_sigma=0.5))
    culprit = data.draw(st.integers(0, len(reach) - 1))
    (trial,) = on.trials([culprit], np.random.default_rng(seed))
    assert (trial.correct, trial.ending) == (True, "culprit")
    assert trial.confidence >= 0.95


@settings(deadline=None, max_examples=40)
@given(seeds, st.integers(2, 40), st.booleans())
def test_a_prior_alone_never_ends_a_search(seed: int, size: int, noisy: bool) -> None:
    """A culprit has failed itself, and a good answer or the range's edge clears its parents."""
    candidates = random_dag(size, random.Random(seed))
    reach, rng = Reach.of(candidates.graph), np.random.default_rng(seed)
    prior = np.full(len(reach), 1e-9)
    prior[rng.integers(len(reach))] = 1
    culprit = int(rng.integers(len(reach)))
    search = Search(candidates.graph, reach, prior, RATES if noisy else rates.certain())
    failed, cleared = {len(reach) - 1}, np.zeros(len(reach), np.bool_)
    while isinstance(planned := search.next(), Choice):
        if planned.position == GOOD_END:
            search.hear(GOOD_END, Verdict.GOOD)
            continue
        inside = reach.mask(planned.position)
        search.hear(planned.position, Verdict.BAD if inside[culprit] else Verdict.GOOD)
        if inside[culprit]:
            failed.add(planned.position)
        else:
            cleared |= inside
    assert planned == Stop(Ending.CULPRIT, (culprit,), planned.confidence)  # type: ignore[union-attr]
    assert culprit in failed
    parents = candidates.graph.parents_of(int(reach.order[culprit]))
    assert all(cleared[reach.position[parent]] for parent in parents)


@settings(deadline=None, max_examples=60)
@given(seeds, st.integers(2, 40), st.data())
def test_what_cannot_be_tested_never_excludes_the_culprit(
    seed: int, size: int, data: st.DataObject
) -> None:
    chance = random.Random(seed)
    candidates = random_dag(size, chance)
    reach = Reach.of(candidates.graph)
    last = len(reach) - 1
    culprit = data.draw(st.integers(0, last))
    broken = {i for i in range(last) if chance.random() < 0.4}
    search = Search(candidates.graph, reach, np.ones(last + 1), RATES)
    for _ in range(300):
        planned = search.next()
        if not isinstance(planned, Choice):
            break
        assert planned.position not in search.untestable.nonzero()[0]
        has = planned.position != GOOD_END and bool(reach.mask(planned.position)[culprit])
        verdict = Verdict.BAD if has else Verdict.GOOD
        search.hear(planned.position, Verdict.SKIP if planned.position in broken else verdict)
        assert search.belief.suspects()[culprit]
    assert isinstance(planned, Stop)
    assert culprit in planned.positions


@settings(deadline=None, max_examples=30)
@given(seeds, st.integers(2, 40))
def test_replay_equals_live(seed: int, size: int) -> None:
    """A search fed with the same answers plans the same, however it came to them."""
    candidates = random_dag(size, random.Random(seed))
    reach, chance = Reach.of(candidates.graph), random.Random(seed)
    heard: list[tuple[int, Verdict]] = []
    live = Search(candidates.graph, reach, np.ones(len(reach)), RATES)
    for _ in range(12):
        planned = live.next()
        again = Search(candidates.graph, reach, np.ones(len(reach)), RATES)
        for position, verdict in heard:
            again.hear(position, verdict)
        assert again.next() == planned
        if not isinstance(planned, Choice):
            break
        heard.append((planned.position, chance.choice(list(Verdict))))
        live.hear(*heard[-1])


def test_a_true_test_costs_nothing_extra() -> None:
    found = trials(bench(1024, costs=Costs(5, 1)), 100)
    assert found["correct"] == 100
    assert float(str(found["tests_mean"])) <= 10.1
    assert float(str(found["cost_mean"])) <= 1.12 * 60


@pytest.mark.parametrize("block", [(0.3,), (0.06,) * 5])
def test_blocks_leave_what_exhaustive_testing_leaves(block: tuple[float, ...]) -> None:
    found = trials(bench(1024, world=World(blocks=block)), 30)
    # Two blocks with three commits between them, as two trials have it, look like one.
    assert int(str(found["correct"])) >= (30 if len(block) == 1 else 28)
    assert float(str(found["tests_mean"])) <= 10 * (2 + len(block))


def test_a_range_that_cannot_be_tested_is_given_up() -> None:
    """Sixty branches beside each other, each a block of its own: all suspects, not all tests."""
    parents = [[i - 1] if i % 20 else [] for i in range(1200)]
    candidates = build([*parents, list(range(19, 1200, 20))])
    search = Search(candidates.graph, Reach.of(candidates.graph), np.ones(1201), RATES)
    last, tests = len(candidates) - 1, 2
    search.hear(last, Verdict.BAD)
    search.hear(GOOD_END, Verdict.GOOD)
    while isinstance(planned := search.next(), Choice):
        at_end = planned.position in {last, GOOD_END}
        verdict = Verdict.GOOD if planned.position == GOOD_END else Verdict.BAD
        search.hear(planned.position, verdict if at_end else Verdict.SKIP)
        tests += 1
    assert isinstance(planned, Stop)
    assert planned.ending is Ending.RANGE
    assert len(planned.positions) == 1201
    assert tests <= HOPELESS + 12


@pytest.mark.parametrize(
    ("world", "costs"),
    [
        (World(0.5), Costs(5, 1)),
        (World(0.9, 0.1), Costs(5, 1)),
        (World(0.7, untied=True), Costs(5, 1)),
    ],
)
def test_answers_that_may_be_wrong(world: World, costs: Costs) -> None:
    found = trials(bench(256, world=world, costs=costs), 40)
    assert int(str(found["correct"])) >= 34  # 95 of 100, and luck
    assert float(str(found["confidence_mean"])) >= 0.95


def test_calibration() -> None:
    """Mixed trials on small ranges: what is stated is true. `make bench` runs 20,000."""
    rng = np.random.default_rng(5)
    stated, right = [], []
    for _ in range(250):
        repro = float(rng.choice([1.0, 1.0, 0.9, 0.7, 0.5, 0.3]))
        false = float(rng.choice([0.0, 0.0, 0.0, 0.1])) if repro > 0.5 else 0.0
        on = bench(int(rng.integers(4, 40)), world=World(repro, false), costs=Costs(2, 1))
        (trial,) = on.trials([int(rng.integers(len(on.reach)))], rng)
        stated.append(trial.confidence)
        right.append(trial.correct)
    spread = 3.3 * math.sqrt(0.05 / len(right))
    assert abs(np.mean(stated) - np.mean(right)) < spread


def test_confidence_is_true_where_commits_have_rates_of_their_own() -> None:
    """What is named holds, within three points and luck, though the rates vary by commit."""
    found: list[Trial] = []
    for seed in range(25):
        rng = np.random.default_rng((12, seed))
        on = bench(int(rng.integers(4, 12)), world=World(0.6, by_commit=1.0), costs=Costs(2, 1))
        found += on.trials([int(rng.integers(len(on.reach)))], rng)
    stated = float(np.mean([trial.confidence for trial in found]))
    held = float(np.mean([trial.held for trial in found]))
    assert stated <= held + 0.03 + 2 * math.sqrt(0.05 / len(found))


@pytest.mark.parametrize(("workers", "rounds"), [(3, 5), (7, 4), (15, 3)])
def test_workers_share_the_search(workers: int, rounds: int) -> None:
    found = trials(bench(1024, workers=workers, costs=Costs(0, 1)), 20)
    assert found["correct"] == 20
    assert float(str(found["time_found_mean"])) <= rounds + 1


def test_short_bad_runs_are_sought() -> None:
    true = Costs(0, 1, 0.1)
    known = trials(bench(1024, costs=true), 60)
    blind = trials(bench(1024, costs=true, believed=Costs(0, 1)), 60)
    assert float(str(known["time_mean"])) <= 0.8 * float(str(blind["time_mean"]))


def test_suspicion_is_never_a_filter() -> None:
    size = 512
    suspected = np.zeros(size, np.bool_)
    suspected[100:120] = True
    prior = priors.weigh(size, suspected=suspected)
    assert prior.weights.min() > 0
    assert prior.weights.sum() == pytest.approx(1)
    candidates = linear(size)
    on = Bench(candidates, Reach.of(candidates.graph), prior.weights)
    rng = np.random.default_rng(1)
    inside, outside = (
        summary(list(on.trials(culprits, rng))) for culprits in (range(100, 120), range(300, 340))
    )
    assert (inside["correct"], outside["correct"]) == (20, 40)
    assert float(str(inside["tests_mean"])) < 6 < float(str(outside["tests_mean"])) < 16


def test_no_culprit_is_not_called_while_all_answers_can_be_true() -> None:
    candidates = linear(4096)
    prior = np.full(4096, 1e-6)
    prior[:8] = 1
    on = Bench(candidates, Reach.of(candidates.graph), prior)
    found = summary(list(on.trials(range(2000, 2003), np.random.default_rng(1))))
    assert found["outcomes"] == {str(Ending.CULPRIT): 3}


def test_choosing_is_fast() -> None:
    """As many candidates as v2.6.29..v3.0, in long side branches as there; CPU time."""
    rows: list[tuple[str, int, list[str]]] = [(name(0), 0, [])]
    chance, main = random.Random(1), 0
    while len(rows) < 100_000:
        base, tip = main, max(0, main - chance.randrange(200))
        for _ in range(chance.randrange(1, 12)):
            rows.append((name(len(rows)), len(rows), [rows[tip][0]]))
            tip = len(rows) - 1
        rows.append((name(len(rows)), len(rows), [rows[base][0], rows[tip][0]]))
        main = len(rows) - 1
    from kbisect.bisect.candidates import Candidates

    candidates = Candidates.build(reversed(rows))
    began = time.process_time()
    reach = Reach.of(candidates.graph)
    search = Search(candidates.graph, reach, np.ones(len(reach)), RATES)
    assert isinstance(search.next(), Choice)
    assert time.process_time() - began < 3

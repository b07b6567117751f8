# SPDX-License-Identifier: GPL-2.0-or-later
"""The belief is Bayes' rule: the same as summing over every hypothesis, one answer at a time."""

from __future__ import annotations

import random
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.bisect import rates
from kbisect.bisect.belief import OUTSIDE, Belief
from kbisect.bisect.ownrates import OwnRates
from kbisect.bisect.rates import Rates, learned, own
from kbisect.bisect.reach import Reach
from tests.bisect.graphs import linear, random_dag

RATES = learned()


def by_drawing(own: np.ndarray, bad: int, good: int) -> float:
    """Return the probability of these answers from one commit whose rate is one of these."""
    return float(RATES.shares @ (own**bad * (1 - own) ** good))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**9), st.integers(1, 8), st.data())
def test_the_posterior_is_the_sum_over_all_hypotheses(
    seed: int, size: int, data: st.DataObject
) -> None:
    reach = Reach.of(random_dag(size, random.Random(seed)).graph)
    prior = np.random.default_rng(seed).random(len(reach))
    prior /= prior.sum()
    answers = data.draw(
        st.lists(st.tuples(st.integers(OUTSIDE, len(reach) - 1), st.booleans()), max_size=10)
    )
    belief = Belief(reach, prior, RATES)
    counts: dict[int, list[int]] = {}
    for position, bad in answers:
        belief.hear(position, bad)
        counts.setdefault(position, [0, 0])[not bad] += 1

    def likelihood(rate: np.ndarray, other: np.ndarray, culprit: int | None) -> float:
        product = 1.0
        for position, (bad, good) in counts.items():
            inside = culprit is None or (position != OUTSIDE and reach.mask(position)[culprit])
            product *= by_drawing(rate if inside else other, bad, good)
        return product

    points = list(zip(RATES.fail_own, RATES.false_own, RATES.weight, strict=True))
    tied = [
        (1 - RATES.none) * prior[c] * sum(w * likelihood(p, q, c) for p, q, w in points)
        for c in range(len(reach))
    ]
    untied = RATES.none * sum(
        w * likelihood(p, p, None)
        for p, w in zip(RATES.untied_own, RATES.untied_weight, strict=True)
    )
    whole = sum(tied) + untied
    post = belief.posterior
    assert post.culprit == pytest.approx(np.array(tied) / whole, abs=1e-9)
    assert post.none == pytest.approx(untied / whole, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**9), st.data())
def test_what_another_run_says_is_what_the_belief_then_learns(
    seed: int, data: st.DataObject
) -> None:
    """The bits of a run are the entropy that is gone after it, on average over its answer."""
    reach = Reach.of(random_dag(6, random.Random(seed)).graph)
    belief = Belief(reach, np.ones(len(reach)), RATES)
    places = st.integers(OUTSIDE, len(reach) - 1)
    for position, bad in data.draw(st.lists(st.tuples(places, st.booleans()), min_size=1)):
        belief.hear(position, bad)
    again = belief.again
    for place, position in enumerate(again.positions.tolist()):
        left = 0.0
        for bad, chance in ((True, again.bad[place]), (False, 1 - again.bad[place])):
            then = belief.fork()
            then.hear(position, bad)
            left += chance * _entropy(then)
        assert again.bits[place] == pytest.approx(_entropy(belief) - left, abs=1e-6)


def _entropy(belief: Belief) -> float:
    post = belief.posterior
    return float(-sum(p * log2(p) for p in (*post.culprit.tolist(), post.none) if p > 0))


@pytest.mark.parametrize(("bad", "good"), [(0, 5), (0, 60), (30, 90), (400, 600)])
def test_runs_on_one_commit_are_as_likely_as_by_integrating_over_its_rate(
    bad: int, good: int
) -> None:
    """Rates normal in log odds; the integral by a thousand times as many steps."""
    steps = own(np.array([0.3]), 1.0)
    found = float(rates.SHARES @ (steps[0] ** bad * (1 - steps[0]) ** good))
    middle = np.log(steps[0, 20] / (1 - steps[0, 20]))
    fine = np.linspace(-6, 6, 40_001)
    rate = 1 / (1 + np.exp(-(middle + fine)))
    density = np.exp(-(fine**2) / 2)
    assert float(rate @ density / density.sum()) == pytest.approx(0.3, abs=1e-3)
    whole = float((rate**bad * (1 - rate) ** good) @ density / density.sum())
    assert found == pytest.approx(whole, rel=1e-2)


def test_what_own_rates_foretell_is_what_many_commits_do() -> None:
    """By drawing commits: how often those fail that have just failed once and passed twice."""
    rng = np.random.default_rng(1)
    rate = 1 / (1 + np.exp(-(-2.0 + rng.standard_normal(400_000))))
    runs = rng.random((4, len(rate))) < rate
    such = runs[0] & ~runs[1] & ~runs[2]
    nothing = np.zeros(0)
    mean, one = np.array([rate.mean()]), np.ones(1)
    each = own(mean, 1.0)
    prior = Rates(mean, mean, one, each, each, rates.SHARES, nothing, nothing, each[:0], 0.0)
    known = OwnRates.of(prior).after(bad=True).after(bad=False).after(bad=False)
    assert known.fail[0][0] == pytest.approx(float(runs[3][such].mean()), rel=0.02)


def test_many_runs_on_one_commit_say_less_than_as_many_on_several() -> None:
    reach = Reach.of(linear(40).graph)
    one, several = (Belief(reach, np.ones(40), RATES) for _ in range(2))
    for belief in (one, several):
        for position, bad in ((20, False), (21, True), (20, True)):
            belief.hear(position, bad)
    for step in range(8):
        one.hear(19, False)
        several.hear(19 - step, False)
    below = [float(belief.posterior.culprit[:12].sum()) for belief in (one, several)]
    assert below[1] < below[0]

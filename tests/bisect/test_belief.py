# SPDX-License-Identifier: GPL-2.0-or-later
"""The belief is Bayes' rule: the same as summing over every hypothesis, one answer at a time."""

from __future__ import annotations

import random
from math import exp, lgamma, log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.bisect.belief import OUTSIDE, Belief
from kbisect.bisect.rates import correlation, learned
from kbisect.bisect.reach import Reach
from tests.bisect.graphs import linear, random_dag

RATES = learned()


def beta_binomial(rate: float, alike: float, bad: int, good: int) -> float:
    """Return the probability of these answers from one commit, in one order, by the textbook."""
    if alike == 0 or rate in {0, 1}:
        return rate**bad * (1 - rate) ** good
    a, b = rate * (1 / alike - 1), (1 - rate) * (1 / alike - 1)

    def beta(x: float, y: float) -> float:
        return lgamma(x) + lgamma(y) - lgamma(x + y)

    return exp(beta(a + bad, b + good) - beta(a, b))


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

    def likelihood(
        rate: tuple[float, float], other: tuple[float, float], culprit: int | None
    ) -> float:
        product = 1.0
        for position, (bad, good) in counts.items():
            inside = culprit is None or (position != OUTSIDE and reach.mask(position)[culprit])
            product *= beta_binomial(*(rate if inside else other), bad, good)
        return product

    fail = list(zip(RATES.fail, RATES.fail_alike, strict=True))
    false = list(zip(RATES.false, RATES.false_alike, strict=True))
    points = list(zip(fail, false, RATES.weight, strict=True))
    tied = [
        (1 - RATES.none) * prior[c] * sum(w * likelihood(p, q, c) for p, q, w in points)
        for c in range(len(reach))
    ]
    anywhere = zip(RATES.untied, RATES.untied_alike, strict=True)
    untied = RATES.none * sum(
        w * likelihood(p, p, None) for p, w in zip(anywhere, RATES.untied_weight, strict=True)
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


def test_the_correlation_is_that_of_rates_drawn_in_log_odds() -> None:
    """By drawing rates: of two runs on one commit, both fail more often than the mean squared."""
    own = 1 / (1 + np.exp(-(-2.0 + np.random.default_rng(1).standard_normal(400_000))))
    mean = float(own.mean())
    drawn = float(own.var()) / (mean * (1 - mean))
    assert correlation(np.array([mean]), 1.0)[0] == pytest.approx(drawn, rel=0.02)


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

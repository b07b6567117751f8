# SPDX-License-Identifier: GPL-2.0-or-later
"""The sequential test of a confirmation: as many runs as it takes, wrong as rarely as it says."""

from functools import cache

import numpy as np
import pytest

from kbisect.bisect import rates
from kbisect.bisect.belief import Belief
from kbisect.bisect.confirmation import MOST, Check, Finding, SequentialTest, next_check
from kbisect.bisect.rates import SHARES, own
from kbisect.bisect.reach import Reach
from tests.bisect.graphs import linear


def known(fail: float, false: float = 0.0, error: float = 0.01) -> SequentialTest:
    return SequentialTest(np.array([[fail]]), np.array([[false]]), np.ones(1), np.ones(1), error)


@pytest.mark.parametrize(("fail", "runs"), [(1.0, 1), (0.5, 7), (0.2, 21), (0.1, 44)])
def test_how_many_passes_show_that_a_revert_helps(fail: float, runs: int) -> None:
    """The runs after which the chance of only passes with the bug in falls under 1 %."""
    test = known(fail)
    assert test.passes_needed == runs
    assert test.judge(runs - 1, 0).finding is Finding.OPEN
    assert test.judge(0, 1).finding is Finding.FAILS


@pytest.mark.parametrize(("fail", "false"), [(0.5, 0.0), (0.8, 0.2), (0.6, 0.05)])
@pytest.mark.parametrize("buggy", [False, True])
def test_it_is_wrong_as_rarely_as_it_says(fail: float, false: float, buggy: bool) -> None:
    test, rng = known(fail, false, error=0.05), np.random.default_rng(1)
    wrong, trials = 0, 400
    for _ in range(trials):
        good = bad = 0
        while (judged := test.judge(good, bad)).finding is Finding.OPEN:
            failed = rng.random() < (fail if buggy else false)
            good, bad = good + (not failed), bad + failed
        assert judged.error <= 0.05
        wrong += judged.finding is (Finding.PASSES if buggy else Finding.FAILS)
    assert wrong <= 0.05 * trials + 3.3 * (0.05 * 0.95 * trials) ** 0.5


def test_rates_come_from_the_search() -> None:
    """A search that saw half of the runs pass, with the bug in, wants more passes."""
    sure, flaky = (Belief(Reach.of(linear(8).graph), np.ones(8), rates.learned()) for _ in range(2))
    for position in (5, 5, 6, 6, 7, 7):
        sure.hear(position, True)
        flaky.hear(position, True)
        flaky.hear(position, False)
    needed = [SequentialTest.of(belief).passes_needed for belief in (sure, flaky)]
    assert needed[0] <= 4 < needed[1]
    assert needed[1] == pytest.approx(_by_drawing(flaky), abs=1)


def _by_drawing(belief: Belief) -> int:
    """Return how many passes are a hundred times likelier without the bug, by drawing commits."""
    rng, prior = np.random.default_rng(1), belief.rates
    point = rng.choice(len(prior.fail), 200_000, p=belief.rate_weights())
    step = rng.choice(len(prior.shares), 200_000, p=prior.shares)
    buggy, sound = 1 - prior.fail_own[point, step], 1 - prior.false_own[point, step]
    return next(n for n in range(500) if (buggy**n).mean() * 100 <= (sound**n).mean())


@pytest.mark.parametrize("buggy", [False, True])
def test_it_is_wrong_as_rarely_as_it_says_where_commits_have_rates_of_their_own(
    buggy: bool,
) -> None:
    """Rates 1 in log odds apart. One that takes all commits for alike is wrong too often."""
    fail, false = own(np.array([0.5, 0.1]), 1.0)[:, None, :]
    aware = SequentialTest(fail, false, np.ones(1), SHARES, 0.05)
    wrong = {"aware": 0, "blind": 0}
    for name, test in (("aware", aware), ("blind", known(0.5, 0.1, error=0.05))):
        judge, rng = cache(test.judge), np.random.default_rng(1)
        for rate in rng.choice((fail if buggy else false)[0], 400, p=SHARES):
            good = bad = 0
            while good + bad < MOST and judge(good, bad).finding is Finding.OPEN:
                failed = rng.random() < rate
                good, bad = good + (not failed), bad + failed
            wrong[name] += judge(good, bad).finding is (Finding.PASSES if buggy else Finding.FAILS)
    allowed = 0.05 * 400 + 3.3 * (0.05 * 0.95 * 400) ** 0.5
    assert wrong["aware"] <= allowed < wrong["blind"]


def test_checks_go_on_until_one_finds_what_it_should_not() -> None:
    test = known(0.5)
    runs = [(Check.CULPRIT, 0, 1), (Check.PARENT, 7, 0), (Check.REVERT, 3, 0)]
    check, judged = next_check(test, runs)
    assert check is Check.REVERT
    assert [each.finding for each in judged] == [Finding.FAILS, Finding.PASSES, Finding.OPEN]
    assert next_check(test, [*runs[:2], (Check.REVERT, 7, 0)])[0] is None
    check, judged = next_check(test, [*runs[:2], (Check.REVERT, 2, 1), (Check.REVERT_ON_TIP, 0, 0)])
    assert (check, judged[2].finding) == (None, Finding.FAILS)

# SPDX-License-Identifier: GPL-2.0-or-later
"""How much is still to do, against campaigns that were run to their end."""

from __future__ import annotations

import numpy as np
import pytest

from kbisect.bisect import events, priors, rates
from kbisect.bisect.candidates import Candidates
from kbisect.bisect.events import Started
from kbisect.bisect.forecast import forecast
from kbisect.bisect.reach import Reach
from kbisect.bisect.search import Choice, Search
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Cause, Role, Verdict

STATE = State(Started(0.0))


def line(size: int) -> Candidates:
    oids = [f"{i:040x}" for i in range(size)]
    return Candidates.build(
        (oids[i], i, oids[i - 1 : i] if i else ["f" * 40]) for i in reversed(range(size))
    )


def search(candidates: Candidates) -> Search:
    reach = Reach.of(candidates.graph)
    weights = priors.flat(len(candidates)).weights[reach.order]
    return Search(candidates.graph, reach, weights, rates.learned())


def run_with(seconds: float) -> events.Tested:
    return events.Tested(
        0.0, "a" * 40, Role.SEARCH, Verdict.GOOD, Cause.TEST, 0, False, None, seconds=seconds
    )


@pytest.mark.parametrize("size", [5, 40, 300])
def test_nine_in_ten_campaigns_are_within_the_interval(size: int) -> None:
    candidates = line(size)
    within = []
    for culprit in np.linspace(0, size - 1, min(size, 20)).astype(int).tolist():
        found = search(candidates)
        found.hear(size - 1, Verdict.BAD)
        found.hear(-1, Verdict.GOOD)
        expected = forecast(STATE, found)
        assert expected is not None
        tests = 0
        while isinstance(planned := found.next(), Choice):
            number = int(found.reach.order[planned.position]) if planned.position >= 0 else -1
            found.hear(planned.position, Verdict.BAD if number >= culprit else Verdict.GOOD)
            tests += 1
        within.append(expected.tests_low <= tests + 1 <= expected.tests_high + 1)
    assert np.mean(within) >= 0.9


def test_time_is_that_of_the_runs_so_far() -> None:
    found = search(line(64))
    found.hear(63, Verdict.BAD)
    untimed = forecast(STATE, found)
    assert untimed is not None
    assert untimed.seconds is None
    timed = forecast(State(Started(0.0), (run_with(60), run_with(60))), found)
    assert timed is not None
    assert timed.seconds is not None
    assert timed.seconds == pytest.approx(60 * timed.tests)
    assert timed.seconds_low is not None
    assert timed.seconds_high is not None
    assert timed.seconds_low <= timed.seconds <= timed.seconds_high
    faster = forecast(State(Started(0.0), (run_with(60), run_with(60))), found, workers=3)
    assert faster is not None
    assert faster.seconds == pytest.approx(timed.seconds / 2)  # four parts a round, not two


def test_no_run_is_expected_to_be_shorter_than_all_so_far() -> None:
    """The first build of a campaign takes minutes, those after it seconds."""
    found = search(line(4))
    found.hear(3, Verdict.BAD)
    timed = forecast(State(Started(0.0), (run_with(600), run_with(60), run_with(50))), found)
    assert timed is not None
    assert timed.seconds_low == pytest.approx(50 * timed.tests_low)


def test_noise_makes_it_longer() -> None:
    found, noisy = search(line(64)), search(line(64))
    found.hear(63, Verdict.BAD)
    for verdict in (Verdict.BAD, Verdict.GOOD, Verdict.BAD):
        noisy.hear(63, verdict)
    clean, longer = forecast(STATE, found), forecast(STATE, noisy)
    assert clean is not None
    assert longer is not None
    assert longer.tests > clean.tests
    assert longer.tests_high > clean.tests_high

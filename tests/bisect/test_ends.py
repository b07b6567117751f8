# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked of the ends: a failure may stay away and a machine fail, so none is asked once."""

from __future__ import annotations

import pytest

from kbisect.bisect import events
from kbisect.bisect.ends import RARE, ends, passes_allowed
from kbisect.bisect.events import End, Outcome, Started
from kbisect.bisect.moves import Try
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Cause, Role, Verdict

BAD, GOOD, TIP = "b" * 40, "a" * 40, "c" * 40
_CODES = {Verdict.GOOD: 0, Verdict.BAD: 1, Verdict.SKIP: 125}


def ran(role: Role, verdict: Verdict) -> events.Tested:
    oid = BAD if role is Role.BAD_END else GOOD
    return events.Tested(0.0, oid, role, verdict, Cause.TEST, _CODES[verdict], False, None, 1.0)


def after(*runs: tuple[Role, Verdict], tips: tuple[str, ...] = ()) -> State:
    started = Started(0.0, bad=BAD, goods=(GOOD,), script="t.sh", tips=tips)
    return State(started, tuple(ran(*run) for run in runs))


def wanted(state: State) -> tuple[str, Role] | None:
    step = ends(state, 10, frozenset())
    if step is None:
        return None
    assert isinstance(step, Try)
    return step.oid, step.role


PASSED, FAILED = (Role.BAD_END, Verdict.GOOD), (Role.BAD_END, Verdict.BAD)
GOOD_PASSED, GOOD_FAILED = (Role.GOOD_END, Verdict.GOOD), (Role.GOOD_END, Verdict.BAD)


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.99, 0.9999])
def test_as_many_passes_as_show_a_failure_in_a_third_of_the_runs(confidence: float) -> None:
    missed = [(1 - RARE) ** passes for passes in range(passes_allowed(confidence) + 1)]
    assert missed[-1] <= 1 - confidence < missed[-2]


def test_the_bad_end_is_tried_again_while_it_passes() -> None:
    for passes in range(1, passes_allowed(0.95)):
        assert wanted(after(PASSED, GOOD_PASSED, *[PASSED] * (passes - 1))) == (BAD, Role.BAD_END)


def test_one_failure_is_enough_however_often_it_passed() -> None:
    assert wanted(after(PASSED, GOOD_PASSED, PASSED, PASSED, FAILED)) is None


def test_a_failure_that_never_shows_is_not_hunted() -> None:
    end = ends(after(GOOD_PASSED, *[PASSED] * passes_allowed(0.95)), 10, frozenset())
    assert isinstance(end, End)
    assert end.outcome is Outcome.NOT_REPRODUCED
    assert "8 of 8 times" in end.reason


def test_no_tip_is_tested_before_the_failure_has_shown() -> None:
    tips = (f"net={TIP}",)
    assert wanted(after(PASSED, GOOD_PASSED, tips=tips)) == (BAD, Role.BAD_END)
    assert wanted(after(PASSED, GOOD_PASSED, FAILED, tips=tips)) == (TIP, Role.TIP)


def test_a_good_end_that_fails_is_run_once_more() -> None:
    assert wanted(after(FAILED, GOOD_FAILED)) == (GOOD, Role.GOOD_END)
    assert wanted(after(FAILED, GOOD_FAILED, GOOD_PASSED)) is None
    end = ends(after(FAILED, GOOD_FAILED, GOOD_FAILED), 10, frozenset())
    assert isinstance(end, End)
    assert "fails just as the bad end does" in end.reason

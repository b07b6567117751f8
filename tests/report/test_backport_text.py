# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of a branch's missing fixes as text."""

from __future__ import annotations

import numpy as np
import pytest

from kbisect.backport.candidates import Survey
from kbisect.backport.fixes import Candidate, Reason, Strength
from kbisect.backport.forecast import Forecast, State
from kbisect.report.backport import listing

CULPRIT = "5a3c9e0b71d2"


def listed(reason: str) -> list[str]:
    candidate = Candidate(
        *("1" * 40, "net: free it once", "v3.13", Strength.MEDIUM),
        *((Reason("blames", reason, CULPRIT, weak=True),), (), (), ("net/ring.c",)),
    )
    forecast = Forecast(candidate, State.CLEAN, (), (), ())
    surveyed = Survey(
        *("2" * 40, "3" * 40, "v3.12", (candidate,), (), (), (), np.zeros(1, bool), 1),
        outside=0,
        looked_in=(),
        tags=True,
    )
    text = listing(surveyed, [forecast], lambda oid: "", ("linux-3.12.y", "master"))
    return text.splitlines()


def test_a_short_reason_is_quoted_whole() -> None:
    assert f"       This broke with {CULPRIT}.   (weak)" in listed(f"This broke with {CULPRIT}.")


@pytest.mark.parametrize("before", [0, 1, 5, 40])
@pytest.mark.parametrize("after", [0, 5, 40])
def test_a_long_story_is_cut_to_the_sentence_that_names_the_culprit(
    before: int, after: int
) -> None:
    told = "The ring grew without end when nobody looked. "
    line = next(
        line
        for line in listed(told * before + f"It broke with {CULPRIT}. " + told * after)
        if CULPRIT in line
    )
    assert len(line) < 150
    assert f"It broke with {CULPRIT}" in line


def test_a_long_word_is_no_reason_to_lose_the_culprit() -> None:
    assert any(CULPRIT in line for line in listed("x" * 400 + f" {CULPRIT} " + "y" * 400))


def test_the_next_command_names_the_branch_and_its_upstream() -> None:
    assert f"Next: kbisect backport explain {'1' * 12} linux-3.12.y --upstream master" in listed(
        "This broke it."
    )
    assert any(line.startswith("1 candidate (0 tagged") for line in listed("This broke it."))

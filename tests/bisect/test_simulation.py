# SPDX-License-Identifier: GPL-2.0-or-later
"""What is counted of simulated bisections."""

from __future__ import annotations

from kbisect.bisect.simulation import Trial, summary
from kbisect.bisect.stopping import Ending, Stop


def trial(stop: Stop, culprit: int) -> Trial:
    named = stop.ending is Ending.CULPRIT and stop.positions == (culprit,)
    return Trial(
        correct=named,
        held=culprit in stop.positions,
        ending=str(stop.ending),
        tests=1,
        runs=1,
        builds=1,
        skips=0,
        cancelled=0,
        cost=1,
        time=1,
        time_found=1,
        suspects=len(stop.positions),
        confidence=stop.confidence,
    )


def test_a_set_of_suspects_holds_though_it_is_not_the_culprit_alone() -> None:
    """The stated confidence is that of the suspects: how often one was found is another figure."""
    found = summary(
        [
            trial(Stop(Ending.CULPRIT, (3,), 0.96), culprit=3),
            trial(Stop(Ending.CULPRIT, (4,), 0.96), culprit=3),
            trial(Stop(Ending.UNRESOLVED, (2, 3), 0.96), culprit=3),
            trial(Stop(Ending.UNRESOLVED, (3, 4), 0.96), culprit=3),
        ]
    )
    assert (found["accuracy"], found["held_mean"], found["confidence_mean"]) == (0.25, 0.75, 0.96)

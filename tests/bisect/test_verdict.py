# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bad end does defines bad."""

import pytest

from kbisect.bisect.verdict import (
    ANY_FAILURE,
    Cause,
    Observation,
    StageName,
    Verdict,
    judge,
    judge_bad_end,
)

FAILS = Observation(1)
HANGS = Observation(124)
LIMIT = Observation(None, timed_out=True)
NO_BUILD = Observation(2, stage=StageName.BUILD)
ANY_BUILD = Observation(ANY_FAILURE, stage=StageName.BUILD)
CRASHES = Observation(0, crash="NULL dereference in netlab_xmit")
OTHER = Observation(0, crash="BUG in other")
LOST = Observation(255)


@pytest.mark.parametrize(
    ("seen", "signature", "verdict", "cause"),
    [
        (Observation(0), FAILS, Verdict.GOOD, Cause.TEST),
        (FAILS, FAILS, Verdict.BAD, Cause.TEST),
        (Observation(2), FAILS, Verdict.SKIP, Cause.OTHER_FAILURE),
        (Observation(125), FAILS, Verdict.SKIP, Cause.TEST),
        (LIMIT, FAILS, Verdict.SKIP, Cause.TIMEOUT),
        (HANGS, FAILS, Verdict.SKIP, Cause.TIMEOUT),
        (LOST, FAILS, Verdict.SKIP, Cause.INFRASTRUCTURE),
        # The bad end hangs, by our limit or by the script's own.
        (HANGS, HANGS, Verdict.BAD, Cause.TIMEOUT),
        (LIMIT, HANGS, Verdict.BAD, Cause.TIMEOUT),
        (HANGS, LIMIT, Verdict.BAD, Cause.TIMEOUT),
        (FAILS, HANGS, Verdict.SKIP, Cause.OTHER_FAILURE),
        # virtme-ng returns 255 on a guest's panic.
        (LOST, LOST, Verdict.BAD, Cause.TEST),
        # QEMU returns 0 on a guest's panic.
        (CRASHES, CRASHES, Verdict.BAD, Cause.TEST),
        (OTHER, CRASHES, Verdict.SKIP, Cause.OTHER_CRASH),
        (OTHER, FAILS, Verdict.SKIP, Cause.OTHER_CRASH),
        (FAILS, CRASHES, Verdict.SKIP, Cause.OTHER_FAILURE),
        (Observation(1, crash="BUG in other"), FAILS, Verdict.SKIP, Cause.OTHER_CRASH),
        # Nobody tested the ends: git's rule.
        (FAILS, None, Verdict.BAD, Cause.TEST),
        (HANGS, None, Verdict.BAD, Cause.TEST),
        (LIMIT, None, Verdict.SKIP, Cause.TIMEOUT),
        (LOST, None, Verdict.SKIP, Cause.INFRASTRUCTURE),
        (CRASHES, None, Verdict.SKIP, Cause.OTHER_CRASH),
        # It didn't get as far as the test.
        (Observation(2, stage=StageName.BUILD), FAILS, Verdict.SKIP, Cause.BUILD),
        (Observation(1, stage=StageName.BUILD), FAILS, Verdict.SKIP, Cause.BUILD),
        (Observation(None, True, stage=StageName.BOOT), FAILS, Verdict.SKIP, Cause.BOOT),
        # But what the bad end does is hunted, a build that fails too.
        (NO_BUILD, NO_BUILD, Verdict.BAD, Cause.TEST),
        (FAILS, NO_BUILD, Verdict.SKIP, Cause.OTHER_FAILURE),
        # A recipe hunts a stage: make leaves with 2, a linker with 1.
        (NO_BUILD, ANY_BUILD, Verdict.BAD, Cause.TEST),
        (Observation(1, stage=StageName.BUILD), ANY_BUILD, Verdict.BAD, Cause.TEST),
        (FAILS, ANY_BUILD, Verdict.SKIP, Cause.OTHER_FAILURE),
        (Observation(0), ANY_BUILD, Verdict.GOOD, Cause.TEST),
    ],
)
def test_judge(
    seen: Observation, signature: Observation | None, verdict: Verdict, cause: Cause
) -> None:
    assert judge(seen, signature) == (verdict, cause)


def test_the_bad_end_is_bad_however_it_fails() -> None:
    for seen in (FAILS, HANGS, LIMIT, CRASHES, LOST):
        assert judge_bad_end(seen)[0] is Verdict.BAD
    assert judge_bad_end(Observation(0))[0] is Verdict.GOOD
    assert judge_bad_end(Observation(125))[0] is Verdict.SKIP

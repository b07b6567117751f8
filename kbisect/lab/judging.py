# SPDX-License-Identifier: GPL-2.0-or-later
"""From what a step saw to the verdict that the journal keeps."""

from __future__ import annotations

import time
from pathlib import Path

from kbisect.bisect.events import Tested
from kbisect.bisect.state import State
from kbisect.bisect.verdict import COULD_NOT_RUN, Role, judge, judge_bad_end
from kbisect.errors import UsageError
from kbisect.lab.recipe import Recipe
from kbisect.lab.running import Job
from kbisect.lab.step import Done


def judged(state: State, recipe: Recipe, job: Job, done: Done, folder: Path) -> Tested:
    """Judge a run by the signature: the recipe's, else what the bad end did.

    Parameters
    ----------
    folder : of the step

    Raises
    ------
    UsageError
        The script could not be run (126, 127); says nothing about the commit.
    """
    test, seen = job.test, done.seen
    if seen.exit_code in COULD_NOT_RUN:
        words = _last_words(folder / "output.txt")
        raise UsageError(
            f"the script left with {seen.exit_code} at {test.oid[:12]}: something in it could "
            f"not be run{words}",
            hint="correct it and run the same command again (it is copied, so it must name "
            "its neighbours in full); for a commit that can't be tested it leaves with 125",
        )
    signature = recipe.signature or state.signature
    if test.role is Role.BAD_END and recipe.signature is None:
        verdict, cause = judge_bad_end(seen)
    else:
        verdict, cause = judge(seen, signature)
    return Tested(
        at=time.time(),
        oid=test.oid,
        role=test.role,
        verdict=verdict,
        cause=cause,
        exit_code=seen.exit_code,
        timed_out=seen.timed_out,
        crash=seen.crash,
        seconds=done.seconds,
        attempt=job.attempt,
        folder=f"steps/{job.folder}",
        stage=seen.stage,
        reverted=test.reverts,
        image=done.image,
        worker=done.worker,
        tree=test.tree,
        reused=any(run.reused for run in done.stages),
    )


def _last_words(output: Path) -> str:
    try:
        with output.open("rb") as file:
            file.seek(max(0, output.stat().st_size - 4096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return f" ({said[-1][:200]})" if said else ""

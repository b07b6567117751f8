# SPDX-License-Identifier: GPL-2.0-or-later
"""One step by itself, without a campaign."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kbisect.bisect.verdict import (
    CANNOT_TEST,
    Cause,
    Observation,
    Signature,
    StageName,
    Verdict,
    judge,
)
from kbisect.errors import MachineLost, UsageError
from kbisect.git.repository import Repository
from kbisect.lab import environment, execution
from kbisect.lab.fixups import Fixups
from kbisect.lab.place import Place
from kbisect.lab.recipe import Recipe
from kbisect.lab.stages import StageRun
from kbisect.lab.step import Step


@dataclass(frozen=True, slots=True)
class Single:
    """What one step by itself said.

    Attributes
    ----------
    reports : fingerprints of the kernel reports on its console
    folder : where its output is kept
    """

    oid: str
    verdict: Verdict
    cause: Cause
    seen: Observation
    seconds: float
    stages: tuple[StageRun, ...]
    reports: tuple[str, ...]
    image: str | None
    folder: Path

    @property
    def unhunted(self) -> str | None:
        """What `signature` takes to call this failure bad, if it isn't; None if it is, or none."""
        if self.verdict is not Verdict.SKIP or not self.seen.failed:
            return None
        if self.cause not in {Cause.TIMEOUT, Cause.OTHER_CRASH, Cause.INFRASTRUCTURE}:
            return None
        return self.seen.crash or ("hang" if self.seen.hung else f"exit {self.seen.exit_code}")

    @property
    def exit_code(self) -> int:
        """What git bisect understands; a failure of the machine ends it."""
        if self.cause is Cause.INFRASTRUCTURE:
            return MachineLost.exit_code
        return {Verdict.GOOD: 0, Verdict.BAD: 1, Verdict.SKIP: CANNOT_TEST}[self.verdict]


def run(
    repository: Repository,
    oid: str,
    recipe: Recipe,
    stages: Sequence[StageName] = (),
    folder: Path | None = None,
    *,
    signature: Signature | None = None,
    checkout: bool = True,
) -> Single:
    """Run a commit's stages.

    Parameters
    ----------
    signature : what counts as bad, if the recipe doesn't say it
    stages : those to run; all of the recipe's if empty
    folder : where output is kept, and may be from an earlier run

    Raises
    ------
    UsageError
        The recipe doesn't have such a stage.
    """
    if stages:
        chosen = recipe.only(*stages)
        parses = recipe.parses if StageName.PARSE in stages else None
        missing = set(stages) - {stage.name for stage in chosen}
        if parses is not None:
            missing.discard(StageName.PARSE)
        if missing:
            raise UsageError(
                f"there is no stage {', '.join(sorted(missing))} in this recipe",
                hint="leave --stage out, or give a --recipe that has it",
            )
        recipe = replace(recipe, stages=chosen, parses=parses)
        checkout = checkout and bool(chosen)
    hunted = signature or recipe.signature
    kept = folder or repository.store / "lab" / oid[:12]
    done = execution.run(
        Step(
            oid=oid,
            recipe=recipe,
            folder=kept,
            place=Place(repository.gitdir, repository.store, time.time(), checkout),
            directory=repository.workdir or repository.gitdir,
            fixups=Fixups(repository, recipe.fixups).of(oid),
            env=environment.passed_on(),
            signature=hunted,
            fresh=not stages,
        )
    )
    verdict, cause = judge(done.seen, hunted)
    return Single(
        oid,
        verdict,
        cause,
        done.seen,
        done.seconds,
        done.stages,
        done.reports,
        done.image,
        kept,
    )

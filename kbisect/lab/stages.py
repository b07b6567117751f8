# SPDX-License-Identifier: GPL-2.0-or-later
"""The stages of one run: each is one command, whose words, output, time and result are stored."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kbisect.bisect.verdict import StageName
from kbisect.lab import limits
from kbisect.lab.limits import Ended, Why

RECORD = "stages.json"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what to run, and its limits in seconds."""

    name: StageName
    command: tuple[str, ...]
    timeout: float | None = None
    quiet: float | None = None


@dataclass(frozen=True, slots=True)
class StageRun:
    """What came of one stage.

    Attributes
    ----------
    command : as a shell would take it, to paste
    exit_code : None if a limit, or a crash that was seen, ended it
    output : name of the file with its output, beside the record
    """

    stage: StageName
    command: str
    directory: str
    exit_code: int | None
    why: Why
    seconds: float
    output: str
    left_out: int = 0
    reused: bool = False

    @property
    def passed(self) -> bool:
        """Whether the next stage may run."""
        return self.exit_code == 0


def output_name(stage: StageName) -> str:
    """Return the name of the file that keeps a stage's output; a script's is just the output."""
    return "output.txt" if stage is StageName.TEST else f"{stage}.txt"


def run(
    stage: Stage,
    folder: Path,
    *,
    cwd: Path,
    env: Mapping[str, str],
    watched: Sequence[Path] = (),
    unwanted: Callable[[], bool] = lambda: False,
    seen: Callable[[], bool] | None = None,
    pass_fds: Sequence[int] = (),
) -> tuple[StageRun, Ended]:
    """Run one stage; its output goes to a file in `folder`."""
    output = folder / output_name(stage.name)
    output.unlink(missing_ok=True)  # of a run by hand before this one
    ended = limits.run(
        stage.command,
        cwd=cwd,
        env=env,
        output=output,
        timeout=stage.timeout,
        quiet=stage.quiet,
        watched=watched,
        unwanted=unwanted,
        seen=seen,
        pass_fds=pass_fds,
    )
    known = {name: env[name] for name in env if name.startswith("KBISECT_")}
    words = [f"{name}={shlex.quote(value)}" for name, value in sorted(known.items())]
    return StageRun(
        stage=stage.name,
        command=" ".join([*words, shlex.join(stage.command)]),
        directory=str(cwd),
        exit_code=ended.exit_code,
        why=ended.why,
        seconds=round(ended.seconds, 3),
        output=output.name,
        left_out=ended.left_out,
    ), ended


def reused(stage: Stage) -> StageRun:
    """Return the record of a stage whose result is there already."""
    return StageRun(stage.name, shlex.join(stage.command), "", 0, Why.ENDED, 0.0, "", reused=True)


def record(folder: Path, runs: Sequence[StageRun]) -> None:
    """Store what the stages did beside their output."""
    rows = [{name: getattr(run, name) for name in StageRun.__slots__} for run in runs]
    (folder / RECORD).write_text(json.dumps(rows, indent=1) + "\n", "ascii")


def limited(stage: Stage, timeout: float | None) -> Stage:
    """Give a stage that has no time limit of its own this one."""
    return replace(stage, timeout=timeout) if stage.timeout is None else stage

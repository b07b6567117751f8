# SPDX-License-Identifier: GPL-2.0-or-later
"""One step: bring a commit into a worktree, run the script on it, observe what it does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kbisect.bisect.verdict import Observation
from kbisect.errors import EnvironmentProblem
from kbisect.git.worktree import Scratch
from kbisect.lab import console, limits

PASSED_ON = ("HOME", "LANG", "USER")
"""What a script sees of the user's environment, beside PATH and everything named KBISECT_*."""
_OURS = {
    f"KBISECT_{name}"
    for name in ("COMMIT", "TREE", "BUILD", "OUT", "CONSOLE", "WORKER", "ATTEMPT", "SCRIPT")
}


@dataclass(frozen=True, slots=True)
class Step:
    """What to do. Travels to a worker, so it holds plain values only.

    Attributes
    ----------
    command : the script and its arguments
    folder : where this step's output is kept; made by the step
    scratch : where worktrees come from; None to check nothing out
    directory : where the script runs when nothing is checked out
    build : a folder that this worker keeps from step to step
    """

    oid: str
    command: tuple[str, ...]
    folder: Path
    scratch: Scratch | None
    directory: Path
    build: Path
    worker: str = "0"
    attempt: int = 1
    timeout: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What a step saw, and the seconds its script took."""

    seen: Observation
    seconds: float


def environment() -> dict[str, str]:
    """Return the part of the user's environment that a script may see."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    kept |= {
        name: value
        for name, value in os.environ.items()
        if name.startswith("KBISECT_") and name not in _OURS
    }
    # A relative folder would let the tree under test name commands.
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    kept["PATH"] = os.pathsep.join(folder for folder in folders if folder.startswith("/"))
    kept["TERM"] = "dumb"
    return kept


def run(step: Step) -> Done:
    """Run one step. Works on the machine it is sent to.

    Raises
    ------
    GitFailed
        The commit can't be checked out.
    CouldNotRun
        The script can't be started.
    """
    # What a step that was killed left here says nothing.
    shutil.rmtree(step.folder, ignore_errors=True)
    kept = step.folder / "out"
    kept.mkdir(parents=True)
    step.build.mkdir(parents=True, exist_ok=True)
    output, serial = step.folder / "output.txt", step.folder / "console.txt"
    env = dict(step.env) | {
        "KBISECT_COMMIT": step.oid,
        "KBISECT_BUILD": str(step.build),
        "KBISECT_OUT": str(kept),
        "KBISECT_CONSOLE": str(serial),
        "KBISECT_WORKER": step.worker,
        "KBISECT_ATTEMPT": str(step.attempt),
    }
    where = step.directory
    if step.scratch is not None:
        where = step.scratch.checkout(step.worker, step.oid)
        env["KBISECT_TREE"] = str(where)
    ended = limits.run(step.command, cwd=where, env=env, output=output, timeout=step.timeout)
    if ended.exit_code and _is_full(step.folder):
        raise EnvironmentProblem(
            f"No space left on device ({step.folder}): "
            "the script's failure says nothing of the commit",
            hint="free some space, or use another --store, and run the same command again",
        )
    crash = console.fatal(console.read(serial)) or console.fatal(console.read(output))
    seen = Observation(ended.exit_code, ended.timed_out, crash.fingerprint if crash else None)
    return Done(seen, round(ended.seconds, 3))


def _is_full(folder: Path) -> bool:
    """Whether nothing more could be written there: less than a page or two is left."""
    left = os.statvfs(folder)
    return left.f_bavail * left.f_frsize < 2 * left.f_frsize

# SPDX-License-Identifier: GPL-2.0-or-later
"""Run one command with a time limit, and be sure that all it started is gone afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kbisect.errors import EnvironmentProblem
from kbisect.lab import keeper

GRACE = 1.0
"""Seconds between asking a command to end and ending it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code as a shell would say it, None past its time limit."""

    exit_code: int | None
    timed_out: bool
    seconds: float


class CouldNotRun(EnvironmentProblem):
    """The system refused to start the command."""


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: Path,
    timeout: float | None = None,
) -> Ended:
    """Run a command to its end or its limit; its output goes to a file.

    Nothing it started outlives it, not even if this process is killed meanwhile.

    Parameters
    ----------
    timeout : float, optional
        Seconds. Past it the command's process group gets SIGTERM, and all of it SIGKILL a second
        later.

    Raises
    ------
    CouldNotRun
        There is no such file, it may not be executed, or its interpreter is missing.
    """
    request = {
        "command": list(command),
        "cwd": str(cwd),
        "env": dict(env),
        "output": str(output),
        "timeout": timeout,
        "grace": GRACE,
    }
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(keeper.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        finally:
            process.stdin.close()  # on ^C too: this is what ends the command
    if not answer:
        raise EnvironmentProblem(
            f"the process that watches over a step ended with status {process.returncode}",
            hint="run the same command again; if it repeats: kbisect doctor",
        )
    said = json.loads(answer)
    if "error" in said:
        raise CouldNotRun(
            f"cannot run {command[0]}: {said['error']}",
            hint="is its interpreter installed, and may files be executed below the store?",
        )
    code = int(said["code"])
    timed_out = bool(said["timed_out"])
    return Ended(
        exit_code=None if timed_out else 128 - code if code < 0 else code,
        timed_out=timed_out,
        seconds=float(said["seconds"]),
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""Run one command within its limits, and be sure that all it started is gone afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from kbisect.errors import EnvironmentProblem
from kbisect.lab import keeper

GRACE = 1.0
"""Seconds between asking a command to end and ending it."""
HEAD = TAIL = 8 << 20
"""Bytes of a command's output that are kept, at its start and at its end."""
FLOOD = 256 << 20
"""Bytes that a console may grow to: what prints more prints without end."""
_LOOK = 0.1
"""Seconds between two looks at whether the command is still wanted."""


class Why(StrEnum):
    """Why a command is over."""

    ENDED = "ended"
    TIMEOUT = "timeout"
    QUIET = "quiet"
    FLOOD = "flood"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    exit_code : as a shell would say it, None if it didn't end by itself
    left_out : bytes in the middle of its output that were not kept
    full : whether its output could not be written for lack of space
    """

    exit_code: int | None
    why: Why
    seconds: float
    left_out: int = 0
    full: bool = False

    @property
    def timed_out(self) -> bool:
        """Whether a limit ended it: of time, of silence, or of a console that never ends."""
        return self.why in {Why.TIMEOUT, Why.QUIET, Why.FLOOD}


class CouldNotRun(EnvironmentProblem):
    """The system refused to start the command."""


class Unwanted(Exception):
    """Nobody wants to know any more how the command ends; it was ended."""


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    output: Path,
    timeout: float | None = None,
    quiet: float | None = None,
    watched: Sequence[Path] = (),
    unwanted: Callable[[], bool] = lambda: False,
    seen: Callable[[], bool] | None = None,
    pass_fds: Sequence[int] = (),
) -> Ended:
    """Run a command to its end or its limit; its output goes to a file.

    Nothing it started outlives it, not even if this process is killed meanwhile.

    Parameters
    ----------
    timeout : float, optional
        Seconds. Past it the command's process group gets SIGTERM, and all of it SIGKILL a second
        later.
    quiet : float, optional
        Seconds without any output, on the files `watched` neither.
    watched : sequence of Path
        Files that the command writes (a console); one that grows past `FLOOD` ends it.
    unwanted : callable
        Asked ten times a second whether to give up; then it is killed and `Unwanted` raised.
    seen : callable, optional
        Asked as often whether everything worth waiting for was seen; then it is asked to end.
    pass_fds : sequence of int
        Descriptors that stay open until everything is gone: a lock on the folders it uses.

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
        "quiet": quiet,
        "grace": GRACE,
        "watched": [str(path) for path in watched],
        "flood": FLOOD,
        "head": HEAD,
        "tail": TAIL,
    }
    with subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(keeper.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        pass_fds=pass_fds,
    ) as process:
        answer = _answer(process, json.dumps(request).encode() + b"\n", unwanted, seen)
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
    return _ended(said)


def _answer(
    process: subprocess.Popen[bytes],
    request: bytes,
    unwanted: Callable[[], bool],
    seen: Callable[[], bool] | None,
) -> bytes:
    """Ask a keeper and wait for its answer, which is empty if it died."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(request)
        process.stdin.flush()
        while not select.select([process.stdout], [], [], _LOOK)[0]:
            if unwanted():
                raise Unwanted
            if seen is not None and seen():
                seen = None
                with contextlib.suppress(BrokenPipeError):
                    os.write(process.stdin.fileno(), b"stop\n")
        return process.stdout.readline()
    finally:
        # On ^C too: this is what ends the command.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def _ended(said: Mapping[str, Any]) -> Ended:
    code, why = int(said["code"]), Why(said["why"])
    return Ended(
        exit_code=None if why is not Why.ENDED else 128 - code if code < 0 else code,
        why=why,
        seconds=float(said["seconds"]),
        left_out=int(said["left_out"]),
        full=bool(said["full"]),
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""A second Python process of our own, since one of them uses one core only."""

from __future__ import annotations

import gc
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kbisect.errors import EnvironmentProblem

# It finds its modules where we found ours, not in the directory it stands in.
_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from kbisect.git.aside import main
main()
"""


class Aside:
    """Works on what it is sent, and answers once. An interrupt at the keyboard is not meant for it.

    When the one who asked is gone, even killed, it ends: nobody will send the rest, or read the
    answer.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
        )

    def send(self, what: object) -> None:
        """Send something; what comes first is the function that takes `receive` and answers.

        Raises
        ------
        EnvironmentProblem
            The process was killed, or could not begin.
        """
        assert self._process.stdin is not None
        try:
            pickle.dump(what, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def answer(self) -> Any:
        """Wait for the answer; what the function raised is raised here."""
        assert self._process.stdout is not None
        try:
            # Written by `main`, below.
            found, problem = pickle.load(self._process.stdout)  # noqa: S301
        except (EOFError, pickle.UnpicklingError):
            raise self._ended() from None
        if problem is not None:
            raise problem
        return found

    def _ended(self) -> EnvironmentProblem:
        return EnvironmentProblem(
            f"a process of kbisect's own ended early (status {self._process.wait()})",
            hint="if memory is short, close something; then try again",
        )

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            # What it was killed before it had read goes with it.
            with suppress(BrokenPipeError):
                if pipe:
                    pipe.close()


def main() -> None:
    """Be that process."""
    gc.disable()

    def receive() -> Any:
        return pickle.load(sys.stdin.buffer)  # noqa: S301

    found: Any = None
    problem: Exception | None = None
    try:
        work: Callable[[Callable[[], Any]], Any] = receive()
        found = work(receive)
    except EOFError:
        return
    except Exception as raised:
        problem = raised
    try:
        pickle.dump((found, problem), sys.stdout.buffer)
        sys.stdout.flush()
    except BrokenPipeError:
        pass

# SPDX-License-Identifier: GPL-2.0-or-later
"""Keep one command within its limits, and leave none of its processes behind.

Run as a program of its own (`python -I -S keeper.py`), so it imports the standard library only. It
reads one JSON request from stdin, answers one JSON line on stdout, and ends everything as soon as
stdin closes: then kbisect itself was killed. Being the subreaper of all that the command starts, it
also finds what left the process group or became a daemon.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Serve one request."""
    # kbisect ends us by closing stdin. A handler, unlike SIG_IGN, isn't inherited by the command.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    request = json.loads(_line(0))
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    print(json.dumps(_keep(**request)), flush=True)


def _keep(
    command: list[str],
    cwd: str,
    env: dict[str, str],
    output: str,
    timeout: float | None,
    grace: float,
) -> dict[str, object]:
    began = time.monotonic()
    with Path(output).open("ab") as sink:
        try:
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        except OSError as error:
            return {"error": error.strerror, "errno": error.errno, "path": error.filename}
    waiting = os.pidfd_open(child.pid)
    ready = select.select([0, waiting], [], [], timeout)[0]
    ended = waiting in ready
    if not ended:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        if not ready:  # stdin is open: there is somebody to wait politely for
            select.select([0, waiting], [], [], grace)
    seconds = time.monotonic() - began
    if ended:
        code = child.wait()
        seconds = time.monotonic() - began
    _sweep()
    if not ended:
        code = -signal.SIGKILL
    return {"code": code, "timed_out": not ended and not ready, "seconds": seconds}


def _sweep() -> None:
    """Kill every process below this one until none is left."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        below = _descendants()
        if not below:
            return
        for pid in below:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.005)


def _descendants() -> set[int]:
    parents = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                stat = Path(entry.path, "stat").read_bytes()
            except OSError:
                continue
            # The name, in brackets, may hold anything.
            parents[int(entry.name)] = int(stat[stat.rindex(b")") + 1 :].split()[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _line(descriptor: int) -> bytes:
    """Read one line without reading ahead: the descriptor is watched afterwards."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 1 << 16)
        if not piece:
            sys.exit(1)
        line += piece
    return line


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-or-later
"""Keep one command within its limits, and leave none of its processes behind.

Run as a program of its own (`python -I -S keeper.py`), so it imports the standard library only. It
reads one JSON request from stdin, answers one JSON line on stdout, and ends everything as soon as
stdin closes: then kbisect itself was killed, or wants no answer any more. A second line on stdin
asks it to end the command politely. Being the subreaper of all that the command starts, it also
finds what left the process group or became a daemon.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

PR_SET_CHILD_SUBREAPER = 36
_LOOK = 0.25
"""Seconds between two looks at files that grow."""


class Sink:
    """Takes in a command's output without end: the first bytes go to a file, the last are kept."""

    def __init__(self, file: BinaryIO, head: int, tail: int) -> None:
        self.file = file
        self.room, self.most = head, tail
        self.tail = bytearray()
        self.dropped = 0
        self.full = False

    def take(self, piece: bytes) -> None:
        """Take in what comes next."""
        first, rest = piece[: self.room], piece[self.room :]
        self._write(first)
        self.room -= len(first)
        if rest:
            self.tail += rest
            if len(self.tail) > 2 * self.most:
                self._trim()

    def close(self) -> int:
        """Write the last bytes, and return how many between were left out."""
        self._trim()
        if self.dropped:
            self._write(b"\n[kbisect: %d bytes left out here]\n" % self.dropped)
        self._write(bytes(self.tail))
        return self.dropped

    def _trim(self) -> None:
        extra = max(0, len(self.tail) - self.most)
        del self.tail[:extra]
        self.dropped += extra

    def _write(self, piece: bytes) -> None:
        try:
            while piece and not self.full:
                piece = piece[self.file.write(piece) :]
        except OSError:  # the disk is full; the command needn't notice
            self.full = True


def main() -> None:
    """Serve one request."""
    # kbisect ends us by closing stdin. A handler, unlike SIG_IGN, isn't inherited by the command.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    request = json.loads(_line(0))
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    with Path(request.pop("output")).open("ab", buffering=0) as file:
        sink = Sink(file, request.pop("head"), request.pop("tail"))
        answer = json.dumps(_keep(sink, **request)) + "\n"
    with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(1, answer.encode())


def _keep(
    sink: Sink,
    command: list[str],
    cwd: str,
    env: dict[str, str],
    timeout: float | None,
    quiet: float | None,
    grace: float,
    watched: list[str],
    flood: int,
) -> dict[str, Any]:
    began = time.monotonic()
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    with contextlib.suppress(OSError):
        fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, 1 << 20)
    try:
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
    except OSError as error:
        return {"error": error.strerror, "errno": error.errno, "path": error.filename}
    os.close(theirs)
    os.set_blocking(ours, False)
    waiting = os.pidfd_open(child.pid)
    why = _watch(ours, waiting, sink, watched, began, timeout, quiet, flood)
    if why != "ended":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        if why != "unwanted":  # there is somebody to wait politely for
            sources, until = [0, waiting, ours], time.monotonic() + grace
            while (left := until - time.monotonic()) > 0:
                ready = select.select(sources, [], [], left)[0]
                if waiting in ready or (0 in ready and not os.read(0, 1 << 16)):
                    break
                if ours in ready and not _drain(ours, sink):
                    sources.remove(ours)
    code = child.wait() if why == "ended" else -signal.SIGKILL
    seconds = time.monotonic() - began
    _sweep()
    _drain(ours, sink)
    left_out = sink.close()
    return {"code": code, "why": why, "seconds": seconds, "left_out": left_out, "full": sink.full}


def _watch(
    pipe: int,
    waiting: int,
    sink: Sink,
    watched: list[str],
    began: float,
    timeout: float | None,
    quiet: float | None,
    flood: int,
) -> str:
    """Return why it is over: ended, timeout, quiet, flood, stopped or unwanted."""
    heard, sizes = began, [0] * len(watched)
    sources = [0, waiting, pipe]
    looks = quiet is not None or bool(watched)
    while True:
        now = time.monotonic()
        wait = _LOOK if looks else None
        if timeout is not None:
            if now >= began + timeout:
                return "timeout"
            wait = min(began + timeout - now, wait or timeout)
        ready = select.select(sources, [], [], wait)[0]
        if waiting in ready:
            return "ended"
        if 0 in ready:
            return "stopped" if os.read(0, 1 << 16) else "unwanted"
        if pipe in ready:
            heard = time.monotonic()
            if not _drain(pipe, sink):
                sources.remove(pipe)  # it closed its output and goes on
        if looks:
            now_sizes = [_size(path) for path in watched]
            if now_sizes != sizes:
                heard, sizes = time.monotonic(), now_sizes
            if any(size > flood for size in sizes):
                return "flood"
            if quiet is not None and time.monotonic() - heard >= quiet:
                return "quiet"


def _drain(pipe: int, sink: Sink) -> bool:
    """Take in what waits in a pipe, at most so much that limits are looked at; False at its end."""
    for _ in range(16):
        try:
            piece = os.read(pipe, 1 << 20)
        except BlockingIOError:
            return True
        if not piece:
            return False
        sink.take(piece)
    return True


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


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
        piece = os.read(descriptor, 1)
        if not piece:
            sys.exit(1)
        line += piece
    return line


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: GPL-2.0-or-later
"""Time commands in turn, and print what came of it as ratios."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

KBISECT = (sys.executable, "-m", "kbisect")


@dataclass(frozen=True)
class Line:
    """One measurement: medians in seconds, and the ratio pair by pair."""

    what: str
    ours: float
    peer: float | None
    ratio: float | None
    aim: str


def seconds(command: Sequence[str | Path], stdin: str | None = None) -> float:
    """Run a command to its end, its output read and thrown away."""
    begun = time.perf_counter()
    subprocess.run(
        [str(word) for word in command],
        input=stdin.encode() if stdin is not None else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - begun


def in_turn(
    what: str,
    aim: str,
    ours: Callable[[], float],
    peer: Callable[[], float] | None = None,
    runs: int = 3,
) -> Line:
    """Run ours and the peer in turn, so that a machine that slows down slows both."""
    left, right = [], []
    for _ in range(runs):
        left.append(ours())
        if peer:
            right.append(peer())
    ratio = statistics.median(a / b for a, b in zip(left, right, strict=True)) if peer else None
    line = Line(
        what, statistics.median(left), statistics.median(right) if peer else None, ratio, aim
    )
    print(render(line), flush=True)
    return line


def render(line: Line) -> str:
    """One row of the table."""
    peer = f"{line.peer:8.2f} s" if line.peer is not None else " " * 10
    ratio = f"{line.ratio:6.2f} x" if line.ratio is not None else " " * 8
    return f"{line.what:<58} {line.ours:8.2f} s  {peer}  {ratio}   {line.aim}"


def header(title: str) -> None:
    """Begin a table."""
    print(f"\n{title}\n{'':<58} {'ours':>8}    {'peer':>8}    {'ratio':>6}     to reach")


def peak_of_children() -> int:
    """Return the peak memory of the largest process waited for so far, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def repository() -> Path:
    """Return the repository to measure on."""
    named = os.environ.get("KBISECT_NET_REPO")
    if not named:
        print("bench: set KBISECT_NET_REPO to a clone of a kernel tree", file=sys.stderr)
        sys.exit(4)
    return Path(named)


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes
    ----------
    wall : seconds
    cpu : seconds of all cores, its own and those of the processes it started
    peak : of its own memory, in MB; 0 where it is none of ours
    """

    wall: float
    cpu: float
    peak: int = 0


# Our own command, and then the peak of this very process: what git maps of its packs is git's.
_WITH_PEAK = """
import resource, sys
from kbisect.cli.main import main
try:
    main(sys.argv[2:])
except SystemExit as leave:
    code = leave.code
with open(sys.argv[1], "w") as out:
    out.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
sys.exit(code)
"""


def cost(command: Sequence[str | Path]) -> Cost:
    """Run a command to its end, its output read and thrown away."""
    with tempfile.NamedTemporaryFile() as told:
        words = [str(word) for word in command]
        if tuple(words[: len(KBISECT)]) == KBISECT:
            words = [sys.executable, "-c", _WITH_PEAK, told.name, *words[len(KBISECT) :]]
        begun = time.perf_counter()
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            raise RuntimeError(f"{command} failed")
        peak = int(told.read() or b"0") // 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak)


def costs_in_turn(
    what: str,
    aim: str,
    ours: Callable[[], Cost],
    peer: Callable[[], Cost] | None = None,
    runs: int = 3,
) -> list[Line]:
    """As `in_turn`; and a second row for CPU seconds, which a busy machine disturbs less."""
    pairs = [(ours(), peer() if peer else None) for _ in range(runs)]
    lines = []
    for title, bound, measure in ((what, aim, "wall"), ("  the same in CPU seconds", "", "cpu")):
        left = [getattr(own, measure) for own, _ in pairs]
        right = [getattr(other, measure) for _, other in pairs if other]
        ratio = statistics.median(a / b for a, b in zip(left, right, strict=True)) if peer else None
        theirs = statistics.median(right) if peer else None
        line = Line(title, statistics.median(left), theirs, ratio, bound)
        print(render(line), flush=True)
        lines.append(line)
    peak = max(each.peak for each, _ in pairs)
    print(f"{'  peak memory of our own process':<58} {peak:8d} MB", flush=True)
    return lines

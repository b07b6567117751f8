# SPDX-License-Identifier: GPL-2.0-or-later
"""Time commands in turn, and print what came of it as ratios."""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

KBISECT = (sys.executable, "-m", "kbisect")
# Seconds between two looks at the memory.
_GLANCE = 0.05


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
    ratio = f"{line.ratio:7.3f} x" if line.ratio is not None else " " * 8
    return f"{line.what:<58} {line.ours:8.2f} s  {peer}  {ratio}   {line.aim}"


def header(title: str) -> None:
    """Begin a table."""
    print(f"\n{title}\n{'':<58} {'ours':>8}    {'peer':>8}    {'ratio':>7}     to reach")


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
    peak : of the memory of our own processes together, in MB; 0 where it is none of ours
    """

    wall: float
    cpu: float
    peak: int = 0


def cost(command: Sequence[str | Path]) -> Cost:
    """Run a command to its end, its output read and thrown away."""
    words = [str(word) for word in command]
    peak = 0
    begun = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def watch() -> None:
        nonlocal peak
        while process.returncode is None:
            peak = max(peak, _resident(process.pid))
            time.sleep(_GLANCE)

    watching = threading.Thread(target=watch)
    if tuple(words[: len(KBISECT)]) == KBISECT:
        watching.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if watching.ident:
        watching.join()
    if status:
        raise RuntimeError(f"{command} failed")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak // 1024)


def _resident(process: int) -> int:
    """Return the kB that one of our own processes and those below it hold; git is none of them.

    A page that several hold is shared out among them.
    """
    try:
        place = Path("/proc", str(process))
        if (place / "exe").resolve() != Path(sys.executable).resolve():
            return 0
        held = re.search(r"Pss:\s+(\d+)", (place / "smaps_rollup").read_text())
        below = [
            child for each in place.glob("task/*/children") for child in each.read_text().split()
        ]
    except OSError:
        return 0
    return int(held[1] if held else 0) + sum(map(_resident, map(int, below)))


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
    print(f"{'  peak memory of our own processes':<58} {peak:8d} MB", flush=True)
    return lines

# SPDX-License-Identifier: GPL-2.0-or-later
"""How many tests this machine has room for at a time, by its processors and its free memory.

A test that runs out of memory fails for no fault of its commit, so memory is a limit. Processors
are not: tests may wait more than they compute, and whoever asks for more of them gets them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

GIB = 1 << 30
BUILD = GIB
"""Bytes that a build takes, where nobody says: a link of vmlinux, and some compilers beside it."""
AUTO = 0
"""Asked for: as many workers as there is room for."""
UNKNOWN = GIB // 2
"""Bytes that a script takes, where nobody says."""
_RESERVE = GIB // 2
"""Bytes that are left to everything else."""
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_GROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Room:
    """What a machine has.

    Attributes
    ----------
    cores : processors that this process may use
    memory : free bytes
    """

    cores: int
    memory: int

    def fits(self, need: int) -> int:
        """Return how many tests that need so many bytes each have memory; at least one."""
        return max(1, (self.memory - _RESERVE) // need)

    def best(self, need: int) -> int:
        """Return how many at a time are best: as many as there are processors, if they fit."""
        return min(self.cores, self.fits(need))


def here() -> Room:
    """Measure this machine, or the part of it that a control group leaves us."""
    cores = len(os.sched_getaffinity(0))
    quota, _, period = _read(_GROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        cores = max(1, min(cores, round(int(quota) / int(period))))
    found = re.search(r"^MemAvailable:\s*(\d+) kB", _read(Path("/proc/meminfo")), re.MULTILINE)
    memory = int(found[1]) << 10 if found else GIB
    most, used = _read(_GROUP / "memory.max"), _read(_GROUP / "memory.current")
    if most.isdigit() and used.isdigit():
        memory = min(memory, max(0, int(most) - int(used)))
    return Room(cores, memory)


@dataclass(frozen=True, slots=True)
class Staff:
    """So many workers, and why not another number; empty where that is as asked."""

    workers: int
    note: str = ""


def staff(asked: int | None, need: int | None, room: Room) -> Staff:
    """Decide how many workers a campaign gets on this machine.

    Parameters
    ----------
    asked : how many; `AUTO` for what is best, None for one
    need : bytes that a test takes, None where nobody knows
    """
    has = f"{room.memory / GIB:.1f} GiB are free"
    if asked == AUTO:
        found = room.best(need or UNKNOWN)
        takes = f"a test takes {(need or UNKNOWN) / GIB:.1f} GiB"
        cores = "processor" if room.cores == 1 else "processors"
        return Staff(found, f"workers: {found} ({room.cores} {cores}, {has}, {takes})")
    if asked and need and asked > (most := room.fits(need)):
        note = f"workers: {most}, not {asked}: a test takes {need / GIB:.1f} GiB and {has}"
        return Staff(most, f"{note}; if it takes less: `memory` in the recipe's [worker]")
    return Staff(asked or 1)


def size(text: object) -> int:
    """Read an amount of memory as QEMU takes it: `512M`, `2G`; a bare number is in MiB.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        It is none.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", str(text).strip(), re.IGNORECASE)
    if found is None or not float(found[1]):
        raise ValueError(text)
    return int(float(found[1]) * _UNITS[found[2].upper() or "M"])


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""

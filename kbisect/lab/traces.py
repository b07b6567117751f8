# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files a crash went through, so that what changed them is suspected first.

A console names functions; where they stand, git's grep tells: kernel style begins a definition in
the first column, and what calls one is indented.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from kbisect.bisect.events import Traced
from kbisect.git.process import GitFailed
from kbisect.git.repository import Repository
from kbisect.lab import console

_MOST = 4
"""A name that so many files define, or more, says little of where it was."""
_CONSOLES = ("console.txt", "boot.txt", "output.txt")


def look(repository: Repository, oid: str, crash: str, folder: Path) -> Traced | None:
    """Find the files of a crash's first frames; None where no trace, or none of them, is known.

    Parameters
    ----------
    oid : the commit that crashed
    crash : its fingerprint
    folder : of the step, with its console
    """
    found = console.read(*(folder / name for name in _CONSOLES))
    report = next((each for each in found if each.fingerprint == crash), None)
    if report is None:
        return None
    frames = (report.where, *report.frames)
    names = tuple(dict.fromkeys(name for name in frames if re.fullmatch(r"[A-Za-z_]\w+", name)))
    paths = tuple(
        dict.fromkeys(path for name in names for path in _defining(repository, oid, name))
    )
    return Traced(time.time(), names, paths) if paths else None


def _defining(repository: Repository, oid: str, name: str) -> list[str]:
    """Return the files of a commit that define a function, none if they are many."""
    words = ("grep", "-l", "-z", "-E", rf"^([A-Za-z_][^;=]*[^;=A-Za-z0-9_])?{name}\([^;]*$")
    try:
        with repository.stream(*words, oid, "--", "*.c", "*.h") as pipe:
            rows = pipe.read().decode("utf-8", "surrogateescape").split("\0")
    except GitFailed:
        return []  # nothing does
    found = [row.partition(":")[2] for row in rows if row]
    return found if len(found) < _MOST else []

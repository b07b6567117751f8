# SPDX-License-Identifier: GPL-2.0-or-later
"""What the workers of a campaign are at: a file that another terminal can read.

It is a courtesy, no part of the journal: nothing follows from it, and a kill leaves an old one. So
it counts only while the process that wrote it still holds the campaign.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from kbisect.bisect.moves import Try
from kbisect.bisect.verdict import Role
from kbisect.lab.executors import Gap

_NAME = "running.json"


@dataclass(frozen=True, slots=True)
class Job:
    """A test that is running.

    Attributes
    ----------
    folder : name of the step's folder
    since : Unix seconds
    """

    test: Try
    folder: str
    attempt: int
    since: float


@dataclass(frozen=True, slots=True)
class Crewed:
    """A campaign that runs: the process that drives it, its workers, and what they are at.

    Attributes
    ----------
    gap : there is no worker now, and the jobs wait for one
    """

    pid: int
    workers: int
    jobs: tuple[Job, ...]
    gap: Gap | None = None


def write(folder: Path, jobs: Iterable[Job], workers: int, gap: Gap | None = None) -> None:
    """Say what is running."""
    rows = [
        {
            "oid": job.test.oid,
            "role": job.test.role,
            "suspects": job.test.suspects,
            "reverts": job.test.reverts,
            "tree": job.test.tree,
            "folder": job.folder,
            "attempt": job.attempt,
            "since": job.since,
        }
        for job in jobs
    ]
    held = {"pid": os.getpid(), "workers": workers, "jobs": rows}
    if gap is not None:
        held["gap"] = asdict(gap)
    text = json.dumps(held)
    new = folder / f"{_NAME}.new"
    with contextlib.suppress(OSError):  # a full disk is noticed where it matters
        new.write_text(text, "ascii")
        new.replace(folder / _NAME)


def read(folder: Path, pid: int | None) -> Crewed | None:
    """Return what runs, None if nothing does.

    Parameters
    ----------
    pid : of the process that holds the campaign now
    """
    try:
        held = json.loads((folder / _NAME).read_text("ascii"))
        jobs = tuple(
            Job(
                Try(row["oid"], Role(row["role"]), row["suspects"], row["reverts"], row["tree"]),
                row["folder"],
                row["attempt"],
                row["since"],
            )
            for row in held["jobs"]
        )
        gap = Gap(**held["gap"]) if "gap" in held else None
        found = Crewed(held["pid"], held["workers"], jobs, gap)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.pid == pid else None


def clear(folder: Path) -> None:
    """Say that nothing runs."""
    with contextlib.suppress(OSError):
        (folder / _NAME).unlink(missing_ok=True)

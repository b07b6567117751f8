# SPDX-License-Identifier: GPL-2.0-or-later
"""Read some of the commits into tables, here or in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kbisect.git.aside import Aside
from kbisect.git.repository import Repository
from kbisect.history import reading, tables
from kbisect.history.releases import Release
from kbisect.history.scope import Scope
from kbisect.history.subsystems import Subsystems
from kbisect.history.tables import Part

Releases = Callable[[], Sequence[Release]]


@dataclass(frozen=True, slots=True)
class Job:
    """Some commits to read, no merges."""

    repository: Repository
    oids: Sequence[str]
    scope: Scope
    count_lines: bool


def part(job: Job, releases: Releases) -> Part:
    """Read commits, then wait for the releases, by which their subsystems are told."""
    found = reading.read(job.repository, job.oids, job.scope, count_lines=job.count_lines)
    return tables.part(found, Subsystems(job.repository, releases()))


def part_by(aside: Aside, job: Job, releases: Releases) -> Part:
    """Let another process do it."""
    aside.send(_serve)
    aside.send(job)
    aside.send(releases())
    found: Part = aside.answer()
    return found


def _serve(receive: Callable[[], Any]) -> Part:
    return part(receive(), receive)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A bare repository for objects that nobody needs tomorrow.

A thousand picks write ten thousand small objects: to disk that takes longer than the merges, and
what is kept there grows with every run. So they go into memory where there is room, and away with
their owner. Who was killed couldn't clear up: the next one does.
"""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path

from kbisect import temporary
from kbisect.git.repository import Repository
from kbisect.git.worktree import Scratch

_MEMORY = Path("/dev/shm")  # noqa: S108
_ROOM = 4 << 30
"""Bytes free below which memory isn't used: a thousand picks write about 0.2 GB."""
# What is read once needn't be small.
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tlooseCompression = 0\n"


@dataclass(frozen=True, eq=False)
class Passing:
    """Such a repository. It borrows the objects of a repository and of its scratch repository."""

    gitdir: Path

    @classmethod
    def prepare(cls, repository: Repository) -> Passing:
        """Make one; it is removed when nobody holds it any more."""
        borrowed = Scratch.prepare(repository).gitdir / "objects"
        place = _memory() or repository.store
        made_at, remove = temporary.make("picks", place)
        made = cls(made_at)
        weakref.finalize(made, remove)
        (made.gitdir / "objects" / "info").mkdir(parents=True)
        (made.gitdir / "objects" / "info" / "alternates").write_text(f"{borrowed}\n", "utf-8")
        (made.gitdir / "refs").mkdir()
        (made.gitdir / "config").write_text(_CONFIG, "ascii")
        # Last: what has a HEAD is a repository.
        (made.gitdir / "HEAD").write_text("ref: refs/heads/none\n", "ascii")
        return made


def _memory() -> Path | None:
    try:
        room = os.statvfs(_MEMORY)
    except OSError:
        return None
    free = room.f_bavail * room.f_frsize
    return _MEMORY if free >= _ROOM and os.access(_MEMORY, os.W_OK) else None

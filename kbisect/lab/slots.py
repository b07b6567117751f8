# SPDX-License-Identifier: GPL-2.0-or-later
"""Worker slots: a worktree and a build folder each, kept from step to step.

A slot is taken by a lock on a file, so it is free as soon as everything that used it is gone,
whatever was killed. Which of the free ones is taken is no matter of chance: the one that holds the
commit's build already, else the one that was left last.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kbisect.git.repository import Repository
from kbisect.git.worktree import locate
from kbisect.lab.archive import Archive

_LOOK = 0.05
"""Seconds between two looks for a free slot."""
_MOST = 256
"""Slots of one store, where nobody limits them."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A taken slot.

    Attributes
    ----------
    name : of the worktree, and of the worker
    build : its build folder
    lock : descriptor of the lock: who inherits it holds the slot
    """

    name: str
    build: Path
    lock: int

    @property
    def built(self) -> str | None:
        """What the build folder holds, as `mark` noted it."""
        try:
            return _mark(self.build).read_text("utf-8")
        except FileNotFoundError:
            return None

    def mark(self, what: str | None) -> None:
        """Note what the build folder holds from now on; None while nobody knows."""
        if what is None:
            _mark(self.build).unlink(missing_ok=True)
        else:
            _mark(self.build).write_text(what, "utf-8")


@contextmanager
def take(
    store: Path,
    most: int | None = None,
    *,
    prefix: str = "",
    wanted: str | None = None,
    unwanted: Callable[[], bool] = lambda: False,
) -> Iterator[Slot]:
    """Take a slot, and wait for one while all are taken.

    Parameters
    ----------
    most : number of slots; None for as many as are asked for
    prefix : of the slots' names: the host's, where several share a store
    wanted : a build that some slot may hold
    unwanted : asked while waiting whether to give up

    Raises
    ------
    InterruptedError
        It was given up.
    """
    folder = store / "builds"
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{prefix}{number}" for number in range(most or _MOST)]
    handle = None
    while handle is None:
        for name in _best_first(folder, names, wanted):
            if (handle := _try(folder / f"{name}.lock")) is not None:
                break
        else:
            if unwanted():
                raise InterruptedError("no slot is free, and nobody waits for it")
            time.sleep(_LOOK)
    try:
        build = folder / name
        build.mkdir(exist_ok=True)
        yield Slot(name, build, handle)
    finally:
        os.close(handle)


def are_there(repository: Repository) -> bool:
    """Whether there are worktrees to be removed."""
    place = locate(repository).worktrees
    return place.is_dir() and any(place.iterdir())


def clean(repository: Repository) -> None:
    """Remove what nobody uses: worktrees, build folders, what was kept of builds.

    On a worker elsewhere, also the folders of steps that a kill left there.
    """
    scratch = locate(repository)
    builds = repository.store / "builds"
    with idle(repository.store) as names:
        if len(names) == len(list(builds.glob("*.lock"))):
            shutil.rmtree(repository.store / "steps", ignore_errors=True)
        for name in names:
            if (scratch.worktrees / name).exists():
                scratch.remove(name)
            shutil.rmtree(builds / name, ignore_errors=True)
            (builds / f"{name}.built").unlink(missing_ok=True)
    Archive.of(repository.store).clear()


@contextmanager
def idle(store: Path) -> Iterator[list[str]]:
    """Take all slots that nobody uses, to clean them up; return their names."""
    held: dict[str, int] = {}
    for path in sorted((store / "builds").glob("*.lock")):
        if (handle := _try(path)) is not None:
            held[path.stem] = handle
    try:
        yield list(held)
    finally:
        for handle in held.values():
            os.close(handle)


def _best_first(folder: Path, names: list[str], wanted: str | None) -> list[str]:
    """Put the slot with the wanted build first, and those never used last."""

    def rank(name: str) -> int:
        if wanted is not None and Slot(name, folder / name, -1).built == wanted:
            return 0
        return 1 if (folder / name).exists() else 2

    return sorted(names, key=rank)


def _mark(build: Path) -> Path:
    return build.with_name(f"{build.name}.built")


def _try(path: Path) -> int | None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle

# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders that go with their owner. Who was killed couldn't remove his: the next one does."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

_LOCK = "owner.lock"
_OURS = "kbisect-"
_MAKING = 60
"""Seconds for which a folder may be without its lock: it is being made."""


@contextmanager
def folder(kind: str) -> Iterator[Path]:
    """Give a folder named after what it is for, with the system's temporary files."""
    path, remove = make(kind)
    try:
        yield path
    finally:
        remove()


def make(kind: str, place: Path | None = None) -> tuple[Path, Callable[[], None]]:
    """Make a folder, and return it with what removes it.

    Parameters
    ----------
    kind : what it is for: `kbisect-KIND-` begins its name
    place : where it is made, if not with the system's temporary files
    """
    place = place or Path(tempfile.gettempdir())
    _clear_up(kind, place)
    path = Path(tempfile.mkdtemp(prefix=f"{_OURS}{kind}-", dir=place))
    # Not inherited: what we start must not seem to be the owner.
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return path, partial(_remove, path, lock)


def _remove(path: Path, lock: int) -> None:
    shutil.rmtree(path, ignore_errors=True)
    os.close(lock)


def _clear_up(kind: str, place: Path) -> None:
    """Remove what those left here who were killed: nobody holds its lock."""
    for path in place.glob(f"{_OURS}{kind}-*"):
        try:
            about = path.lstat()
            # Our own only, and no link: in a place for all it may lead anywhere.
            if about.st_uid != os.getuid() or not stat.S_ISDIR(about.st_mode):
                continue
            if time.time() - about.st_mtime < _MAKING and not (path / _LOCK).exists():
                continue
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            continue  # somebody else was quicker
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
        else:
            _remove(path, lock)

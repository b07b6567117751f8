# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal's file, and the folder of a campaign around it.

`<store>/campaigns/current/` holds the campaign that is open, or the one that ended last:
`journal.jsonl`, the script's copy, and a folder a step. The next campaign moves it aside.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kbisect.bisect import events
from kbisect.bisect.events import Event, Started
from kbisect.bisect.state import State, fold
from kbisect.errors import UsageError
from kbisect.lab import script as scripts
from kbisect.lab.script import Script

KEPT = 20
"""Campaigns that are kept, beside the current one."""


class Journal:
    """An append-only file of events; the state is their fold."""

    def __init__(self, path: Path) -> None:
        self.path = path
        content = path.read_bytes() if path.exists() else b""
        text = content.decode("utf-8", "replace")
        self.events, self.cut = events.load(text)
        self._good = content.rfind(b"\n") + 1
        """Bytes of the file that are whole lines."""

    @property
    def state(self) -> State:
        """What the events add up to."""
        state = fold(self.events)
        if state is None:
            raise UsageError(
                f"the journal {self.path} is empty", hint="start anew: kbisect bisect reset"
            )
        return state

    def append(self, event: Event) -> None:
        """Write one event. It is on the disk when this returns, or not in the file at all."""
        line = events.encode(event).encode("ascii")
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.ftruncate(handle, self._good)
            try:
                os.lseek(handle, 0, os.SEEK_END)
                written = 0
                while written < len(line):
                    written += os.write(handle, line[written:])
                os.fsync(handle)
            except OSError as error:
                os.ftruncate(handle, self._good)
                raise OSError(error.errno, error.strerror, str(self.path)) from None
        finally:
            os.close(handle)
        self._good += len(line)
        self.events.append(event)
        self.cut = ""


class Campaigns:
    """The campaigns of one store."""

    def __init__(self, store: Path) -> None:
        self.folder = store / "campaigns"
        self.current = self.folder / "current"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only kbisect that writes a campaign here.

        Raises
        ------
        UsageError
            Another one does.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if not _soon(handle):
                pid = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
                raise UsageError(
                    f"another kbisect (process {pid}) is at work on this campaign",
                    hint="watch it with `kbisect bisect status --watch`, or use another --store",
                )
            # Only for the message above, so a full disk may leave it empty.
            with contextlib.suppress(OSError):
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(handle)

    @property
    def holder(self) -> int | None:
        """The process that writes a campaign here now, None if none does."""
        try:
            handle = os.open(self.folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            said = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            return int(said) if said.isdigit() else None
        finally:
            os.close(handle)
        return None

    def open(self) -> Journal | None:
        """Return the current campaign's journal, None without one."""
        path = self.current / "journal.jsonl"
        return Journal(path) if path.exists() else None

    def begin(self, started: Started, script: Script | None = None) -> Journal:
        """Make a campaign's folder, whole or not at all, and move the last one aside."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob("new-*"):  # by a kill
            shutil.rmtree(left, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix="new-", dir=self.folder))
        try:
            if script is not None and script.copied:
                scripts.copy(script, new / "script")
            Journal(new / "journal.jsonl").append(started)
            self.archive()
            new.rename(self.current)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        return Journal(self.current / "journal.jsonl")

    def discard(self) -> None:
        """Remove the current campaign, which could not be begun as it was meant."""
        shutil.rmtree(self.current, ignore_errors=True)

    def archive(self) -> Path | None:
        """Move the current campaign aside, under the next number; the last twenty are kept."""
        if not self.current.exists():
            return None
        taken = [int(path.name) for path in self.folder.iterdir() if path.name.isdigit()]
        place = self.folder / f"{max(taken, default=0) + 1:04d}"
        self.current.rename(place)
        for number in sorted(taken)[: -(KEPT - 1)]:
            shutil.rmtree(self.folder / f"{number:04d}", ignore_errors=True)
        return place


def _soon(handle: int) -> bool:
    """Take the lock; somebody who only asks whether it is held has it for a moment."""
    for _ in range(10):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False

# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot a guest, wait for its end, and learn what it reported."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kbisect.errors import EnvironmentProblem
from kbisect.lab import limits, qemu
from kbisect.lab.limits import Ended
from kbisect.lab.qemu import Guest

NO_REPORT = 255
"""What `lab qemu --run` leaves with when a guest ends without a report, as virtme-ng does."""
HUNG = 124
LOST = 128
"""QEMU itself failed or was killed: that says nothing of the commit."""
_PORT = re.compile(rb"^status (\d{1,3})\s*$", re.MULTILINE)
_ENDED = re.compile(rb"^ended \d+$", re.MULTILINE)
_STARTED = re.compile(rb"^(?:started|status \d+)\s*$", re.MULTILINE)
_TAIL = 1 << 20
_FAREWELL = 5.0
"""Seconds that a guest gets to power off once it has reported: some can't."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a guest reported, and how QEMU ended."""

    status: int | None
    ended: Ended

    @property
    def exit_code(self) -> int:
        """What a script that runs this guest should leave with."""
        if self.status is not None:
            return min(self.status, 125)
        if self.ended.timed_out:
            return HUNG
        return LOST if self.ended.exit_code else NO_REPORT


def boot(guest: Guest, log: Path, timeout: float | None = None) -> Reported:
    """Boot a guest and wait for its end; QEMU's own words go to `log`.

    Raises
    ------
    EnvironmentProblem
        There is no such kernel, or no QEMU.
    """
    for path in (guest.kernel, guest.initrd):
        if path is not None and not path.is_file():
            raise EnvironmentProblem(
                f"there is no {path} to boot", hint="build it first, or correct its path"
            )
    qemu.emulator(guest.arch)
    guest.status.write_bytes(b"")
    ended = limits.run(
        qemu.command(guest),
        cwd=Path.cwd(),
        env={"PATH": os.environ.get("PATH", os.defpath)},
        output=log,
        timeout=timeout,
        watched=[guest.console],
        seen=_settled(guest),
    )
    reported = Reported(status(guest), ended)
    with guest.status.open("ab") as file:
        file.write(b"ended %d\n" % reported.exit_code)
    return reported


def status_file(folder: Path) -> Path:
    """Return where a step keeps what its guest reported."""
    return folder / "guest-status.txt"


def has_started(folder: Path) -> bool:
    """Whether a step's guest got as far as user space: it said `started`, or how it went."""
    return _said(folder, _STARTED)


def has_ended(folder: Path) -> bool:
    """Whether what booted a step's guest saw its end; else it failed itself."""
    return _said(folder, _ENDED)


def status(guest: Guest) -> int | None:
    """Return what a guest reported, None if it didn't; what it said last counts."""
    found = _PORT.findall(guest.status.read_bytes()) if guest.status.exists() else []
    if not found and guest.mark:
        marked = re.compile(rb"kbisect-status %s (\d{1,3})\b" % guest.mark.encode())
        found = marked.findall(_tail(guest.console))
    return int(found[-1]) if found else None


def _said(folder: Path, what: re.Pattern[bytes]) -> bool:
    try:
        return bool(what.search(status_file(folder).read_bytes()))
    except OSError:
        return False


def _settled(guest: Guest) -> Callable[[], bool]:
    """Return what tells whether a guest reported, some seconds ago."""
    since: float | None = None

    def seen() -> bool:
        nonlocal since
        if since is None and status(guest) is not None:
            since = time.monotonic()
        return since is not None and time.monotonic() - since >= _FAREWELL

    return seen


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return file.read()
    except OSError:
        return b""

# SPDX-License-Identifier: GPL-2.0-or-later
"""What this machine can do: each tool is tried, not looked for by name alone."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kbisect import temporary
from kbisect.lab import kvm, room
from kbisect.lab.kvm import Kvm
from kbisect.lab.qemu import MEMORY

_LIMIT = 10
"""Seconds that a tool gets to say its version."""
_ROOM = 2 << 30
"""Bytes that a worktree, a build and a few consoles take."""


class Health(StrEnum):
    """How it stands with one thing."""

    OK = "ok"
    LIMITED = "limited"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried. `hint` is what to do about it, empty when all is well."""

    name: str
    health: Health
    detail: str
    hint: str = ""
    needed: bool = True


def examine(store: Path) -> Iterator[Check]:
    """Try everything that the lab uses.

    Parameters
    ----------
    store : the folder whose disk will be filled; need not exist
    """
    yield _tool("git", "git", "--version", "git")
    machine = platform.machine()
    emulator = f"qemu-system-{machine}"
    qemu = _tool(
        "QEMU", emulator, "--version", "qemu-system-x86" if "x86" in machine else "qemu-system"
    )
    yield qemu
    yield (
        _kvm(emulator)
        if qemu.health is Health.OK
        else Check("KVM", Health.LIMITED, "not tried, for lack of QEMU", qemu.hint, needed=False)
    )
    yield _compiler()
    yield _tool("make", "make", "--version", "make")
    yield _busybox()
    yield _tool("cpio", "cpio", "--version", "cpio")
    yield _dask()
    yield _disk(store)
    yield _room()


def _tool(name: str, command: str, flag: str, package: str) -> Check:
    hint = f"apt install {package}"
    if shutil.which(command) is None:
        return Check(name, Health.MISSING, f"there is no {command}", hint)
    done = _run([command, flag])
    if done is None or done.returncode:
        return Check(name, Health.MISSING, f"{command} {flag} doesn't work", hint)
    lines = (done.stdout or done.stderr).decode("utf-8", "replace").splitlines()
    return Check(name, Health.OK, lines[0].strip() if lines else command)


def _compiler() -> Check:
    found = _tool("compiler", "gcc", "--version", "gcc")
    if found.health is not Health.OK:
        return found
    with temporary.folder("doctor") as place:
        source = place / "probe.c"
        source.write_text("int probe(void) { return 0; }\n")
        done = _run(["gcc", "-c", str(source), "-o", str(source.with_suffix(".o"))])
    if done is None or done.returncode:
        return Check("compiler", Health.MISSING, "gcc can't compile", "apt install build-essential")
    return found


def _busybox() -> Check:
    """Alone in an initramfs, a busybox that needs libraries can't start."""
    where = shutil.which("busybox")
    hint = "apt install busybox-static"
    if where is None:
        return Check("busybox", Health.MISSING, "there is no busybox", hint)
    with Path(where).open("rb") as file:
        content = file.read(1 << 16)
    if b"ld-linux" in content or b"ld-musl" in content:
        return Check("busybox", Health.MISSING, f"{where} is not static", hint)
    done = _run([where])
    words = done.stdout.decode("utf-8", "replace").splitlines() if done else []
    return Check("busybox", Health.OK, words[0].strip() if words else where)


def _kvm(emulator: str) -> Check:
    found = kvm.probe(emulator)
    if found is Kvm.WORKS:
        return Check("KVM", Health.OK, "a guest ran", needed=False)
    hint = {
        Kvm.ABSENT: "switch virtualisation on in the firmware, or for this guest by its host",
        Kvm.FORBIDDEN: "join the group: sudo adduser $USER kvm",
        Kvm.UNTRIED: "",
    }.get(found, "nothing to install; on a virtual machine ask for nested virtualisation")
    how = found if found is Kvm.UNTRIED else f"{found}: guests are emulated, ten times slower"
    return Check("KVM", Health.LIMITED, how, hint, needed=False)


def _dask() -> Check:
    try:
        import distributed
    except ImportError:
        return Check(
            "Dask",
            Health.LIMITED,
            "not installed: no --scheduler",
            "pip install 'kbisect[dask]'",
            needed=False,
        )
    version = getattr(distributed, "__version__", "of an unknown version")
    return Check("Dask", Health.OK, f"distributed {version}", needed=False)


def _disk(store: Path) -> Check:
    place = store
    while not place.exists():
        place = place.parent
    hint = "free some space, or keep kbisect's data elsewhere with --store DIR"
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"kbisect")
    except OSError as error:
        return Check("disk", Health.LIMITED, f"{place}: {error.strerror}", hint, needed=False)
    free = shutil.disk_usage(place).free
    detail = f"{free / (1 << 30):.1f} GiB free at {place}"
    if free >= _ROOM:
        return Check("disk", Health.OK, detail, needed=False)
    return Check("disk", Health.LIMITED, detail, hint, needed=False)


def _room() -> Check:
    """Say how many kernels this machine can build and boot at a time."""
    found = room.here()
    need = room.BUILD + room.size(MEMORY)
    detail = (
        f"{found.cores} processors, {found.memory / room.GIB:.1f} GiB free: "
        f"--workers {found.best(need)} for builds and guests"
    )
    return Check("room", Health.OK, detail, needed=False)


def _run(
    command: list[str], limit: float | None = None
) -> subprocess.CompletedProcess[bytes] | None:
    """Run a command; None when it can't be started or doesn't end."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit or _LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None

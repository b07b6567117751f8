# SPDX-License-Identifier: GPL-2.0-or-later
"""What this machine can do: each tool is tried, not looked for by name alone."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_LIMIT = 10
"""Seconds that a tool gets to say its version."""
_KVM_LIMIT = 3
_ROOM = 2 << 30
"""Bytes that a worktree, a build and a few consoles take."""

# A boot sector that counts 2^28 down, a moment's work for a processor, and leaves:
# mov $0x10000000,%ecx; 1: dec %ecx; jnz 1b; mov $0x10,%al; out %al,$0xf4; hlt.
# What is written to the exit port, v, ends QEMU with 2v + 1.
_PROBE = bytes.fromhex("66b900000010 6649 75fc b010 e6f4 f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"


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
    with tempfile.TemporaryDirectory(prefix="kbisect-doctor-") as place:
        source = Path(place, "probe.c")
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
    """Let a guest of some bytes count, and say when it is done.

    A /dev/kvm that opens proves nothing, nor does one that runs a few instructions: seen was one
    that interprets them all, where a kernel prints nothing for ever.
    """
    name, emulated = "KVM", "guests are emulated, ten times slower"
    if not Path("/dev/kvm").exists():
        hint = "switch virtualisation on in the firmware, or for this guest by its host"
        return Check(name, Health.LIMITED, f"no /dev/kvm: {emulated}", hint, needed=False)
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        hint = "join the group: sudo adduser $USER kvm"
        return Check(name, Health.LIMITED, f"no access to /dev/kvm: {emulated}", hint, needed=False)
    if platform.machine() != "x86_64":
        return Check(name, Health.LIMITED, "/dev/kvm is there; not tried", "", needed=False)
    with tempfile.TemporaryDirectory(prefix="kbisect-doctor-") as place:
        disk = Path(place, "probe")
        disk.write_bytes(_PROBE)
        done = _run(
            [
                *(emulator, "-accel", "kvm", "-m", "16M", "-nodefaults", "-display", "none"),
                *("-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"),
                *("-drive", f"file={disk},format=raw,snapshot=on"),
            ],
            _KVM_LIMIT,
        )
    if done is not None and done.returncode == 33:
        return Check(name, Health.OK, "a guest ran", needed=False)
    how = "no guest gets anywhere" if done is None else "no guest can be started"
    hint = "nothing to install; on a virtual machine ask for nested virtualisation"
    return Check(
        name, Health.LIMITED, f"/dev/kvm is there but {how}: {emulated}", hint, needed=False
    )


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
    free = shutil.disk_usage(place).free
    detail = f"{free / (1 << 30):.1f} GiB free at {place}"
    if free >= _ROOM:
        return Check("disk", Health.OK, detail, needed=False)
    hint = "free some space, or keep kbisect's data elsewhere with --store DIR"
    return Check("disk", Health.LIMITED, detail, hint, needed=False)


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

# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether KVM works: a guest of some bytes is run, within a time limit.

A /dev/kvm that opens proves nothing, nor does one that runs a few instructions: seen was one that
interprets them all, where a kernel prints nothing for ever.
"""

from __future__ import annotations

import os
import platform
import subprocess
from enum import StrEnum
from pathlib import Path

LIMIT = 3.0
"""Seconds that the guest gets; it needs a tenth of one."""
DEVICE = Path("/dev/kvm")
ANSWER = "kvm"
"""Name of the file that keeps what came of it."""

# A boot sector that counts 2^28 down, a moment's work for a processor, and leaves:
# mov $0x10000000,%ecx; 1: dec %ecx; jnz 1b; mov $0x10,%al; out %al,$0xf4; hlt.
# What is written to the exit port, v, ends QEMU with 2v + 1.
_PROBE = bytes.fromhex("66b900000010 6649 75fc b010 e6f4 f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
_PASSED = 33


class Kvm(StrEnum):
    """What came of it."""

    WORKS = "works"
    ABSENT = "no /dev/kvm"
    FORBIDDEN = "no access to /dev/kvm"
    UNTRIED = "/dev/kvm is there; not tried"
    HANGS = "/dev/kvm is there but no guest gets anywhere"
    FAILS = "/dev/kvm is there but no guest can be started"


def probe(emulator: str, limit: float = LIMIT) -> Kvm:
    """Try it.

    Parameters
    ----------
    emulator : a QEMU of this machine's own architecture
    """
    if not DEVICE.exists():
        return Kvm.ABSENT
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return Kvm.FORBIDDEN
    if platform.machine() != "x86_64":
        return Kvm.UNTRIED
    disk = os.memfd_create("probe")  # a file would stay behind if we were killed now
    command = [
        *(emulator, "-accel", "kvm", "-m", "16M", "-nodefaults", "-display", "none"),
        *("-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"),
        *("-drive", f"file=/proc/self/fd/{disk},format=raw"),
    ]
    try:
        os.write(disk, _PROBE)
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            check=False,
            pass_fds=(disk,),
        )
    except subprocess.TimeoutExpired:
        return Kvm.HANGS
    except OSError:
        return Kvm.FAILS
    finally:
        os.close(disk)
    return Kvm.WORKS if done.returncode == _PASSED else Kvm.FAILS


def remembered(emulator: str, folder: Path | None) -> Kvm:
    """Try it once in a boot of this machine.

    Parameters
    ----------
    folder : where the answer is kept; None to try every time
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    kept = folder / ANSWER if folder is not None else None
    if kept is not None:
        try:
            at, _, said = kept.read_text("utf-8").partition(" ")
            if at == boot:
                return Kvm(said)
        except (OSError, ValueError):
            pass
    found = probe(emulator)
    if kept is not None:
        kept.write_text(f"{boot} {found}", "utf-8")
    return found

# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's command line for a guest that boots a kernel, tests, and says how it went.

The guest reports over a virtio port named `PORT`: the line `started` once it is in user space, and
`status N` at the end, N as a script would exit. One without the driver prints
`kbisect-status MARK N` on its console instead, where MARK is `kbisect.mark=` of its command line:
text alone proves nothing, for anything may print it. A panic reboots at once (panic=-1), and a
reboot ends QEMU (-no-reboot), with exit status 0; so QEMU's own status is never the verdict.
"""

from __future__ import annotations

import platform
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from kbisect.errors import EnvironmentProblem, UsageError

PORT = "org.kbisect.status"
MEMORY = "512M"
"""Of a guest, as QEMU takes it, where nobody says."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What differs between architectures."""

    name: str
    emulator: str
    package: str
    machine: str
    console: str
    serial: str
    native: str
    """What `uname -m` says on such a machine."""


MACHINES = {
    "x86_64": Machine(
        "x86_64",
        emulator="qemu-system-x86_64",
        package="qemu-system-x86",
        machine="pc",
        console="ttyS0",
        serial="virtio-serial-pci",
        native="x86_64",
    ),
    "arm64": Machine(
        "arm64",
        emulator="qemu-system-aarch64",
        package="qemu-system-arm",
        machine="virt",
        console="ttyAMA0",
        serial="virtio-serial-device",
        native="aarch64",
    ),
}


@dataclass(frozen=True, slots=True)
class Guest:
    """What to boot.

    Attributes
    ----------
    append : more of the kernel's command line
    memory : as QEMU takes it, `512M`
    console, status : files for the serial console and for what the virtio port brings
    mark : of a status line on the console
    network : give it QEMU's own network, from which nothing leads out unless `open_network`
    extra : more words for QEMU
    """

    kernel: Path
    initrd: Path | None = None
    append: str = ""
    memory: str = MEMORY
    cpus: int = 1
    arch: str = "x86_64"
    kvm: bool = False
    console: Path = Path("console.txt")
    status: Path = Path("status.txt")
    mark: str = ""
    network: bool = False
    open_network: bool = False
    extra: tuple[str, ...] = ()


def here() -> str:
    """Return the name of this machine's architecture, as `MACHINES` has it."""
    for name, machine in MACHINES.items():
        if machine.native == platform.machine():
            return name
    return "x86_64"


def new_mark() -> str:
    """Return a mark that no console has by chance."""
    return secrets.token_hex(8)


def emulator(arch: str) -> str:
    """Return the emulator of an architecture.

    Raises
    ------
    EnvironmentProblem
        It isn't installed.
    """
    machine = _machine(arch)
    if shutil.which(machine.emulator) is None:
        raise EnvironmentProblem(
            f"there is no {machine.emulator}", hint=f"apt install {machine.package}"
        )
    return machine.emulator


def command(guest: Guest) -> tuple[str, ...]:
    """Return the command line, which dies with the process that starts it.

    Raises
    ------
    UsageError
        An unknown architecture, or a path with a comma, which QEMU takes for an option's end.
    """
    machine = _machine(guest.arch)
    for path in (guest.console, guest.status):
        if "," in str(path):
            raise UsageError(f"QEMU can't write to {path}", hint="choose a path without a comma")
    accel, cpu = ("kvm", "host") if guest.kvm else ("tcg", "max")
    line = f"console={machine.console} panic=-1 oops=panic kbisect.mark={guest.mark}"
    network: tuple[str, ...] = ("-nic", "none")
    if guest.network:
        closed = "" if guest.open_network else ",restrict=on"
        network = ("-nic", f"user,model=virtio-net-pci{closed}")
    return (
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *(machine.emulator, "-machine", machine.machine, "-accel", accel, "-cpu", cpu),
        *("-m", guest.memory, "-smp", str(guest.cpus)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", *network),
        *("-chardev", f"file,id=console,path={guest.console}", "-serial", "chardev:console"),
        *("-device", machine.serial),
        *("-chardev", f"file,id=status,path={guest.status}"),
        *("-device", f"virtserialport,chardev=status,name={PORT}"),
        *("-kernel", str(guest.kernel)),
        *(("-initrd", str(guest.initrd)) if guest.initrd is not None else ()),
        *("-append", f"{line} {guest.append}".strip()),
        *guest.extra,
    )


def _machine(arch: str) -> Machine:
    if arch not in MACHINES:
        raise UsageError(
            f"unknown architecture: {arch}", hint=f"one of {', '.join(sorted(MACHINES))}"
        )
    return MACHINES[arch]

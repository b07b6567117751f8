# SPDX-License-Identifier: GPL-2.0-or-later
"""Examples of every command, as help, man pages and the reference show them.

The tests run them, in this order, on the fixture of the network trees. Its releases and branches
are named as the kernel's, so most can be pasted into a clone of the kernel; ids are the fixture's.
"""

from __future__ import annotations

import click

EXAMPLES: dict[str, tuple[str, ...]] = {
    "clone": ("kbisect clone --list",),
    "index": ("kbisect index", "kbisect index --tree mine=HEAD"),
    "show": ("kbisect show v3.12", "kbisect show HEAD~3 --json"),
    "query": (
        "kbisect query --list",
        "kbisect query fixes -p path='net/ipv4/%'",
        "kbisect query --sql 'SELECT release, count(*) FROM commits GROUP BY 1' --format csv",
    ),
    "graph": ("kbisect graph v3.11..v3.12 --format dot",),
    "releases": ("kbisect releases",),
    "history": (
        "kbisect history net/ipv4",
        "kbisect history net/ipv4 --since v3.12 --format html > ipv4.html",
    ),
    "window": ("kbisect window", "kbisect window --at 2013-11-10"),
    "bisect run": (
        "kbisect bisect run --good v3.11 --bad v3.12 -- sh -c '! grep -rq rx_frames include'",
        "kbisect bisect run --no-checkout --good v3.11 --bad v3.12"
        " -- sh -c '! git merge-base --is-ancestor v3.12-rc2 $KBISECT_COMMIT'",
    ),
    "bisect report": ("kbisect bisect report", "kbisect bisect report --format mail"),
    "bisect confirm": ("kbisect bisect confirm",),
    "bisect start": ("kbisect bisect start v3.12 v3.11",),
    "bisect good": ("kbisect bisect good",),
    "bisect bad": ("kbisect bisect bad v3.12-rc3",),
    "bisect skip": ("kbisect bisect skip",),
    "bisect undo": ("kbisect bisect undo",),
    "bisect status": ("kbisect bisect status --why",),
    "bisect log": ("kbisect bisect log > bisect.log",),
    "bisect reset": ("kbisect bisect reset",),
    "bisect replay": ("kbisect bisect replay bisect.log",),
    "bisect simulate": (
        "kbisect bisect simulate --good v3.11 --bad v3.12 --trials 20",
        "kbisect bisect simulate --range-size 256 --repro 0.5 --trials 5",
    ),
    "api diff": (
        "kbisect api diff v3.11 v3.12",
        "kbisect api diff v3.12 v3.13 --struct sk_buff --breaking-only",
        "kbisect api diff HEAD --worktree",
    ),
    "api show": ("kbisect api show sk_buff --at v3.12",),
    "api history": ("kbisect api history sk_buff",),
    "api xref": ("kbisect api xref sk_buff v3.12",),
    "api check": ("kbisect api check net/core --from v3.11 --to v3.12",),
    "api explain": (
        "make 2>&1 | kbisect api explain -",
        "kbisect api explain \"'struct sk_buff' has no member named 'rxhash'\"",
    ),
    "api where": ("kbisect api where \"'struct sk_buff' has no member named 'rxhash'\"",),
    "api probe": ("kbisect api probe 'field hash of sk_buff'",),
    "backport list": (
        "kbisect backport list linux-3.12.y",
        "kbisect backport list linux-3.12.y --path net/core --json",
    ),
    "backport matrix": ("kbisect backport matrix v3.12 linux-3.12.y",),
    "backport explain": ("kbisect backport explain dea338025cdd linux-3.12.y",),
    "backport watch": ("kbisect backport watch linux-3.12.y",),
    "backport emit": (
        "kbisect backport emit linux-3.12.y > take.sh",
        "kbisect backport emit linux-3.12.y 18608766dab3 --format mbox > series.mbox",
    ),
    "backport pick": ("kbisect backport pick linux-3.12.y 18608766dab3 --branch try-3.12",),
    "patch read": ("kbisect patch read wireless",),
    "patch check": ("kbisect patch check wireless",),
    "patch maintainers": ("kbisect patch maintainers net/core/dev.c --at v3.12",),
    "patch apply": ("kbisect patch apply wireless --onto linux-3.12.y",),
    "patch revert": ("kbisect patch revert wireless --onto net",),
    "patch rebase": ("kbisect patch rebase wireless~1..wireless --onto net-next",),
    "patch mail": ("kbisect patch mail wireless~1..wireless -o outgoing",),
    "lab qemu": ("kbisect lab qemu --kernel bzImage --initrd test.cpio --memory 1G",),
    "lab step": ("kbisect lab step v3.12 -- test -e net/core/dev.c",),
    "schema": ("kbisect schema", "kbisect schema api diff"),
    "completion": ("kbisect completion bash",),
    "doctor": ("kbisect doctor",),
}
"""Command, without `kbisect`, to the lines that show it."""

UNTRIED: dict[str, tuple[str, ...]] = {
    "clone": ("kbisect clone ~/src/linux", "kbisect clone ~/src/linux --tree wireless"),
    "sync": ("kbisect sync",),
    "bisect run": (
        "kbisect bisect run --good v6.1 --bad v6.2 --timeout 600 --suspect net/ipv4 ./test.sh",
    ),
    "lab step": ("git bisect run kbisect lab step HEAD --recipe mcast.toml",),
}
"""What can't be tried on the fixture: it needs the network, or a kernel of one's own."""


def attach(command: click.Command, path: tuple[str, ...]) -> None:
    """Put the examples below the help of a command, and of all below it."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            attach(below, (*path, name))
        return
    lines = of(path)
    if lines:
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def of(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the examples of a command; a short name has those of the long one."""
    name = " ".join(path)
    if name not in EXAMPLES and name not in UNTRIED:
        name = f"bisect {name}"
    return EXAMPLES.get(name, ()) + UNTRIED.get(name, ())

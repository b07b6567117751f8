# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel reports, recognised and named alike on two boots."""

from pathlib import Path

import pytest

from kbisect.lab import console

CONSOLES = Path(__file__).parents[2] / "fixtures" / "consoles"
NETLAB = Path(__file__).parents[2] / "fixtures" / "netlab"


@pytest.mark.parametrize(
    ("text", "fingerprint", "is_fatal"),
    [
        (
            "BUG: kernel NULL pointer dereference, address: 0000000000000b58\n"
            "Oops: 0000 [#1] PREEMPT SMP NOPTI\n"
            "RIP: 0010:netlab_get_stats64+0x19/0x80 [netlab]\n",
            "NULL dereference in netlab_get_stats64",
            True,
        ),
        (
            "BUG: unable to handle page fault for address: ffffc90000a5b000\n"
            "RIP: 0010:memcpy_erms.constprop.0+0x6/0x10\n",
            "paging request in memcpy_erms",
            True,
        ),
        (
            "BUG: unable to handle kernel paging request at 00a31c47\n"
            "IP: [<c1234567>] tcp_v4_rcv+0x1/0x2\n"
            "EIP is at tcp_v4_rcv+0x1/0x2\n",
            "paging request in tcp_v4_rcv",
            True,
        ),
        (
            "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008\n"
            "Internal error: Oops: 96000005 [#1] SMP\n"
            "pc : ip_rcv+0x20/0x100\n",
            "paging request in ip_rcv",
            True,
        ),
        (
            "kernel BUG at net/core/skbuff.c:113!\nRIP: 0010:skb_panic+0x48/0x4a\n",
            "BUG in net/core/skbuff.c",
            True,
        ),
        (
            "BUG: KASAN: slab-out-of-bounds in tcp_ack+0x12/0x34\nRead of size 8 at addr ff\n",
            "KASAN in tcp_ack",
            True,
        ),
        (
            "general protection fault, probably for non-canonical address 0xdead: 0000 [#1]\n"
            "RIP: 0010:fib_rules_lookup+0x1/0x2\n",
            "general protection fault in fib_rules_lookup",
            True,
        ),
        (
            "WARNING: CPU: 0 PID: 1 at net/core/dev.c:99 dev_open+0x10/0x20\n",
            "WARNING in dev_open",
            False,
        ),
        (
            "WARNING: CPU: 1 PID: 7 at net/core/dev.c:9 dev_close+0x1/0x2 [x]\n"
            "Kernel panic - not syncing: panic_on_warn set ...\n",
            "WARNING in dev_close",
            True,
        ),
        (
            "rcu: INFO: rcu_sched self-detected stall on CPU\nRIP: 0010:netlab_poll+0x1/0x2\n",
            "RCU stall in netlab_poll",
            False,
        ),
        (
            "INFO: task ip:77 blocked for more than 120 seconds.\n schedule+0x1/0x2\n"
            " rtnl_lock+0x1/0x2\n",
            "hung task in rtnl_lock",  # every task waits in the scheduler
            False,
        ),
        (
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [ping:80]\n"
            "RIP: 0010:netlab_xmit+0x1/0x2\n",
            "soft lockup in netlab_xmit",
            False,
        ),
        (
            "BUG: sleeping function called from invalid context at mm/slab.c:1\n",
            "BUG in sleeping function called from invalid context at mm",
            False,
        ),
        (
            "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n",
            "panic in VFS: Unable to mount root fs on unknown-block(N,N)",
            True,
        ),
    ],
)
def test_fingerprints(text: str, fingerprint: str, is_fatal: bool) -> None:
    stamped = "".join(
        f"[{i:5}.123456][    T1] {line}\r\n" for i, line in enumerate(text.split("\n"))
    )
    for form in (text, stamped):
        found = console.reports(form.splitlines())
        assert found[0].fingerprint == fingerprint
        fatal = console.fatal(found)
        assert (fatal is not None) == is_fatal
        assert fatal is None or fatal.fingerprint == fingerprint


def test_a_panic_after_an_oops_is_the_oops() -> None:
    crash = console.fatal(console.read(NETLAB / "console-crash.log"))
    assert crash is not None
    assert crash.fingerprint == "NULL dereference in netlab_get_stats64"


def test_a_warning_before_a_panic_of_its_own_is_not_the_panic() -> None:
    text = (
        "WARNING: CPU: 0 PID: 1 at a.c:1 early+0x1/0x2\n"
        "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n"
    )
    crash = console.fatal(console.reports(text.splitlines()))
    assert crash is not None
    assert crash.kind == "panic"


def test_a_healthy_console_has_none() -> None:
    assert console.read(NETLAB / "console-good.log") == []
    make = "warning: unused variable 'x'\nBUGFIX: 3\nOops, no\n make: *** Error 1\nDEBUG: x"
    assert console.reports(make.splitlines()) == []


def test_a_line_without_end_and_a_file_that_is_absent(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 10_000_000 + b"\xff\n")
    assert console.read(tmp_path / "long", tmp_path / "absent") == []


@pytest.mark.parametrize(
    ("shape", "fingerprints", "fatal"),
    [
        ("pass", [], None),
        ("marked", [], None),
        ("ktap", [], None),
        ("warn", ["WARNING in breaker_warn"], None),
        ("bug", ["BUG in breaker.c", "panic in Fatal exception"], "BUG in breaker.c"),
        ("null", ["NULL dereference in breaker_read"], "NULL dereference in breaker_read"),
        ("paging", ["paging request in breaker_read"], "paging request in breaker_read"),
        (
            "gpf",
            ["general protection fault in breaker_read"],
            "general protection fault in breaker_read",
        ),
        ("divide", ["divide error in breaker_divide"], "divide error in breaker_divide"),
        ("atomic", ["BUG in scheduling while atomic"], None),
        ("panic", ["panic in breaker: asked to panic"], "panic in breaker: asked to panic"),
        ("sysrq-panic", ["panic in sysrq triggered crash"], "panic in sysrq triggered crash"),
        ("oom", ["out of memory in tail"], None),
        ("hung-task", ["hung task in breaker_wait"], None),
        ("rcu-stall", ["RCU stall in breaker_spin"], None),
        ("soft-lockup", ["soft lockup in breaker_spin"], None),
        (
            "no-init",
            ["panic in VFS: Unable to mount root fs on unknown-block(N,N)"],
            "panic in VFS: Unable to mount root fs on unknown-block(N,N)",
        ),
    ],
)
def test_consoles_of_real_boots(shape: str, fingerprints: list[str], fatal: str | None) -> None:
    found = console.read(CONSOLES / f"{shape}.log")
    assert [report.fingerprint for report in found][: len(fingerprints)] == fingerprints
    assert bool(found) == bool(fingerprints)
    ended = console.fatal(found)
    assert (ended.fingerprint if ended else None) == fatal


def test_the_first_frames_of_a_trace() -> None:
    found = console.read(CONSOLES / "null.log")[0]
    assert found.frames == (
        *("breaker_init", "do_one_initcall", "do_init_module"),
        *("__do_sys_finit_module", "do_syscall_64"),
    )


def test_a_console_is_read_as_it_grows(tmp_path: Path) -> None:
    """In pieces that end anywhere; nothing is said before it is there."""
    text = (CONSOLES / "null.log").read_bytes()
    path = tmp_path / "console"
    watch = console.Watch(path)
    said = []
    with path.open("wb", buffering=0) as file:
        for at in range(0, len(text), 97):
            file.write(text[at : at + 97])
            said.append(watch.look())
    assert said[0] is None
    assert said[-1] is not None
    assert said[-1].fingerprint == "NULL dereference in breaker_read"


@pytest.mark.parametrize("shape", sorted(path.stem for path in CONSOLES.glob("*.log")))
def test_passing_over_lines_misses_nothing(shape: str, tmp_path: Path) -> None:
    """Amid megabytes of other output, and with bytes that are no text, the reports are the same."""
    path = CONSOLES / f"{shape}.log"
    lines = path.read_text("utf-8", "replace").splitlines()
    loud = tmp_path / "loud.log"
    noise = b"\xff BU G: nothing to see, but much of it\n" * 60_000
    loud.write_bytes(noise + path.read_bytes() + b"\n" + noise)
    assert console.read(loud) == console.read(path) == console.reports(lines)

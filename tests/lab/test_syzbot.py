# SPDX-License-Identifier: GPL-2.0-or-later
"""A syzbot title names the crash that a console of it shows; the consoles are of real boots."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.errors import UsageError
from kbisect.lab import console, recipe, syzbot
from tests.conftest import FIXTURES


@pytest.mark.parametrize(
    ("title", "shape"),
    [
        ("BUG: unable to handle kernel NULL pointer dereference in breaker_read", "null"),
        ("BUG: unable to handle kernel paging request in breaker_read (2)", "paging"),
        ("[syzbot] [net?] general protection fault in breaker_read", "gpf"),
        ("divide error in breaker_divide", "divide"),
        ("INFO: task hung in breaker_wait", "hung-task"),
        ("INFO: rcu detected stall in breaker_spin", "rcu-stall"),
        ("WARNING in breaker_warn (3)", "warn"),
    ],
)
def test_a_title_and_a_console_agree(title: str, shape: str) -> None:
    seen = console.read(FIXTURES / "consoles" / f"{shape}.log")
    assert syzbot.fingerprint(title) in {report.fingerprint for report in seen}


def test_kasan_as_the_kernel_prints_it() -> None:
    line = "[   5.1] BUG: KASAN: slab-use-after-free in tcp_foo+0x12/0x40"
    assert console.reports([line])[0].fingerprint == syzbot.fingerprint(
        "KASAN: slab-use-after-free Read in tcp_foo"
    )


@pytest.mark.parametrize("title", ["kernel BUG in skb_panic", "memory leak in foo", ""])
def test_a_title_that_no_console_shows_is_refused(title: str) -> None:
    with pytest.raises(UsageError, match="no fingerprint"):
        syzbot.fingerprint(title)


def test_in_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text('[test]\nrun = "true"\n[signature]\nsyzbot = "WARNING in foo (4)"\n')
    signature = recipe.load(path).signature
    assert signature is not None
    assert signature.crash == "WARNING in foo"

# SPDX-License-Identifier: GPL-2.0-or-later
"""KTAP and kselftest results, alone and on a console."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.lab import ktap
from kbisect.lab.ktap import Status

CONSOLES = Path(__file__).parents[2] / "fixtures" / "consoles"


def test_a_console_with_subtests() -> None:
    found = ktap.parse((CONSOLES / "ktap.log").read_text().split("\n"))
    assert found.planned == 3
    assert [(each.name, each.status) for each in found.top] == [
        ("netlab: send", Status.PASS),
        ("netlab: frames", Status.FAIL),
        ("netlab: offload", Status.SKIP),
    ]
    assert found.failed == ("large", "netlab: frames")
    assert ktap.exit_code([CONSOLES / "ktap.log"], "ktap") == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1..2\nok 1 a\nok 2 b\n", 0),
        ("1..2\nok 1 a\nnot ok 2 b\n", 1),
        # Cut off: nothing is known of the rest, unless one had failed.
        ("1..3\nok 1 a\nok 2 b\n", 125),
        ("1..3\nok 1 a\nnot ok 2 b\n", 1),
        ("1..2\nok 1 a # SKIP no device\nok 2 b # SKIP no device\n", 125),
        ("1..2\nok 1 a # SKIP no device\nok 2 b\n", 0),
        ("1..1\nnot ok 1 a # TODO known\n", 0),
        ("1..1\nnot ok 1 a # XFAIL\n", 0),
        # As kselftest indents what a program of its own printed.
        ("1..1\n# 1..2\n# ok 1 x\n# not ok 2 y\nnot ok 1 selftests: net: a.sh # exit=1\n", 1),
        ("[    1.5] 1..1\n[    1.6][  T12] ok 1 a\n", 0),
        ("nothing of this kind\n", 125),
        ("", 125),
    ],
)
def test_what_results_amount_to(text: str, code: int) -> None:
    assert ktap.judge(ktap.parse(text.split("\n"))) == code


def test_a_result_with_a_timeout_is_a_failure() -> None:
    assert ktap.judge(ktap.parse(["1..1", "not ok 1 selftests: net: a.sh # TIMEOUT 45 s"])) == 1

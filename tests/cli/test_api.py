# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands about the API: their help, and what an unindexed repository is told."""

from __future__ import annotations

import pytest

from tests.conftest import History, Run

COMMANDS = ("diff", "explain", "where", "check", "history", "show", "xref", "probe")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, kbisect: Run) -> None:
    done = kbisect("api", command, "--help")
    assert done.returncode == 0
    assert "--json" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("history", "sk_buff"),
        ("explain", "a.c:1:2: error: implicit declaration of function 'f'"),
        ("probe", "function f"),
    ],
)
def test_without_an_index_the_index_is_what_to_try(
    arguments: tuple[str, ...], small: History, kbisect: Run
) -> None:
    done = kbisect("-C", small.path, "api", *arguments)
    assert done.returncode == 2
    assert "try: kbisect index" in done.stderr
    assert done.stdout == ""


def test_a_revision_without_the_surface_has_no_change(small: History, kbisect: Run) -> None:
    done = kbisect("-C", small.path, "api", "diff", "HEAD~1", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "no change of the network API" in done.stdout
    done = kbisect("-C", small.path, "api", "show", "sk_buff", "--at", "HEAD")
    assert done.returncode == 2
    assert "try:" in done.stderr

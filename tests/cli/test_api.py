# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands about the API: their help, and what an unindexed repository is told."""

from __future__ import annotations

from pathlib import Path

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


def test_revisions_without_the_surface_are_not_said_to_be_alike(
    small: History, kbisect: Run
) -> None:
    done = kbisect("-C", small.path, "api", "diff", "HEAD~1", "HEAD")
    assert (done.returncode, done.stdout) == (2, "")
    assert "neither side has a header of the network API" in done.stderr
    done = kbisect("-C", small.path, "api", "show", "sk_buff", "--at", "HEAD")
    assert done.returncode == 2
    assert "try:" in done.stderr


def test_a_struct_or_header_that_never_was_is_an_error_with_the_nearest(
    tmp_path: Path, kbisect: Run
) -> None:
    for side, type_name in (("old", "int"), ("new", "long")):
        header = tmp_path / side / "include/linux/skbuff.h"
        header.parent.mkdir(parents=True)
        header.write_text(f"struct sk_buff {{\n\t{type_name} len;\n}};\n")
    sides = (tmp_path / "old", tmp_path / "new")
    done = kbisect("api", "diff", *sides, "--struct", "sk_buf")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean sk_buff?" in done.stderr
    done = kbisect("api", "diff", *sides, "--header", "linux/skbuf.h")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean linux/skbuff.h?" in done.stderr
    done = kbisect("api", "diff", *sides, "--struct", "sk_buff", "--format", "markdown")
    assert "field-retyped" in done.stdout


def test_a_struct_that_stayed_is_not_said_of_the_whole_surface(
    tmp_path: Path, kbisect: Run
) -> None:
    for side, type_name in (("old", "int"), ("new", "long")):
        header = tmp_path / side / "include/linux/skbuff.h"
        header.parent.mkdir(parents=True)
        header.write_text(f"struct sk_buff {{\n\tint len;\n}};\n{type_name} f(void);\n")
    sides = (tmp_path / "old", tmp_path / "new")
    done = kbisect("api", "diff", *sides, "--struct", "sk_buff")
    assert "no change of sk_buff " in done.stdout


def test_headers_below_a_path_count_when_asked_for(tmp_path: Path, kbisect: Run) -> None:
    for side, type_name in (("old", "int"), ("new", "long")):
        header = tmp_path / side / "drivers/net/acme/acme.h"
        header.parent.mkdir(parents=True)
        (tmp_path / side / "include").mkdir()
        header.write_text(f"struct acme {{\n\t{type_name} ring;\n}};\n")
    sides = (tmp_path / "old", tmp_path / "new")
    assert "--path DIR" in kbisect("api", "diff", *sides).stderr
    assert "ring" in kbisect("api", "diff", *sides, "--path", "drivers/net/acme").stdout


def test_what_breaks_is_told_before_what_was_added(tmp_path: Path, kbisect: Run) -> None:
    for side, old in (("old", True), ("new", False)):
        headers = tmp_path / side / "include/net"
        headers.mkdir(parents=True)
        if not old:
            (headers / "added.h").write_text("extern int added_first(void);\n")
        (headers / "kept.h").write_text(f"extern int kept({'int a' if old else 'long a'});\n")
    lines = kbisect("api", "diff", tmp_path / "old", tmp_path / "new").stdout.splitlines()
    assert lines[0] == "3 changes, 1 of them breaking: those first"
    places = [next(n for n, row in enumerate(lines) if word in row) for word in ("kept", "added")]
    assert places == sorted(places)

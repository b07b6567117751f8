# SPDX-License-Identifier: GPL-2.0-or-later
"""README and the pages in docs/: what they tell people to type is there to be typed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kbisect.cli import manual
from tests.conftest import FIXTURES

ROOT = FIXTURES.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
COMMANDS = {entry.path: entry.command for entry in manual.entries()}
_ENDS = {"|", "||", "&&", ";", ">", "<", "2>&1", "&"}


def blocks(page: Path) -> Iterator[str]:
    """The lines of all code blocks, fenced or indented."""
    fenced = False
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()


def typed(page: Path) -> Iterator[list[str]]:
    """What follows each `kbisect` that is typed, as words."""
    for line in blocks(page):
        before, found, after = line.removeprefix("$ ").partition("kbisect ")
        if not found or (before and not before.endswith((" ", "$("))):
            continue
        words = shlex.split(after.replace(")", " ").replace(";", " ; "), comments=True)
        ends = [at for at, word in enumerate(words) if word in _ENDS]
        yield words[: ends[0]] if ends else words


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    path: tuple[str, ...] = ()
    rest = words[2:] if words[:1] == ["-C"] else words[:]
    if ("bisect", rest[0]) in COMMANDS and (rest[0],) not in COMMANDS:
        path = ("bisect",)  # the short names
    while rest and (*path, rest[0]) in COMMANDS:
        path = (*path, rest.pop(0))
    return COMMANDS[path], rest


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_on_a_page_is_one(page: Path) -> None:
    seen = 0
    for words in typed(page):
        command, rest = command_of(words)
        assert not isinstance(command, click.Group), words
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        for word in rest:
            if word == "--" or word.startswith("./"):
                break  # the script and what it is given
            if word.startswith("-") and len(word) > 1:
                assert word.partition("=")[0] in {*known, "--help"}, words
        seen += 1
    assert seen or page.stem == "trust"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_link_and_file_on_a_page_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        assert target.startswith("https://") or (page.parent / target).exists(), target
    for name in re.findall(r"`(fixtures/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name

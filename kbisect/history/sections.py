# SPDX-License-Identifier: GPL-2.0-or-later
"""The sections of MAINTAINERS, as get_maintainer.pl reads them. Pure.

A line `X:` with one capital is an entry; any other line that is neither blank nor a comment is the
title of the entries after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_MAINTAINED = re.compile(r"maintain|support", re.IGNORECASE)


class Entry(NamedTuple):
    """One line of a section: `M:	Ada Test <ada@example.org>`.

    A tuple, since a file has 20,000 of them, and a dataclass takes four times as long to make.

    Attributes
    ----------
    tag : the capital before the colon
    value : the rest, as written
    line : number of the line, from 1
    """

    tag: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section of MAINTAINERS.

    Attributes
    ----------
    title : as written; '' where a file begins with an entry
    line : number of the title's line, from 1
    entries : in order, with repeats
    """

    title: str
    line: int
    entries: tuple[Entry, ...]

    def values(self, tag: str) -> list[str]:
        """Return the values of one tag, in order."""
        return [entry.value for entry in self.entries if entry.tag == tag]

    @property
    def status(self) -> str | None:
        """The last S: line, which is the one that counts."""
        return next((e.value for e in reversed(self.entries) if e.tag == "S"), None)

    @property
    def is_maintained(self) -> bool:
        """Whether somebody is named and the status says maintained or supported."""
        return any(entry.tag == "M" for entry in self.entries) and any(
            _MAINTAINED.search(status) for status in self.values("S")
        )


def read(text: str) -> list[Section]:
    """Read a file's sections, in its order."""
    text = text.replace("\r\n", "\n")
    sections: list[Section] = []
    title, title_line = "", 0
    entries: list[Entry] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line[1:2] == ":" and "A" <= line[0] <= "Z":
            entries.append(Entry(line[0], line[2:].lstrip(), number))
            continue
        stripped = line.strip()
        if not stripped or stripped[0] == "#":
            continue
        if entries:
            sections.append(Section(title, title_line, tuple(entries)))
            entries = []
        title, title_line = stripped, number
    if entries:
        sections.append(Section(title, title_line, tuple(entries)))
    return sections

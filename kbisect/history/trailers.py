# SPDX-License-Identifier: GPL-2.0-or-later
"""The trailers of a commit message, as git's trailer.c reads them. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_SEPARATOR = re.compile(r"[A-Za-z0-9-]+[ \t]*:")
_GENERATED = ("Signed-off-by: ", "(cherry picked from commit ")
_FOLD = re.compile(r"\n[ \t\r]*")
_SCISSORS = "# ------------------------ >8 ------------------------"
_SPACE = " \t\r\n"


class Trailer(NamedTuple):
    """One `Key: value` line of the last paragraph, unfolded. A tuple: each commit has several."""

    key: str
    value: str


def trailers(message: str) -> list[Trailer]:
    """Return the trailers in order, repeats kept: git's `%(trailers:only,unfold)`.

    Follows git's trailer.c (v2.39): the last paragraph counts if it is all trailers, or holds one
    that git itself writes and is at least a quarter trailers; the title never does.
    """
    lines = _without_tail(message.lstrip("\n").split("\n"))
    start = _trailer_start(lines)
    found: list[list[str]] = []
    open_value = False
    for line in lines[start:]:
        if open_value and line[:1] and line[0] in _SPACE:
            found[-1][1] += "\n" + line
            continue
        matched = _SEPARATOR.match(line)
        open_value = matched is not None
        if matched:
            found.append([matched.group()[:-1].strip(_SPACE), line[matched.end() :]])
    return [Trailer(key, _unfolded(value)) for key, value in found]


def _unfolded(value: str) -> str:
    return (_FOLD.sub(" ", value) if "\n" in value else value).strip(_SPACE)


def _without_tail(lines: list[str]) -> list[str]:
    """Drop what git drops behind the trailers: comments, blanks, an old "Conflicts:" block."""
    if _SCISSORS in lines:
        lines = lines[: lines.index(_SCISSORS)]
    end: int | None = None
    in_conflicts = False
    for number, line in enumerate(lines):
        if line == "" or line.startswith("#"):
            end = number if end is None else end
        elif line == "Conflicts:":
            in_conflicts = True
            end = number if end is None else end
        elif in_conflicts and line.startswith("\t"):
            continue
        else:
            end = None
            in_conflicts = False
    return lines if end is None else lines[:end]


def _trailer_start(lines: list[str]) -> int:
    title = 0
    while title < len(lines) and (lines[title].startswith("#") or lines[title].strip(_SPACE)):
        title += 1
    recognised = False
    good = other = continuations = 0
    seen = False
    for number in range(len(lines) - 1, title - 1, -1):
        line = lines[number]
        if line.startswith("#"):
            other += continuations
            continuations = 0
        elif not line.strip(_SPACE):
            if not seen:
                continue
            other += continuations
            if (recognised and good * 3 >= other) or (good and not other):
                return number + 1
            return len(lines)
        else:
            seen = True
            if line.startswith(_GENERATED):
                good += 1
                continuations = 0
                recognised = True
            elif line[0] not in _SPACE and _SEPARATOR.match(line):
                good += 1
                continuations = 0
            elif line[0] in _SPACE:
                continuations += 1
            else:
                other += 1 + continuations
                continuations = 0
    return len(lines)

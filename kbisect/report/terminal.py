# SPDX-License-Identifier: GPL-2.0-or-later
"""Text for a terminal: safe, coloured where it helps, and named as git people name commits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

_ANSI = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return text that can't drive a terminal: control and bidi characters become escapes."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def name(oid: str, subject: str) -> str:
    """Name a commit as the kernel's documentation asks: `12hex ("subject")`."""
    return f'{oid[:12]} ("{printable(subject)}")'


def width(text: str) -> int:
    """Return the number of terminal columns `text` takes (East Asian wide characters take two)."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


class Style:
    """Colour, or none of it."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, text: str, *styles: str) -> str:
        if not self.color or not text:
            return text
        codes = ";".join(_ANSI[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"


PLAIN = Style(color=False)


def table(header: Sequence[str], rows: Iterable[Sequence[object]], style: Style = PLAIN) -> str:
    """Align rows under a header: numbers to the right, nothing cut off."""
    cells = [[printable("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not cells:
        return "  ".join(header) + "\n(no rows)\n"
    columns = list(zip(*cells, strict=True))
    right = [all(re.fullmatch(r"-?[\d,.]*", cell) for cell in column) for column in columns]
    widths = [
        max(width(title), *(width(cell) for cell in column))
        for title, column in zip(header, columns, strict=True)
    ]

    def line(row: Sequence[str]) -> str:
        parts = [
            " " * (size - width(cell)) + cell if is_right else cell + " " * (size - width(cell))
            for cell, size, is_right in zip(row, widths, right, strict=True)
        ]
        return "  ".join(parts).rstrip()

    return "\n".join([style(line(header), "bold"), *(line(row) for row in cells)]) + "\n"

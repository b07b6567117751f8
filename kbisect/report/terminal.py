# SPDX-License-Identifier: GPL-2.0-or-later
"""Text for a terminal: safe, coloured where it helps, and named as git people name commits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import zip_longest

_ANSI = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}
# C0 but tab and newline, C1, what turns the direction of text, and bytes that were no UTF-8.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return text that can't drive a terminal: control and bidi characters become escapes."""
    return _CONTROL.sub(lambda found: _escape(found.group()), text)


def one_line(text: str) -> str:
    """Return printable text in which newlines are escapes too."""
    return printable(text).replace("\n", "\\n")


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte, as `surrogateescape` keeps it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


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
    """Colour, or none of it; and how many columns there are, None where nobody looks.

    What goes to a file or a pipe is never wrapped.
    """

    def __init__(self, color: bool, columns: int | None = None) -> None:
        self.color = color
        self.columns = columns

    def __call__(self, text: str, *styles: str) -> str:
        if not self.color or not text:
            return text
        codes = ";".join(_ANSI[style] for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"


PLAIN = Style(color=False)
_NARROWEST = 12


def table(header: Sequence[str], rows: Iterable[Sequence[object]], style: Style = PLAIN) -> str:
    """Align rows under a header: numbers to the right, nothing cut off.

    In a terminal that is too narrow long texts go on below, and at last each row becomes a block.
    """
    cells = [[one_line("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not cells:
        return "  ".join(header) + "\n(no rows)\n"
    columns = list(zip(*cells, strict=True))
    right = [all(re.fullmatch(r"-?[\d,.]*", cell) for cell in column) for column in columns]
    widths = [
        max(width(title), *(width(cell) for cell in column))
        for title, column in zip(header, columns, strict=True)
    ]
    if style.columns is not None:
        fitted = _fitted(header, widths, right, style.columns)
        if fitted is None:
            return _blocks(header, cells, style)
        widths = fitted

    def line(row: Sequence[str]) -> str:
        parts = [
            " " * (size - width(cell)) + cell if is_right else cell + " " * (size - width(cell))
            for cell, size, is_right in zip(row, widths, right, strict=True)
        ]
        return "  ".join(parts).rstrip()

    lines = [style(line(header), "bold")]
    for row in cells:
        folded = [fold(cell, size) for cell, size in zip(row, widths, strict=True)]
        lines += [line(part) for part in zip_longest(*folded, fillvalue="")]
    return "\n".join(lines) + "\n"


def _fitted(
    header: Sequence[str], widths: Sequence[int], right: Sequence[bool], room: int
) -> list[int] | None:
    """Take from the widest texts until the table fits; None when it can't."""
    fitted = list(widths)
    least = [
        size if is_right else min(size, max(_NARROWEST, width(title)))
        for title, size, is_right in zip(header, widths, right, strict=True)
    ]
    over = sum(fitted) + 2 * (len(fitted) - 1) - room
    while over > 0:
        spare = [size - floor for size, floor in zip(fitted, least, strict=True)]
        if not any(spare):
            return None
        widest = max(range(len(fitted)), key=lambda at: (spare[at] > 0, fitted[at]))
        fitted[widest] -= 1
        over -= 1
    return fitted


def _blocks(header: Sequence[str], cells: Sequence[Sequence[str]], style: Style) -> str:
    """Write one `name: value` a line, and an empty line between rows."""
    blocks = (
        "".join(
            f"{style(f'{title}:', 'bold')} {cell}\n"
            for title, cell in zip(header, row, strict=True)
            if cell
        )
        for row in cells
    )
    return "\n".join(blocks)


def fold(text: str, room: int) -> list[str]:
    """Break a text into lines of at most `room` columns, between words where there are any."""
    lines, line = [], ""
    for word in re.findall(r"\S+\s*|\s+", text) or [""]:
        if line and width(line) + width(word.rstrip()) > room:
            lines.append(line.rstrip())
            line = ""
        rest = word
        while width(rest.rstrip()) > room:
            cut = next(at for at in range(len(rest), 0, -1) if width(rest[:at]) <= max(room, 2))
            lines.append(rest[:cut])
            rest = rest[cut:]
        line += rest
    return [*lines, line.rstrip()]

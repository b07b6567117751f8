# SPDX-License-Identifier: GPL-2.0-or-later
"""The ignore file: commits that a maintainer has decided against, each with a reason. Pure.

One a line: the commit's id, `until YYYY-MM-DD` or nothing, and the reason. `#` begins a comment.

    2192c428f9a6 until 2027-01-31 needs the new firmware
    f9bc5274a6f9 not a bug on our boards
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kbisect.errors import UsageError

_LINE = re.compile(r"(?P<oid>\S+)(?:\s+until\s+(?P<until>\S+))?(?:\s+(?P<reason>\S.*))?\Z")
_HEX = re.compile(r"[0-9a-f]{7,40}\Z")


@dataclass(frozen=True, slots=True)
class Ignored:
    """One commit nobody wants here.

    Attributes
    ----------
    oid : as written, 7 to 40 digits
    until : the last day on which it counts, None for ever
    """

    oid: str
    reason: str
    until: date | None
    line: int


def parse(lines: Iterable[str], name: str, today: date) -> list[Ignored]:
    """Read an ignore file; entries that ran out are left out.

    Parameters
    ----------
    name : of the file, for errors

    Raises
    ------
    UsageError
        A line can't be read; it says which and why.
    """
    found = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        entry = _entry(text, f"{name}:{number}", number)
        if entry.until is None or entry.until >= today:
            found.append(entry)
    return found


def _entry(text: str, where: str, number: int) -> Ignored:
    form = "write: ID [until YYYY-MM-DD] REASON"
    read = _LINE.match(text)
    if read is None or not _HEX.match(read["oid"].lower()):
        raise UsageError(f"{where}: {text.split(maxsplit=1)[0]} is not a commit's id", hint=form)
    if not read["reason"]:
        raise UsageError(f"{where}: {read['oid']} has no reason", hint=form)
    until = None
    if read["until"]:
        try:
            until = date.fromisoformat(read["until"])
        except ValueError:
            raise UsageError(f"{where}: {read['until']} is not a date", hint=form) from None
    return Ignored(read["oid"].lower(), read["reason"], until, number)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a name is defined and where it is used, over the sources of one version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FOLDERS = ("net", "drivers/net", "include", "drivers/ssb", "drivers/bcma")


@dataclass(frozen=True, slots=True)
class Place:
    """One line of a file."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class References:
    """Definitions and declarations apart from uses, each in the order of the files."""

    definitions: tuple[Place, ...]
    references: tuple[Place, ...]


def sort(name: str, lines: Iterable[Place]) -> References:
    """Tell definitions from references among the lines that have a name as a word.

    Parameters
    ----------
    name : `skb_pad`, `sk_buff`; of `sk_buff.len` the last part is looked for
    lines : Place, every line with the word; comments are left out where they are plain to see
    """
    word = re.escape(name.rsplit(".", 1)[-1])
    is_field = "." in name
    defined = re.compile(
        rf"^\s*(?:struct|union|enum)\s+{word}\s*\{{?\s*(?:/\*.*)?$"
        rf"|^\s*#\s*define\s+{word}\b"
        rf"|^(?!\s)(?!return|else|#|\*)[\w][\w\s*()]*?[\s*(]{word}\)?\s*\((?![^)]*\)\s*;)"
        rf"|^{word}\s*\(|^\}}\s*(?:\w+\s*)*{word}\s*;|^\s*typedef\b.*\b{word}\b\s*\)?.*;"
        rf"|^\s+{word}\s*(?:=[^=;]*)?,\s*(?:/\*.*)?$"
    )
    member = re.compile(rf"^\s+(?:[\w]+[\s*]+)+\(?\*?{word}\)?\s*(?:\[|\(|:|,|;)")
    used = re.compile(rf"(?:->|\.)\s*{word}\b")
    first: list[Place] = []
    rest: list[Place] = []
    for place in lines:
        text = place.text
        stripped = text.lstrip()
        if stripped.startswith(("*", "/*", "//")) and not stripped.startswith("*("):
            continue
        if is_field:
            if used.search(text):
                rest.append(place)
            elif place.file.endswith(".h") and member.search(text) and "return" not in text:
                first.append(place)
        elif defined.search(text):
            first.append(place)
        else:
            rest.append(place)
    return References(tuple(first), tuple(rest))

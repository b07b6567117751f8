# SPDX-License-Identifier: GPL-2.0-or-later
"""What a text names: the files and commits of a mailed patch, the people of a binding. Pure.

As get_maintainer.pl reads them, line by line, not as a diff: who gets a mail must not depend on how
well it is formed.
"""

from __future__ import annotations

import re

from kbisect.patch.addresses import Address

_MODE = re.compile(r" mode change [0-7]+ => [0-7]+ (\S+)\s*$")
_RENAME = re.compile(r"rename (?:from|to) (\S+)\s*$")
_DIFF = re.compile(r"diff --git a/(\S+) b/(\S+)\s*$")
_FIXES = re.compile(r"Fixes:\s+([0-9a-fA-F]{6,40})")
_SIDE = re.compile(r"(?:\+\+\+|---)\s+(\S+)")


def named_in(text: str) -> tuple[list[str], list[str]]:
    """Return the files that a mailed patch names, sorted, and the ids of its Fixes: tags.

    As the script reads it: also a removed line that begins with `--` and a blank names a file.
    """
    paths: set[str] = set()
    fixes: dict[str, None] = {}
    for line in text.split("\n"):
        if line[:1] not in " +-rdF":
            continue
        if found := _MODE.match(line) or _RENAME.match(line):
            paths.add(found[1])
        elif found := _DIFF.match(line):
            paths |= {found[1], found[2]}
        elif found := _FIXES.match(line):
            fixes[found[1]] = None
        elif found := _SIDE.match(line):
            top, slash, rest = found[1].partition("/")
            paths.add(rest if slash else top)
    return sorted(paths), list(fixes)


_ADDRESS = r"[A-Za-z0-9_.+-]+@[A-Za-z0-9.-]+"
_PERSON = re.compile(
    rf"""[^\W\d_]?(?:[^\W\d_]|["' ,.+-])*\s*,*\s*[(<{{]?{_ADDRESS}\.[A-Za-z0-9]+[)>}}]?"""
)
_WORDS = re.compile(r"""(?:[^\W\d_]|[',.+-])+""")


def people_in(text: str) -> list[str]:
    """Return the people whom a device tree binding names as its maintainers."""
    if "@" not in text:
        return []
    found: dict[str, None] = {}
    for match in _PERSON.finditer(text):
        inner = re.sub(rf"[(<{{]?({_ADDRESS})[)>}}]?", r"<\1>", match.group())
        read = Address.read(inner)
        words = [word for word in _WORDS.findall(read.name.strip('"')) if word not in "',.+-"]
        initials = len(words) > 2 and any(
            len(word) == 1 or (len(word) == 2 and word[-1] == ".") for word in words[-3:-1]
        )
        name = " ".join(words[-3:] if initials else words[-2:])
        name = name[:-1] if name[-1:] in {",", "."} else name
        name = name[1:] if name[:1] in {",", "."} else name
        found[str(Address(name, read.email))] = None
    return list(found)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a line written anew may be shown: a wrong one is worse than none. Pure.

It is judged by what the last release declares, and by what the old line did.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from kbisect.api import conversion
from kbisect.api.declarations import Declaration

_ASSIGNED = re.compile(r"\b(\w+)\s*=(?!=)")
_SAME = re.compile(r"\s*(\S.*?)\s*=\s*\1\s*;\s*")
_NO_CALLS = {"if", "while", "for", "switch", "return", "sizeof"}
_WAY = re.compile(r"(?:\s*(?:->|\.)\s*\w+)*")
_STRUCT = re.compile(r"(?:const )?(?:struct|union) (\w+)")
_LOOP = re.compile(r"\bfor \(")


def keeps_assignments(use: str, text: str) -> bool:
    """Whether nothing is assigned to itself, and a loop's variables are set as before."""
    if _SAME.fullmatch(text):
        return False
    if not (_LOOP.search(use) and _LOOP.search(text)):
        return True
    return Counter(_ASSIGNED.findall(use)) <= Counter(_ASSIGNED.findall(text))


def has_members(
    use: str,
    text: str,
    old: Declaration,
    fields: Callable[[str], Mapping[str, Declaration]],
    is_macro: Callable[[str], bool],
) -> bool:
    """Whether what a member became is one of the struct, and of a type that is used so.

    Parameters
    ----------
    old : the member that went
    fields : of a struct in the last release, by name
    is_macro : whether a name stands for the way to a member
    """
    if not fields(old.owner):
        return True
    word = re.escape(old.name.rpartition(".")[2])
    for base, arrow, rest in re.findall(rf"(\w+)\s*(->|\.)\s*{word}\b({_WAY.pattern})", use):
        way = re.compile(rf"\b{base}\s*{re.escape(arrow)}\s*(\w+{_WAY.pattern})(\s*\[)?")
        known = {found[0] for found in way.findall(use)}
        for path, subscript in way.findall(text):
            if path in known:
                continue
            steps = re.findall(r"\w+", path.removesuffix(rest))
            kind = _type(old.owner, steps, fields)
            if kind is None and not is_macro(steps[0]) and not _has_top(steps[0], old, fields):
                return False
            if kind is not None and not _fits(old.type, kind, bool(subscript)):
                return False
    return True


def _has_top(
    name: str, old: Declaration, fields: Callable[[str], Mapping[str, Declaration]]
) -> bool:
    """Whether a struct has a member of a name, or one inside it without a name of its own has."""
    return any(name in each.split(".") for each in fields(old.owner))


def _type(
    owner: str, steps: list[str], fields: Callable[[str], Mapping[str, Declaration]]
) -> str | None:
    """Return the type at the end of a way through structs; None where it isn't known."""
    kind = None
    for step in steps:
        found = fields(owner).get(step)
        if found is None:
            return None
        kind = found.type
        inside = _STRUCT.match(kind)
        owner = inside[1] if inside else ""
    return kind


def _fits(old: str, new: str, subscript: bool) -> bool:
    """Whether a member can stand where one of another type stood."""
    is_pointer = new.endswith(("*", "]"))
    if subscript and not is_pointer:
        return False
    return is_pointer or not (old.endswith("*") and re.match(r"(?:struct|union)\b", new))


def keeps_call(
    use: str, text: str, old: Declaration, named: Callable[[str], Declaration | None]
) -> bool:
    """Whether a call that goes on in the next line still has as many arguments to come."""
    word = re.escape(old.name)
    if old.parameters is None or not re.search(rf"\b{word}\s*\(", use):
        return True
    if conversion.call(use, old.name) is not None:
        return True
    for stranger in conversion.strangers(text, use):
        new = named(stranger.name)
        if new is not None and new.parameters is not None:
            return len(new.parameters) == len(old.parameters)
    return True


def is_argument(use: str, word: str) -> bool:
    """Whether a name is one of several arguments of another call, which has work of its own."""
    found = re.search(rf"\b{re.escape(word)}\b", use)
    around: list[str] = []
    for token in re.finditer(r"(\w*)\s*\(|\)", use[: found.start()] if found else ""):
        if token[0] != ")":
            around.append(token[1])
        elif around:
            around.pop()
    for name in filter(None, around):
        given = conversion.call(use, name) if name not in _NO_CALLS else None
        if given is not None and len(given[2]) > 1:
            return True
    return False

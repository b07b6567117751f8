# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers that came, went, were renamed or merged into others between two versions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kbisect.api.declarations import Header
from kbisect.api.findings import Compatibility, Finding
from kbisect.api.proof import Key
from kbisect.api.sides import Side
from kbisect.api.surface import include_name


def destinations(
    old: Side, new: Side, moved: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Find where the declarations of removed headers went: (old path, (new path, renamed)).

    Parameters
    ----------
    old, new : Side
    moved : paths of headers that a commit moved, old to new
    """
    old_names, new_names = _names(old), _names(new)
    gone = [path for path in old.headers if include_name(path) not in new_names]
    places: dict[Key, str] = {}
    for path, header in new.headers.items():
        for declaration in header.declarations:
            places.setdefault(declaration.key, path)
    fresh = [path for path in new.headers if include_name(path) not in old_names]
    words = {path: _words(new.headers[path]) for path in fresh}
    for path in gone:
        if moved.get(path) in words:
            yield path, (moved[path], True)
            continue
        declarations = old.headers[path].declarations
        counts: dict[str, int] = {}
        for declaration in declarations:
            place = places.get(declaration.key)
            if place is not None:
                counts[place] = counts.get(place, 0) + 1
        best = max(counts, key=lambda place: (counts[place], place), default=None)
        if best is not None and counts[best] * 2 >= len(declarations):
            yield path, (best, best in words)
            continue
        mine = _words(old.headers[path])
        alike = [
            (len(mine & other) / (len(mine | other) or 1), place) for place, other in words.items()
        ]
        if alike and max(alike)[0] >= 0.5:
            yield path, (max(alike)[1], True)


def findings(old: Side, new: Side, went: Mapping[str, tuple[str, bool]]) -> Iterator[Finding]:
    """Tell which headers came, went or were renamed; `went` is what `destinations` found."""
    old_names, new_names = _names(old), _names(new)
    taken = set()
    for path in old.headers:
        if include_name(path) in new_names:
            continue
        target, renamed = went.get(path, (None, False))
        if renamed:
            taken.add(target)
        yield Finding(
            "header-renamed" if renamed else "header-removed",
            path,
            Compatibility.BREAKING,
            path,
            new_name=target if renamed else None,
            new_header=target,
        )
    for path in new.headers:
        if include_name(path) not in old_names and path not in taken:
            yield Finding("header-added", path, Compatibility.COMPATIBLE, path)


def reaches(side: Side, header: str, other: str) -> bool:
    """Whether who includes a header gets another one with it (paths)."""
    seen = set()
    stack = [include_name(header)]
    target = include_name(other)
    by_name: dict[str, list[Header]] = {}
    for path, found in side.headers.items():
        by_name.setdefault(include_name(path), []).append(found)
    while stack:
        name = stack.pop()
        if name == target:
            return True
        if name not in seen:
            seen.add(name)
            stack += [inner for found in by_name.get(name, ()) for inner in found.includes]
    return False


def _names(side: Side) -> set[str]:
    return {include_name(path) for path in side.headers}


def _words(header: Header) -> set[str]:
    return {
        word
        for declaration in header.declarations
        for word in re.findall(
            r"\w+", f"{declaration.name} {' '.join(declaration.parameters or ())}"
        )
    }

# SPDX-License-Identifier: GPL-2.0-or-later
"""All declarations of one version, found by name, and what only one of two versions has. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kbisect.api.declarations import Declaration, Header, What
from kbisect.api.proof import Key


@dataclass(slots=True)
class Side:
    """All declarations of one version by key; the variants of a key in the order of the headers."""

    headers: dict[str, Header] = field(default_factory=dict)
    by_key: dict[Key, list[Declaration]] = field(default_factory=dict)
    fields: dict[str, list[Declaration]] = field(default_factory=dict)

    @classmethod
    def of(cls, headers: Iterable[Header]) -> Side:
        """Index the declarations of some headers."""
        side = cls()
        for header in sorted(headers, key=lambda header: header.path):
            side.headers[header.path] = header
            for declaration in header.declarations:
                if declaration.what is What.MACRO and declaration.type == declaration.name:
                    continue  # `#define IPPROTO_TCP IPPROTO_TCP` beside its enumerator
                side.by_key.setdefault(declaration.key, []).append(declaration)
                if declaration.what is What.FIELD:
                    side.fields.setdefault(declaration.owner, []).append(declaration)
        return side

    def first(self, key: Key) -> Declaration:
        """Return the variant that stands for the key: one that needs no configuration, if any."""
        return min(self.by_key[key], key=lambda variant: len(variant.condition))

    def siblings(self, key: Key) -> tuple[str, str]:
        """Return the names of the fields before and after one; empty at the ends."""
        found = self.first(key)
        names = [declaration.name for declaration in self.fields.get(found.owner, ())]
        place = names.index(found.name)
        before = names[place - 1] if place else ""
        return before, names[place + 1] if place + 1 < len(names) else ""


def unmatched(old: Side, new: Side) -> tuple[list[Declaration], list[Declaration]]:
    """Return what only the old side has and what only the new side has.

    The inside of a struct that went or came as a whole is left out.
    """
    return _only(old, new), _only(new, old)


def _only(here: Side, there: Side) -> list[Declaration]:
    found = []
    for key in here.by_key:
        if key in there.by_key:
            continue
        declaration = here.first(key)
        if declaration.what is What.FIELD and (
            ("tag", declaration.owner) not in there.by_key or _inside_of(declaration, here, there)
        ):
            continue
        found.append(declaration)
    return found


def _inside_of(declaration: Declaration, here: Side, there: Side) -> bool:
    """Whether a field's named union or struct is missing there as well."""
    path = declaration.name
    while "." in path:
        path = path.rsplit(".", 1)[0]
        outer = ("field", f"{declaration.owner}.{path}")
        if outer in here.by_key and outer not in there.by_key:
            return True
    return False

# SPDX-License-Identifier: GPL-2.0-or-later
"""How a member is reached in the last release: deeper in its struct, through a pointer, a table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from kbisect.api import conversion
from kbisect.api.conversion import Conversion
from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import Finding
from kbisect.api.lifetimes import Past

_DEEP = 2
"""How many structs inside one another are looked through."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Finds the way to members as the last release has them."""

    past: Past

    def written(
        self, finding: Finding, use: str, word: str, owner: str, sites: Iterable[Conversion]
    ) -> str:
        """Return the line with the new way to a member, empty where none is known.

        `owner` is the struct that lacks it, if the compiler said so; `sites` are converted callers.
        """
        return (
            self._through_table(finding, use, word)
            or self._inside(finding, use, word, owner, sites)
            or self._through_pointer(finding, use, word)
        )

    def pointer(self, finding: Finding, target: str) -> str:
        """Return the field of the old one's struct that points to another; empty if none does."""
        fields = self.past.fields(finding.struct or "")
        pointed = re.compile(rf"\bstruct {target} \*$")
        return next((each.name for each in fields if pointed.search(each.type)), "")

    def _through_table(self, finding: Finding, use: str, word: str) -> str:
        """Call a function that moved to a table through the field that points to the table."""
        target = next((name for name in finding.replacements if "." in name), "")
        found = re.search(rf"((?:->|\.)\s*){re.escape(word)}\b(?=\s*[(;),])", use)
        if not target or found is None or finding.struct is None:
            return ""
        table, _, callback = target.partition(".")
        pointer = self.pointer(finding, table)
        if not pointer:
            return ""
        return use[: found.start()] + f"{found[1]}{pointer}->{callback}" + use[found.end() :]

    def _through_pointer(self, finding: Finding, use: str, word: str) -> str:
        """Read a field that moved to another struct through the field that points there."""
        new = finding.new
        if finding.kind != "field-moved" or new is None or new.owner == finding.struct:
            return ""
        pointer = self.pointer(finding, new.owner)
        if not pointer:
            return ""
        return re.sub(rf"(->|\.)(\s*){re.escape(word)}\b", rf"\g<1>{pointer}->{new.name}", use)

    def _inside(
        self, finding: Finding, use: str, word: str, owner: str, sites: Iterable[Conversion]
    ) -> str:
        """Reach a member that lies deeper, or less deep, in the same struct now."""
        old = finding.old
        if old is None or finding.caution is not None:
            return ""
        if old.what is What.FIELD:
            owner, path, kind = old.owner, old.name, old.type
        elif old.what is What.MACRO and owner and "." in old.type:  # `fl4_dst` in a `flowi`
            path = old.type
            lives = self.past.lives(owner)[owner].of(f"{owner}.{path}").lives
            kind = lives[0].declaration.type if lives else ""
        else:
            return ""
        leaf = path.rsplit(".", 1)[-1]
        alike = {n for n, d in self._members(owner, _DEEP) if d.type == kind and n != path}
        places = sorted(name for name in alike if name.rsplit(".", 1)[-1] == leaf)
        places = places or _shown(sites, word, alike)
        if len(places) != 1:
            return ""
        return re.sub(rf"(->|\.)(\s*){re.escape(word)}\b", rf"\g<1>{places[0]}", use)

    def _members(self, owner: str, deep: int) -> Iterator[tuple[str, Declaration]]:
        """Return a struct's members, those of structs inside it too."""
        for one in self.past.fields(owner):
            yield one.name, one
            inside = re.fullmatch(r"(?:struct|union) (\w+)", one.type)
            if inside and deep:
                for name, declaration in self._members(inside[1], deep - 1):
                    yield f"{one.name}.{name}", declaration


def _shown(sites: Iterable[Conversion], word: str, members: Collection[str]) -> list[str]:
    """Return the deeper members that callers asked the same object for instead of a word."""
    found: set[str] = set()
    for site in filter(conversion.is_telling, sites):
        for base in re.findall(rf"(\w+)(?:->|\.){re.escape(word)}\b", site.before):
            asked = re.findall(rf"\b{base}(?:->|\.)(\w+(?:\.\w+)+)", site.after)
            found.update(member for member in asked if member in members)
    return sorted(found)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Which part of the API is asked for. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kbisect.api.declarations import Declaration, Gap, What
from kbisect.api.findings import Finding
from kbisect.api.sides import Side
from kbisect.api.surface import PUBLIC, Surface, include_name
from kbisect.errors import UsageError

_TAGGED = re.compile(r"\b(?:struct|union|enum)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for: structs, headers, other names; all of the surface when all are empty.

    `surface` tells which headers count at all.
    """

    structs: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    surface: Surface = PUBLIC

    @property
    def asked(self) -> tuple[tuple[str, ...], ...]:
        """All of it, in one order."""
        return (tuple(sorted(self.structs)), self.headers, self.names, self.surface.paths)

    @property
    def is_all(self) -> bool:
        """Whether the whole surface is asked for."""
        return not (self.structs or self.headers or self.names)

    def holds(self, finding: Finding) -> bool:
        """Whether a finding was asked for."""
        if self.structs:
            sides = [side for side in (finding.old, finding.new) if side is not None]
            names = {finding.struct, *(side.owner for side in sides)}
            # A struct that was renamed may live on as a macro of its name.
            names |= {side.name for side in sides if side.what is What.MACRO}
            if not names & set(self.structs):
                return False
        if self.names and not any(
            declaration is not None and declaration.name in self.names
            for declaration in (finding.old, finding.new)
        ):
            return False
        if self.headers:
            return any(self._named(path) for path in (finding.header, finding.new_header or ""))
        return True

    def check(self, paths: Iterable[str], contents: Iterable[bytes]) -> None:
        """Make sure that what was asked for was there at some time.

        Parameters
        ----------
        paths, contents : the headers of both sides

        Raises
        ------
        UsageError
            No header has the struct, or there is no such header. The nearest names are the hint.
        """
        listed = sorted(set(paths))
        for asked in self.headers:
            if not any(_is_called(path, asked) for path in listed):
                names = {include_name(path): None for path in listed}
                raise UsageError(
                    f"no network header is called {asked} on either side",
                    hint=_nearest(include_name(asked), names) or "--path FOLDER adds headers",
                )
        if not self.structs:
            return
        known: set[str] = set()
        for content in contents:
            known.update(_TAGGED.findall(content.decode("latin-1")))
        for asked in self.structs:
            if asked not in known:
                raise UsageError(
                    f"no network header has a struct {asked} on either side",
                    hint=_nearest(asked, known) or "--path FOLDER adds headers",
                )

    def _named(self, path: str) -> bool:
        return any(_is_called(path, asked) for asked in self.headers)

    def keeps(self, declaration: Declaration) -> bool:
        """Whether a declaration could take part in a finding that was asked for."""
        if declaration.what is What.MACRO and "." in declaration.type:
            return True  # it may be what a field is called by
        if self.names and declaration.name not in self.names:
            return False
        return not self.structs or (declaration.owner or declaration.name) in self.structs

    def spans(self, gaps: Iterable[Gap], sides: Iterable[Side]) -> Iterator[Gap]:
        """Keep the spans that could hide a finding that was asked for."""
        homes = {
            found.header
            for side in sides
            for name in self.structs
            for found in side.by_key.get(("tag", name), ())
        }
        for gap in gaps:
            if (not self.structs or gap.header in homes) and (
                not self.headers or self._named(gap.header)
            ):
                yield gap


def _is_called(path: str, asked: str) -> bool:
    return path == asked or path.endswith("/" + asked.removeprefix("include/"))


def _nearest(asked: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(asked, sorted(known), n=3, cutoff=0.7)
    return f"did you mean {', '.join(near)}?" if near else ""


ALL = Scope()

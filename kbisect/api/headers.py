# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers by path and blob, and the two sides of a comparison that are made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kbisect.api import cache, extraction
from kbisect.api.declarations import Declaration, Header, What
from kbisect.api.evidence import Touch
from kbisect.api.extraction import Blocks
from kbisect.api.scope import Scope
from kbisect.api.sides import Side, unmatched
from kbisect.errors import UsageError
from kbisect.git import blobs, patches
from kbisect.git.blobs import Files
from kbisect.git.repository import Repository


class Headers:
    """Headers by path and blob, each blob read and extracted once."""

    def __init__(self, repository: Repository | None, loaded: Mapping[str, bytes]) -> None:
        self._repository = repository
        self._content = dict(loaded)
        self._known: dict[tuple[str, str], Header] = {}
        self._blocks: dict[str, Blocks] = {}
        self._kept = cache.Blobs(repository.store) if repository is not None else None
        self._loose = frozenset(loaded)

    def load(self, oids: Iterable[str]) -> None:
        """Read the blobs that will be asked for, in one go."""
        wanted = sorted({oid for oid in oids if oid not in self._content})
        if wanted and self._repository is not None:
            self._content |= blobs.read(self._repository, wanted)

    def give(self, loaded: Mapping[str, bytes]) -> None:
        """Take contents that stand for blobs."""
        self._content |= loaded

    def content(self, oid: str) -> bytes:
        """Return a blob's content."""
        if oid not in self._content:
            self.load([oid])
        return self._content[oid]

    def __call__(self, path: str, oid: str) -> Header:
        """Return what the header declares."""
        at = (path, oid)
        if at not in self._known:
            self._known[at] = extraction.extract(path, self._divided(oid))
        return self._known[at]

    def differing(self, touch: Touch) -> tuple[list[Declaration], list[Declaration]]:
        """Return what a commit's header declares before and after, as far as that differs."""
        return extraction.differing(
            touch.path, self._divided(touch.old_blob), self._divided(touch.new_blob)
        )

    def _divided(self, oid: str) -> Blocks:
        if oid not in self._blocks:
            source = b"" if oid == patches.NO_BLOB else self.content(oid)
            self._blocks[oid] = extraction.divided(source)
        return self._blocks[oid]

    def versions(self, paths: Mapping[str, str]) -> list[Header]:
        """Return the headers of one version, path to oid; these are kept for the next time."""
        found: list[Header] = []
        fresh: dict[str, Header] = {}
        for path, oid in paths.items():
            header = self._kept.get(path, oid) if self._kept is not None else None
            if header is None:
                header = self(path, oid)
                if oid not in self._loose:
                    fresh[oid] = header
            self._known[path, oid] = header
            found.append(header)
        if self._kept is not None:
            self._kept.add(fresh.items())
        return found


def sides(before: Files, after: Files, headers: Headers, scope: Scope) -> tuple[Side, Side]:
    """Read what differs, and what else declares a name that seems to have come or gone.

    Raises
    ------
    UsageError
        What is asked for is on neither side, or no header at all is.
    """
    old = {path: oid for path, oid in before.blobs.items() if scope.surface.holds(path)}
    new = {path: oid for path, oid in after.blobs.items() if scope.surface.holds(path)}
    if not old and not new:
        raise UsageError(
            "neither side has a header of the network API",
            hint="name the folder of your headers: --path DIR",
        )
    same = {path: oid for path, oid in old.items() if new.get(path) == oid}
    headers.load([*old.values(), *new.values()])
    contents = dict.fromkeys((*old.values(), *new.values()))
    scope.check((*old, *new), map(headers.content, contents))
    one = headers.versions({path: oid for path, oid in old.items() if path not in same})
    other = headers.versions({path: oid for path, oid in new.items() if path not in same})
    removed, added = unmatched(Side.of(one), Side.of(other))
    names = {
        declaration.name.encode()
        for declaration in (*removed, *added)
        if declaration.what is not What.FIELD
    }
    mentioned = {
        path: oid
        for path, oid in same.items()
        if names & set(re.findall(rb"\w+", headers.content(oid)))
    }
    shared = headers.versions(mentioned)
    return Side.of([*one, *shared]), Side.of([*other, *shared])

# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits that a user names: in a file, by CVE, in the ignore file. All must be in the index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from kbisect.backport.advisories import Advisory
from kbisect.backport.ignored import Ignored
from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.history.store import Index

_HEX = re.compile(r"[0-9a-f]{7,40}\Z")


def named_in(
    repository: Repository, index: Index, lines: Sequence[str], name: str
) -> dict[str, str]:
    """Read a list of commits: the first word of each line; the rest is for people.

    Raises
    ------
    UsageError
        A line names none, or a merge.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split(maxsplit=1)
        if not words:
            continue
        where = f"{name}:{number}"
        oid = repository.find(words[0]) if _HEX.match(words[0].lower()) else None
        if oid is None or index.oids.number(oid) is None:
            raise UsageError(
                f"{where}: no commit {words[0]} in the index", hint="fetch it, then kbisect index"
            )
        if len(index.graph.parents_of(index.number(oid))) > 1:
            raise UsageError(
                f"{where}: {words[0]} is a merge", hint="name the commits that it brought"
            )
        found[oid] = f"named in {where}"
    return found


def by_advisory(index: Index, advisories: Iterable[Advisory]) -> Iterator[tuple[str, str]]:
    """Return the commits in the index that advisories name: (oid, the CVE); others are skipped."""
    names: dict[str, list[str]] = {}
    for advisory in advisories:
        for oid in advisory.fixes:
            if index.oids.number(oid) is not None:
                names.setdefault(oid, []).append(advisory.name)
    for oid, found in names.items():
        yield oid, ", ".join(found)


def ignored_by_oid(index: Index, entries: Iterable[Ignored], name: str) -> dict[str, Ignored]:
    """Resolve the ids of an ignore file.

    Raises
    ------
    UsageError
        An id is ambiguous. One that isn't in the index is harmless, and left out.
    """
    found: dict[str, Ignored] = {}
    for entry in entries:
        numbers = index.oids.matching(entry.oid)
        if len(numbers) > 1:
            raise UsageError(
                f"{name}:{entry.line}: {entry.oid} is ambiguous", hint="give more digits"
            )
        if numbers:
            found[index.oids[numbers[0]]] = entry
    return found

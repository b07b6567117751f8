# SPDX-License-Identifier: GPL-2.0-or-later
"""Some commits, and what their messages say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kbisect.git import commits as stream
from kbisect.git.commits import Change, CommitRecord
from kbisect.git.repository import Repository
from kbisect.history.messages import Link, links
from kbisect.history.scope import Scope
from kbisect.history.trailers import Trailer, trailers


@dataclass(frozen=True, slots=True)
class Reading:
    """A commit in scope, and what its message says."""

    record: CommitRecord
    subject: str
    trailers: list[Trailer]
    links: list[Link]


def read(
    repository: Repository, oids: Sequence[str], scope: Scope, *, count_lines: bool
) -> list[Reading]:
    """Read those of some commits, no merges, that change something in the scope."""
    if not oids:
        return []
    known: dict[str, bool] = {}

    def counts(path: str) -> bool:
        answer = known.get(path)
        if answer is None:
            answer = known[path] = scope.contains(path)
        return answer

    records = stream.records(repository, oids, scope.git_paths, counts, count_lines=count_lines)
    found = [
        Reading(record, record.subject, trailers(record.message), links(record.message))
        for record in records
    ]
    return _with_renames(repository, found, scope)


def _with_renames(repository: Repository, readings: list[Reading], scope: Scope) -> list[Reading]:
    """Pair files that a commit deletes with those it adds, by git's similarity."""
    movers = [
        at
        for at, reading in enumerate(readings)
        if {"A", "D"} <= {change.status for change in reading.record.changes}
    ]
    if not movers:
        return readings
    oids = [readings[at].record.oid for at in movers]
    found = stream.renamed(repository, oids, scope.git_paths)
    for at in movers:
        record = readings[at].record
        here = {change.path for change in record.changes}
        named = found.get(record.oid, {})
        pairs = {new: old for new, old in named.items() if new in here and old in here}
        if pairs:
            gone = set(pairs.values())
            kept = tuple(_moved(each, pairs) for each in record.changes if each.path not in gone)
            readings[at] = replace(readings[at], record=replace(record, changes=kept))
    return readings


def _moved(change: Change, pairs: dict[str, str]) -> Change:
    old = pairs.get(change.path)
    return change._replace(status="R", old_path=old) if old else change

# SPDX-License-Identifier: GPL-2.0-or-later
"""What git is asked for an index: everything about the commits that a scan has found.

git works in processes of its own; the threads here wait for them and parse. Commits are read by
several processes, since a commit's difference from its parent needs no other commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from kbisect.git import commits as stream
from kbisect.git.commits import Change, CommitRecord
from kbisect.git.repository import Repository
from kbisect.history.graph import CommitGraph, Ints
from kbisect.history.messages import Link, Trailer, links, trailers
from kbisect.history.oids import Oids
from kbisect.history.scan import Scan
from kbisect.history.scope import Scope

_READERS = 2
# Fewer commits than these are not worth a second reader.
_FEW = 2000

Counted = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """A commit in scope, and what its message says."""

    record: CommitRecord
    subject: str
    trailers: list[Trailer]
    links: list[Link]


class Harvest:
    """Reads the new commits of a scan; begins at once.

    Parameters
    ----------
    scope : what counts
    count_lines : whether lines are counted too
    """

    def __init__(
        self, repository: Repository, scan: Scan, scope: Scope, *, count_lines: bool
    ) -> None:
        self._repository = repository
        self._scope = scope
        self._count_lines = count_lines
        self._pool = ThreadPoolExecutor(_READERS + 1)
        # Newest first, as git packs them.
        wanted = _oids(scan.graph, scan.changing()[::-1])
        share = max(_FEW, len(wanted) // _READERS + 1)
        self._parts = [
            self._pool.submit(self._read, wanted[at : at + share])
            for at in range(0, len(wanted), share)
        ]
        self._titles = self._pool.submit(_titles, repository, scan.graph, scan.merges)

    def _read(self, oids: Sequence[str]) -> list[Reading]:
        known: dict[str, bool] = {}
        scope = self._scope

        def counts(path: str) -> bool:
            answer = known.get(path)
            if answer is None:
                answer = known[path] = scope.contains(path)
            return answer

        found = [
            Reading(record, record.subject, trailers(record.message), links(record.message))
            for record in stream.records(self._repository, oids, scope.git_paths, counts)
        ]
        return _with_renames(self._repository, found, scope)

    @property
    def titles(self) -> dict[int, str]:
        """Subject of each merge."""
        return self._titles.result()

    @cached_property
    def readings(self) -> list[Reading]:
        """The commits in scope, merges apart."""
        return list(chain.from_iterable(part.result() for part in self._parts))

    def lines(self) -> list[Counted]:
        """Count lines, if they are to be counted: (commit, path, added, removed)."""
        if not self._count_lines:
            return []
        records = [reading.record for reading in self.readings]
        inside = {(record.oid, change.path) for record in records for change in record.changes}

        def read(oids: Sequence[str]) -> list[Counted]:
            counted = stream.line_counts(self._repository, oids, self._scope.git_paths)
            return [row for row in counted if (row[0], row[1]) in inside]

        oids = [record.oid for record in records]
        share = len(oids) // _READERS + 1
        parts = [self._pool.submit(read, oids[i : i + share]) for i in range(0, len(oids), share)]
        return list(chain.from_iterable(part.result() for part in parts))

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(cancel_futures=True)


def _oids(graph: CommitGraph, numbers: Ints) -> list[str]:
    assert isinstance(graph.oids, Oids)
    return list(Oids(graph.oids.raw[numbers]))


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
    return replace(change, status="R", old_path=old) if old else change


def _titles(repository: Repository, graph: CommitGraph, merges: Ints) -> dict[int, str]:
    if not len(merges):
        return {}
    told = stream.subjects(repository, _oids(graph, merges))
    return {merge: subject for merge, (_, subject) in zip(merges.tolist(), told, strict=True)}

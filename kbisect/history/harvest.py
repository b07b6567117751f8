# SPDX-License-Identifier: GPL-2.0-or-later
"""What git is asked for an index: the graph, then everything else about its new commits at once.

git works in processes of its own; the threads here wait for them and parse. Commits are read by
several processes, since a commit's difference from its parent needs no other commit.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np

from kbisect.git import commits as stream
from kbisect.git.commits import Change, CommitRecord
from kbisect.git.repository import Repository
from kbisect.history.graph import CommitGraph, Row
from kbisect.history.messages import Link, Trailer, links, trailers
from kbisect.history.scope import Scope

_READERS = 2
_BLOCK = 4096

Counted = tuple[str, str, int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """A commit in scope, and what its message says."""

    record: CommitRecord
    trailers: list[Trailer]
    links: list[Link]


class Harvest:
    """Reads new commits, from the first row of the walk on.

    Parameters
    ----------
    scope : what counts
    count_lines : whether lines are counted too
    count : called now and then with the number of commits walked
    """

    def __init__(
        self,
        repository: Repository,
        scope: Scope,
        *,
        count_lines: bool,
        count: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._count = count
        self._repository = repository
        self._scope = scope
        self._count_lines = count_lines
        self._pool = ThreadPoolExecutor(_READERS + 2)
        self._queues: list[queue.SimpleQueue[list[str] | None]] = []
        self._parts: list[Future[list[Reading]]] = []
        self.makefiles: list[tuple[str, str]] = []
        """(commit, blob) wherever the top Makefile changed."""

    def watch(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass rows on, and have those that are no merges read meanwhile.

        A few commits need one reader; the second starts with the second block.
        """
        block: list[str] = []
        blocks = 0
        for row in rows:
            if len(row[2]) < 2:
                block.append(row[0])
                if len(block) == _BLOCK:
                    self._give(block, blocks)
                    block = []
                    blocks += 1
                    self._count(blocks * _BLOCK)
            yield row
        if block:
            self._give(block, blocks)
        for each in self._queues:
            each.put(None)

    def _give(self, block: list[str], number: int) -> None:
        if number < _READERS:
            self._queues.append(queue.SimpleQueue())
            self._parts.append(self._pool.submit(self._read, self._queues[-1]))
        self._queues[number % _READERS].put(block)

    def _read(self, blocks: queue.SimpleQueue[list[str] | None]) -> list[Reading]:
        known: dict[str, bool] = {"Makefile": True}
        scope = self._scope

        def counts(path: str) -> bool:
            answer = known.get(path)
            if answer is None:
                answer = known[path] = scope.contains(path)
            return answer

        folders = [*scope.git_paths, "Makefile"]
        makefile_counts = scope.contains("Makefile")
        found = []
        given = iter(blocks.get, None)
        for record in stream.records(self._repository, given, folders, counts):
            changes = record.changes
            at = next((at for at, each in enumerate(changes) if each.path == "Makefile"), None)
            if at is not None:
                self.makefiles.append((record.oid, changes[at].new_blob))
                if not makefile_counts:
                    changes = changes[:at] + changes[at + 1 :]
            if changes:
                kept = record if changes is record.changes else replace(record, changes=changes)
                found.append(Reading(kept, trailers(record.message), links(record.message)))
        return found

    def begin_merges(self, graph: CommitGraph, first: int) -> None:
        """Have the merges numbered `first` and up read meanwhile."""
        merges = (first + np.flatnonzero(np.diff(graph.start)[first:] > 1)).tolist()
        self._sides = self._pool.submit(_sides, self._repository, graph, merges, self._scope)
        self._titles = self._pool.submit(_titles, self._repository, graph, merges)

    @property
    def titles(self) -> dict[int, str]:
        """Subject of each merge."""
        return self._titles.result()

    @property
    def sides(self) -> dict[int, list[bool]]:
        """For each merge, per parent whether the scope is the same there."""
        return self._sides.result()

    @cached_property
    def readings(self) -> list[Reading]:
        """The commits in scope, merges apart."""
        found = list(chain.from_iterable(part.result() for part in self._parts))
        return _with_renames(self._repository, found, self._scope)

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
        """Let the threads go; they end by themselves when the walk was cut off."""
        for each in self._queues:
            each.put(None)
        self._pool.shutdown(cancel_futures=True)


def _oids(graph: CommitGraph, numbers: Sequence[int]) -> list[str]:
    listed = list(graph.oids)
    return [listed[number] for number in numbers]


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


def _titles(repository: Repository, graph: CommitGraph, merges: Sequence[int]) -> dict[int, str]:
    if not merges:
        return {}
    told = stream.subjects(repository, _oids(graph, merges))
    return {merge: subject for merge, (_, subject) in zip(merges, told, strict=True)}


def _sides(
    repository: Repository, graph: CommitGraph, merges: Sequence[int], scope: Scope
) -> dict[int, list[bool]]:
    """Compare each merge with its parents: by the ids of folders, and only then by files."""
    if not merges:
        return {}
    above = {merge: graph.parents_of(merge) for merge in merges}
    needed = sorted({*merges, *(parent for line in above.values() for parent in line)})
    paths = scope.git_paths
    found = stream.folder_ids(repository, _oids(graph, needed), paths)
    ids = dict(zip(needed, found, strict=True))
    # The folders behind these hold more than the scope: there a difference may not count.
    whole = len(scope.folders)
    doubtful = {
        pair
        for merge, line in above.items()
        for parent in line
        if ids[parent][:whole] == ids[merge][:whole]
        for pair in zip(ids[parent][whole:], ids[merge][whole:], strict=True)
        if pair[0] != pair[1] and all(pair)
    }
    apart = stream.differing_paths(repository, sorted(doubtful)) if doubtful else {}
    counts = {
        (folder, *pair): any(scope.contains(f"{folder}/{name}") for name in names)
        for folder in paths[whole:]
        for pair, names in apart.items()
    }

    def same(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
        return left[:whole] == right[:whole] and not any(
            counts.get((folder, a, b), a != b)
            for folder, a, b in zip(paths[whole:], left[whole:], right[whole:], strict=True)
        )

    return {merge: [same(ids[p], ids[merge]) for p in line] for merge, line in above.items()}

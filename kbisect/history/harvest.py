# SPDX-License-Identifier: GPL-2.0-or-later
"""What git is asked for an index: the graph, then everything else about its new commits at once.

git works in processes of its own; the threads here wait for them and parse. Commits are read by
several processes, since a commit's difference from its parent needs no other commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from kbisect.git import commits as stream
from kbisect.git.commits import Change, CommitRecord
from kbisect.git.repository import Repository
from kbisect.history.graph import CommitGraph
from kbisect.history.scope import Scope

_READERS = 2
# Fewer commits than this aren't worth a second process.
_WORTH_SPLITTING = 2000


@dataclass(frozen=True, slots=True)
class Harvest:
    """New commits, from number `first` of the graph on.

    Attributes
    ----------
    records : those in scope, merges apart, in the graph's order
    makefiles : (commit, blob) wherever the top Makefile changed
    titles : subject of each merge
    sides : for each merge, per parent whether the scope is the same there
    lines : (commit, path, added, removed), if they are counted
    """

    first: int
    records: list[CommitRecord]
    makefiles: list[tuple[str, str]]
    titles: dict[int, str]
    sides: dict[int, list[bool]]
    lines: list[tuple[str, str, int, int]]


def gather(
    repository: Repository, graph: CommitGraph, first: int, scope: Scope, count_lines: bool
) -> Harvest:
    """Read what is to be known of the commits numbered `first` and up."""
    parents = np.diff(graph.start)[first:]
    plain = graph_oids(graph, (first + np.flatnonzero(parents < 2)).tolist())
    merges = (first + np.flatnonzero(parents > 1)).tolist()
    share = len(plain) // _READERS + 1 if len(plain) > _WORTH_SPLITTING else len(plain)
    with ThreadPoolExecutor(_READERS + 2) as pool:
        parts = [
            pool.submit(_read, repository, plain[at : at + share], scope)
            for at in range(0, len(plain), share or 1)
        ]
        sides = pool.submit(_sides, repository, graph, merges, scope)
        titles = pool.submit(_titles, repository, graph, merges)
        records: list[CommitRecord] = []
        makefiles: list[tuple[str, str]] = []
        for part in parts:
            more, set_by = part.result()
            records += more
            makefiles += set_by
        counted = _count(pool, repository, records, scope) if count_lines else []
        records = _with_renames(repository, records, scope)
        return Harvest(
            first,
            records,
            makefiles,
            titles.result(),
            sides.result(),
            [row for part in counted for row in part.result()],
        )


def graph_oids(graph: CommitGraph, numbers: Sequence[int]) -> list[str]:
    """Return the oids of many commits."""
    listed = list(graph.oids)
    return [listed[number] for number in numbers]


def _read(
    repository: Repository, oids: Sequence[str], scope: Scope
) -> tuple[list[CommitRecord], list[tuple[str, str]]]:
    kept: list[CommitRecord] = []
    makefiles: list[tuple[str, str]] = []
    known: dict[str, bool] = {"Makefile": True}

    def counts(path: str) -> bool:
        answer = known.get(path)
        if answer is None:
            answer = known[path] = scope.contains(path)
        return answer

    in_scope = scope.contains("Makefile")
    for record in stream.records(repository, oids, [*scope.git_paths, "Makefile"], counts):
        changes = record.changes
        at = next((at for at, change in enumerate(changes) if change.path == "Makefile"), None)
        if at is not None:
            makefiles.append((record.oid, changes[at].new_blob))
            if not in_scope:
                changes = changes[:at] + changes[at + 1 :]
        if changes:
            kept.append(record if changes is record.changes else replace(record, changes=changes))
    return kept, makefiles


def _with_renames(
    repository: Repository, records: list[CommitRecord], scope: Scope
) -> list[CommitRecord]:
    """Pair files that a commit deletes with those it adds: by content, else by git's similarity."""
    movers = [
        at
        for at, record in enumerate(records)
        if {"A", "D"} <= {change.status for change in record.changes}
    ]
    oids = [records[at].oid for at in movers]
    found = stream.renamed(repository, oids, scope.git_paths) if oids else {}
    for at in movers:
        record = records[at]
        pairs = found.get(record.oid, {})
        here = {change.path for change in record.changes}
        pairs = {new: old for new, old in pairs.items() if new in here and old in here}
        gone = set(pairs.values())
        changes = tuple(
            _moved(change, pairs) for change in record.changes if change.path not in gone
        )
        if pairs:
            records[at] = replace(record, changes=changes)
    return records


def _moved(change: Change, pairs: dict[str, str]) -> Change:
    old = pairs.get(change.path)
    return replace(change, status="R", old_path=old) if old else change


def _count(
    pool: ThreadPoolExecutor, repository: Repository, records: Sequence[CommitRecord], scope: Scope
) -> list[Future[list[tuple[str, str, int, int]]]]:
    inside = {(record.oid, change.path) for record in records for change in record.changes}

    def read(oids: Sequence[str]) -> list[tuple[str, str, int, int]]:
        counted = stream.line_counts(repository, oids, scope.git_paths)
        return [row for row in counted if (row[0], row[1]) in inside]

    oids = [record.oid for record in records]
    share = len(oids) // _READERS + 1
    return [pool.submit(read, oids[at : at + share]) for at in range(0, len(oids), share)]


def _titles(repository: Repository, graph: CommitGraph, merges: Sequence[int]) -> dict[int, str]:
    if not merges:
        return {}
    told = stream.subjects(repository, graph_oids(graph, merges))
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
    found = stream.folder_ids(repository, graph_oids(graph, needed), paths)
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

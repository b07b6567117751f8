# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands between a fix and a branch: upstream commits that wrote the lines it builds on.

A fix conflicts where the lines it removes, or those around its hunks, aren't what the branch has.
Whoever wrote such a line upstream, after the branch, is what the fix needs to be picked as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from threading import Lock

from kbisect.backport.candidates import Survey
from kbisect.git.commits import records
from kbisect.git.filediffs import FileDiff, file_diffs
from kbisect.git.picks import Picker
from kbisect.git.repository import Repository
from kbisect.history.store import Index

_CONTEXT = 3
"""Lines around a hunk that a merge looks at."""
_DUMB = 3
"""A line of fewer letters is written by everybody."""
_FILES = 64
"""Files that are kept: the next fix is often of the same driver."""


@dataclass(frozen=True, slots=True)
class _Written:
    number: int
    oid: str
    lines: frozenset[bytes]


@dataclass(slots=True)
class _History:
    """Who wrote to a file, oldest first, as far as it is read: the numbers below `end`."""

    writers: list[_Written] = field(default_factory=list)
    end: int = 0


class Histories:
    """Upstream's commits that a branch lacks, by file; each is read once, by any thread."""

    def __init__(self, repository: Repository, index: Index, surveyed: Survey) -> None:
        self._repository = repository
        self._index = index
        # At once: only one thread may ask the index.
        rows: list[tuple[int, str]] = index.rows("SELECT number, oid FROM commits ORDER BY number")
        self._missing = [(number, oid) for number, oid in rows if surveyed.missing[number]]
        self._touching: dict[str, list[tuple[int, str]]] = {}
        self._around: dict[str, set[str]] = {}
        for path, number, oid in index.rows(
            "SELECT DISTINCT x.path, c.number, c.oid FROM changes x JOIN commits c ON c.oid = x.oid"
            " ORDER BY c.number"
        ):
            writers = self._touching.setdefault(path, [])
            if surveyed.missing[number]:
                writers.append((number, oid))
                self._around.setdefault(oid, set()).add(folder(path))
        self._coming = {each.oid for each in surveyed.candidates}
        self._histories: dict[str, _History] = {}
        self._changes: dict[tuple[str, str], FileDiff] = {}
        self._read: set[str] = set()
        self._readers: dict[str, Lock] = {}
        self._outside: dict[str, list[tuple[int, str]]] | None = None
        self._one_outside = Lock()

    def number(self, oid: str) -> int:
        """Return a commit's place in upstream's order."""
        return self._index.number(oid)

    def before(self, path: str, oid: str) -> Sequence[_Written]:
        """Return who wrote to a file before a commit, oldest first.

        Of a file out of scope only those who also wrote around it, or are to be taken anyway: a
        feature of another driver is not what a fix needs for its line in the release notes.
        """
        number = self.number(oid)
        known = self._histories.get(path)
        if known is None or known.end < number:
            self.read([path], number)
            known = self._histories[path]
        end = bisect_left(known.writers, number, key=lambda written: written.number)
        writers = known.writers[:end]
        if path in self._touching:
            return writers
        around = self._around.get(oid, set())
        return [
            each for each in writers if each.oid in self._coming or around & self._around[each.oid]
        ]

    def _writers(self, path: str) -> Sequence[tuple[int, str]]:
        """Return the missing commits that change a path, oldest first: numbers and oids."""
        inside = self._touching.get(path)
        return self._writers_outside().get(path, ()) if inside is None else inside

    def _writers_outside(self) -> Mapping[str, Sequence[tuple[int, str]]]:
        """Return the same of the paths out of scope.

        Mail maps and release notes are changed with many a fix, and conflict as often.
        """
        with self._one_outside:
            if self._outside is None:
                found: dict[str, list[tuple[int, str]]] = {}
                numbers = {oid: number for number, oid in self._missing}
                for record in records(self._repository, numbers, ()):
                    for change in record.changes:
                        writer = (numbers[record.oid], record.oid)
                        found.setdefault(change.path, []).append(writer)
                self._outside = found
            return self._outside

    def change(self, oid: str, path: str) -> FileDiff | None:
        """Return what a commit does to a file, None where that is nothing."""
        known = self._changes.get((oid, path))
        if known is None and oid not in self._read:
            for file in file_diffs(self._repository, [oid]):
                self._changes[oid, file.path] = file
            self._read.add(oid)
            known = self._changes.get((oid, path))
        return known

    def read(self, paths: Iterable[str], end: int) -> None:
        """Read the histories of files up to a commit's number, and that commit.

        Those of one folder at once are quicker than one after another; but git compares each path
        it meets with each that is asked for.
        """
        for above, own in groupby(
            sorted(set(paths), key=lambda path: (folder(path), path)), folder
        ):
            self._read_folder(above, list(own), end)

    def _read_folder(self, above: str, paths: Sequence[str], end: int) -> None:
        with self._readers.setdefault(above, Lock()):
            lacking = {
                path: self._histories.get(path) or _History()
                for path in paths
                if path not in self._histories or self._histories[path].end < end
            }
            if lacking:
                self._extend(lacking, end)

    def _extend(self, lacking: Mapping[str, _History], end: int) -> None:
        numbers = {
            oid: number
            for path, known in lacking.items()
            for number, oid in self._writers(path)
            if known.end <= number <= end
        }
        grown = {path: list(known.writers) for path, known in lacking.items()}
        order = sorted(numbers, key=numbers.__getitem__)
        for file in file_diffs(self._repository, order, list(lacking)):
            number = numbers[file.oid]
            if file.path in grown and lacking[file.path].end <= number < end:
                lines = frozenset(_told(file.added()))
                grown[file.path].append(_Written(number, file.oid, lines))
            self._changes[file.oid, file.path] = file
        for path, writers in grown.items():
            self._histories[path] = _History(writers, end)


def folder(path: str) -> str:
    """Return where a file is."""
    return path.rpartition("/")[0]


class Blockers:
    """Finds them for the fixes of one survey."""

    def __init__(self, histories: Histories, picker: Picker) -> None:
        self._histories = histories
        self._picker = picker
        self._lines = lru_cache(_FILES)(self._read)
        self._wanted: dict[tuple[str, str], set[bytes]] = {}

    def of(self, oid: str, paths: Sequence[str], tree: str) -> tuple[str, ...]:
        """Return the commits that a fix needs to be picked onto a tree object, in order.

        Parameters
        ----------
        paths : that conflict
        """
        found: dict[int, str] = {}
        self._histories.read(paths, self._histories.number(oid))
        for path in paths:
            before = self._histories.before(path, oid)
            # Where nothing is missing, nothing blocks.
            own = self._histories.change(oid, path) if before else None
            wanted = self._expected(own) if own else set()
            writers = [written for written in before if not wanted.isdisjoint(written.lines)]
            if not writers:
                continue
            # Only what one of them wrote is worth looking for.
            written_since = wanted.intersection(set().union(*(each.lines for each in writers)))
            absent = written_since - self._lines(self._picker.blob(tree, path))
            for writer in reversed(writers):
                if not absent.isdisjoint(writer.lines):
                    absent -= writer.lines
                    found[writer.number] = writer.oid
        return tuple(found[each] for each in sorted(found))

    def _read(self, blob: str | None) -> frozenset[bytes]:
        """Return the lines of a file, whatever their indentation."""
        content = self._picker.read(blob) if blob else b""
        return frozenset(map(bytes.strip, content.split(b"\n")))

    def _expected(self, file: FileDiff) -> set[bytes]:
        """Return the lines that a fix takes for granted in a file."""
        known = self._wanted.get((file.oid, file.path))
        if known is not None:
            return known
        before = self._picker.before(file.oid, file.path)
        old = before.split(b"\n") if before else []
        wanted: set[bytes] = set()
        for line, count in file.spans():
            # A hunk that only adds stands behind its line; others begin with it.
            first = line - bool(count)
            wanted.update(old[max(0, first - _CONTEXT) : first + count + _CONTEXT])
        self._wanted[file.oid, file.path] = _told(wanted)
        return self._wanted[file.oid, file.path]


def _told(lines: Iterable[bytes]) -> set[bytes]:
    return {bare for line in lines if len(bare := line.strip()) > _DUMB}

# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands between a fix and a branch: upstream commits that wrote the lines it builds on.

A fix conflicts where the lines it removes, or those around its hunks, aren't what the branch has.
Whoever wrote such a line upstream, after the branch, is what the fix needs to be picked as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from threading import RLock

from kbisect.backport.candidates import Survey
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


class Histories:
    """Upstream's commits that a branch lacks, by file; each file's are read once, by any thread."""

    def __init__(self, repository: Repository, index: Index, surveyed: Survey) -> None:
        self._repository = repository
        self._index = index
        self._missing = surveyed.missing
        self._histories: dict[str, list[_Written]] = {}
        self._changes: dict[tuple[str, str], FileDiff] = {}
        self._read: set[str] = set()
        self._one_reader = RLock()

    @cached_property
    def _touching(self) -> dict[str, list[tuple[int, str]]]:
        """Upstream's missing commits by the paths they change."""
        found: dict[str, list[tuple[int, str]]] = {}
        for path, number, oid in self._index.rows(
            "SELECT DISTINCT x.path, c.number, c.oid FROM changes x JOIN commits c ON c.oid = x.oid"
        ):
            if self._missing[number]:
                found.setdefault(path, []).append((number, oid))
        return found

    def number(self, oid: str) -> int:
        """Return a commit's place in upstream's order."""
        return self._index.number(oid)

    def of(self, path: str) -> Sequence[_Written]:
        """Return who wrote to a file, oldest first."""
        if path not in self._histories:
            self.read([path])
        return self._histories[path]

    def change(self, oid: str, path: str) -> FileDiff | None:
        """Return what a commit does to a file, None where that is nothing."""
        known = self._changes.get((oid, path))
        if known is None and oid not in self._read:
            with self._one_reader:
                self._changes |= {
                    (oid, file.path): file for file in file_diffs(self._repository, [oid])
                }
                self._read.add(oid)
            known = self._changes.get((oid, path))
        return known

    def read(self, paths: Iterable[str]) -> None:
        """Read the histories of many files at once."""
        with self._one_reader:
            found: dict[str, list[_Written]] = {
                path: [] for path in sorted(set(paths) - self._histories.keys())
            }
            if not found:
                return
            numbers = {
                oid: number for path in found for number, oid in self._touching.get(path, ())
            }
            order = sorted(numbers, key=numbers.__getitem__)
            for file in file_diffs(self._repository, order, list(found)):
                if file.path in found:
                    lines = frozenset(_told(file.added()))
                    found[file.path].append(_Written(numbers[file.oid], file.oid, lines))
                    self._changes[file.oid, file.path] = file
            self._histories |= found


class Blockers:
    """Finds them for the fixes of one survey."""

    def __init__(self, histories: Histories, picker: Picker) -> None:
        self._histories = histories
        self._picker = picker
        self._content = lru_cache(_FILES)(self._read)
        self._wanted: dict[tuple[str, str], set[bytes]] = {}

    def of(self, oid: str, paths: Sequence[str], tree: str) -> tuple[str, ...]:
        """Return the commits that a fix needs to be picked onto a tree object, in order.

        Parameters
        ----------
        paths : that conflict
        """
        number = self._histories.number(oid)
        found: dict[int, str] = {}
        self._histories.read(paths)
        for path in paths:
            history = self._histories.of(path)
            before = history[: bisect_left(history, number, key=lambda written: written.number)]
            # Where nothing is missing, nothing blocks.
            own = self._histories.change(oid, path) if before else None
            wanted = self._expected(own) if own else set()
            writers = [written for written in before if not wanted.isdisjoint(written.lines)]
            if not writers:
                continue
            # Only what one of them wrote is worth looking for.
            written_since = wanted.intersection(set().union(*(each.lines for each in writers)))
            here = self._content(self._picker.blob(tree, path))
            absent = {line for line in written_since if not _has_line(here, line)}
            for writer in reversed(writers):
                if not absent.isdisjoint(writer.lines):
                    absent -= writer.lines
                    found[writer.number] = writer.oid
        return tuple(found[each] for each in sorted(found))

    def _read(self, blob: str | None) -> bytes:
        return self._picker.read(blob) if blob else b""

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


def _has_line(content: bytes, line: bytes) -> bool:
    """Whether a line stands in a file, whatever its indentation."""
    at = content.find(line)
    while at >= 0:
        end = at + len(line)
        first, last = content.rfind(b"\n", 0, at) + 1, content.find(b"\n", end)
        if content[first : last if last >= 0 else None].strip() == line:
            return True
        at = content.find(line, end)
    return False


def _told(lines: Iterable[bytes]) -> set[bytes]:
    return {bare for line in lines if len(bare := line.strip()) > _DUMB}

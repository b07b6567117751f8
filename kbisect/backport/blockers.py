# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands between a fix and a branch: upstream commits that wrote the lines it builds on.

A fix conflicts where the lines it removes, or those around its hunks, aren't what the branch has.
Whoever wrote such a line upstream, after the branch, is what the fix needs to be picked as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from kbisect.backport.candidates import Survey
from kbisect.git.patches import FilePatch, of_commits
from kbisect.git.picks import Picker
from kbisect.git.repository import Repository
from kbisect.history.store import Index

_CONTEXT = 3
"""Lines around a hunk that a merge looks at."""
_DUMB = 3
"""A line of fewer letters is written by everybody."""


@dataclass(frozen=True, slots=True)
class _Written:
    number: int
    oid: str
    file: FilePatch
    lines: frozenset[bytes]


class Blockers:
    """Finds them for the fixes of one survey; reads each file's missing history once."""

    def __init__(
        self, repository: Repository, index: Index, surveyed: Survey, picker: Picker
    ) -> None:
        self._repository = repository
        self._index = index
        self._missing = surveyed.missing
        self._picker = picker
        self._history: dict[str, list[_Written]] = {}
        self._patches: dict[str, tuple[FilePatch, ...]] = {}
        self._told: dict[str, frozenset[bytes]] = {}

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

    def of(self, oid: str, paths: Sequence[str], tree: str) -> tuple[str, ...]:
        """Return the commits that a fix needs to be picked onto a tree object, in order.

        Parameters
        ----------
        paths : that conflict
        """
        number = self._index.number(oid)
        found: dict[int, str] = {}
        self.read_histories(paths)
        # Where nothing is missing, nothing blocks.
        written_to = [path for path in paths if self._history[path]]
        for file in self._own(oid, number, written_to):
            absent = self._expected(oid, file) - self._lines(tree, file.path)
            for written in reversed(self._history[file.path]):
                if written.number < number and not absent.isdisjoint(written.lines):
                    absent -= written.lines
                    found[written.number] = written.oid
        return tuple(found[each] for each in sorted(found))

    def _own(self, oid: str, number: int, paths: Sequence[str]) -> list[FilePatch]:
        """Return what a fix changes in some files whose histories are read."""
        if self._missing[number] and all(self._touched(oid, path) for path in paths):
            mine = (each for path in paths for each in self._history[path] if each.oid == oid)
            return [each.file for each in mine]
        if oid not in self._patches:
            self._patches |= {oid: ()} | {
                patch.oid: patch.files for patch in of_commits(self._repository, [oid])
            }
        return [file for file in self._patches[oid] if file.path in paths]

    def _touched(self, oid: str, path: str) -> bool:
        return any(each == oid for _, each in self._touching.get(path, ()))

    def _lines(self, tree: str, path: str) -> frozenset[bytes]:
        """Return the telling lines of a file in a tree object."""
        blob = self._picker.blob(tree, path)
        if blob is None:
            return frozenset()
        if blob not in self._told:
            self._told[blob] = frozenset(_told(self._picker.read(blob).split(b"\n")))
        return self._told[blob]

    def _expected(self, oid: str, file: FilePatch) -> set[bytes]:
        """Return the lines that a fix takes for granted in a file."""
        before = self._picker.before(oid, file.path)
        old = before.split(b"\n") if before else []
        wanted: set[bytes] = set()
        for hunk in file.hunks:
            # A hunk that only adds stands behind its line; others begin with it.
            first = hunk.old_start - bool(hunk.removed)
            last = first + len(hunk.removed)
            wanted.update(old[max(0, first - _CONTEXT) : last + _CONTEXT])
        return _told(wanted)

    def read_histories(self, paths: Iterable[str]) -> None:
        """Read the missing history of many files at once."""
        unread = sorted(set(paths) - self._history.keys())
        if not unread:
            return
        self._history |= {path: [] for path in unread}
        numbers = {oid: number for path in unread for number, oid in self._touching.get(path, ())}
        order = sorted(numbers, key=numbers.__getitem__)
        for patch in of_commits(self._repository, order, unread):
            for file in patch.files:
                came = frozenset(_told(line for hunk in file.hunks for line in hunk.added))
                if file.path in self._history:
                    written = _Written(numbers[patch.oid], patch.oid, file, came)
                    self._history[file.path].append(written)


def _told(lines: Iterable[bytes]) -> set[bytes]:
    return {bare for line in lines if len(bare := line.strip()) > _DUMB}

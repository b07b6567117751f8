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

    def read(self, oids: Iterable[str]) -> None:
        """Read the patches of many fixes at once."""
        for patch in of_commits(self._repository, oids):
            self._patches[patch.oid] = patch.files

    def of(self, oid: str, paths: Sequence[str], tree: str) -> tuple[str, ...]:
        """Return the commits that a fix needs to be picked onto a tree object, in order.

        Parameters
        ----------
        paths : that conflict
        """
        if oid not in self._patches:
            self.read([oid])
        number = self._index.number(oid)
        found: dict[int, str] = {}
        for file in self._patches.get(oid, ()):
            if file.path not in paths:
                continue
            here = self._picker.content(tree, file.path) or b""
            absent = self._expected(oid, file) - _told(here.split(b"\n"))
            for written in reversed(self._history_of(file.path)):
                if written.number < number and not absent.isdisjoint(written.lines):
                    absent -= written.lines
                    found[written.number] = written.oid
        return tuple(found[each] for each in sorted(found))

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

    def _history_of(self, path: str) -> list[_Written]:
        """Return what upstream's missing commits wrote into a file, oldest first."""
        if path not in self._history:
            self.read_histories({path})
        return self._history[path]

    def read_histories(self, paths: Iterable[str]) -> None:
        """Read the missing history of many files at once."""
        unread = sorted(set(paths) - self._history.keys())
        self._history |= {path: [] for path in unread}
        numbers = {oid: number for path in unread for number, oid in self._touching.get(path, ())}
        order = sorted(numbers, key=numbers.__getitem__)
        for patch in of_commits(self._repository, order, unread):
            for file in patch.files:
                came = frozenset(_told(line for hunk in file.hunks for line in hunk.added))
                if file.path in self._history and came:
                    self._history[file.path].append(_Written(numbers[patch.oid], patch.oid, came))


def _told(lines: Iterable[bytes]) -> set[bytes]:
    return {bare for line in lines if len(bare := line.strip()) > _DUMB}

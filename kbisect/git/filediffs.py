# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches of many commits, kept as git wrote them and taken apart only where somebody asks.

What a backport needs of thousands of commits is which lines came or went; `patches` makes an
object of each hunk, which takes five times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from kbisect.git.patches import FLAGS
from kbisect.git.quoting import unquoted
from kbisect.git.repository import Repository

_CHUNK = 1 << 20
_FILE = b"\ndiff --git "
_HUNKS = b"\n@@ "
_ADDED = re.compile(rb"^\+(.*)", re.MULTILINE)
_REMOVED = re.compile(rb"^-(.*)", re.MULTILINE)
_HEAD = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+", re.MULTILINE)
_NAME = re.compile(rb"^(?:---|\+\+\+) (?!/dev/null)([^\t\n]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What one commit does to one file.

    Attributes
    ----------
    hunks : as `git diff-tree -U0` writes them, from the first `@@`; empty for a binary file
    """

    oid: str
    path: str
    hunks: bytes

    def added(self) -> list[bytes]:
        """Return the lines that came."""
        return _ADDED.findall(self.hunks)

    def removed(self) -> list[bytes]:
        """Return the lines that went."""
        return _REMOVED.findall(self.hunks)

    def spans(self) -> list[tuple[int, int]]:
        """Return for each hunk its first old line (1-based) and how many go.

        Where none goes, it is the line that the new ones stand behind.
        """
        return [
            (int(first), 1 if count is None else int(count))
            for first, count in (head.groups() for head in _HEAD.finditer(self.hunks))
        ]


def file_diffs(
    repository: Repository, oids: Iterable[str], paths: Sequence[str] = ()
) -> Iterator[FileDiff]:
    """Read what some commits do to the files below `paths`, in the order given.

    Renames are a removal and an addition. Merges change nothing.

    Raises
    ------
    GitFailed
        git could not (an object is absent).
    """
    asked = (f"{oid}\n".encode("ascii") for oid in oids)
    with repository.stream("diff-tree", "--stdin", *FLAGS, "--", *paths, stdin=asked) as pipe:
        for commit in _commits(pipe):
            head, *files = commit.split(_FILE)
            oid = head[:40].decode("ascii")
            for file in files:
                name, _, hunks = file.partition(_HUNKS)
                found = _NAME.findall(name)
                if found:
                    path = unquoted(found[-1])[2:].decode("utf-8", "backslashreplace")
                    yield FileDiff(oid, path, b"@@ " + hunks if hunks else b"")


def _commits(pipe: IO[bytes]) -> Iterator[bytes]:
    """Split at the mark before each commit: no line of a patch begins with it."""
    rest = b"\n"
    while chunk := pipe.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n\x01")
        yield from filter(None, whole)
    if rest.strip():
        yield rest

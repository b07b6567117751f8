# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a name is defined and where it is used, over the sources of one version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kbisect.api import chunks
from kbisect.git import blobs
from kbisect.git.repository import Repository

FOLDERS = ("net", "drivers/net", "include", "drivers/ssb", "drivers/bcma")
"""Where network code is; the whole tree takes several times as long."""


@dataclass(frozen=True, slots=True)
class Place:
    """One line of a file."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class References:
    """Definitions and declarations apart from uses, each in the order of the files."""

    definitions: tuple[Place, ...]
    references: tuple[Place, ...]


def find(
    repository: Repository, commit: str | None, name: str, folders: Sequence[str] = FOLDERS
) -> References:
    """Find a name in the sources of a commit, or (None) of the worktree; comments don't count.

    `folders` are looked through, all where there are none.
    """
    word = name.removeprefix("struct ").strip()
    lines = blobs.lines_with(repository, commit, word.rsplit(".", 1)[-1], folders)
    places = [Place(*line) for line in lines]
    code = Code(sources(repository, commit, {place.file for place in places}, folders))
    return sort(word, in_code(word, places, code))


def sources(
    repository: Repository, commit: str | None, paths: Iterable[str], folders: Sequence[str]
) -> dict[str, bytes]:
    """Read files of a commit, or (None) of the worktree.

    Parameters
    ----------
    paths : those that are below none of the `folders` are left out
    """
    wanted = sorted(set(paths))
    if not wanted:
        return {}
    if commit is None:
        files = blobs.in_worktree(repository, wanted)
    else:
        files = blobs.at_commit(repository, commit, folders)
    oids = {path: files.blobs[path] for path in wanted if path in files.blobs}
    missing = sorted({*oids.values()} - {*files.loaded})
    contents = {**files.loaded, **dict(blobs.read(repository, missing))}
    return {path: contents[oid] for path, oid in oids.items()}


class Code:
    """Sources without their comments and strings, each cleaned when it is first looked at."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents
        self._texts: dict[str, str] = {}
        self._starts: dict[str, list[int]] = {}

    def text(self, path: str) -> str:
        """Return a file, blanks in the place of what is no code; empty where there is none."""
        if path not in self._texts:
            self._texts[path] = chunks.clean(self._contents.get(path, b""))
        return self._texts[path]

    def span(self, place: Place) -> tuple[int, int]:
        """Return where a line begins and ends in the text."""
        text = self.text(place.file)
        if place.file not in self._starts:
            ends = (found.end() for found in re.finditer(r"\n", text))
            self._starts[place.file] = [0, *ends, len(text) + 1]
        starts = self._starts[place.file]
        if place.line >= len(starts):
            return len(text), len(text)
        return starts[place.line - 1], starts[place.line] - 1

    def line(self, place: Place) -> str:
        """Return what is code in a line."""
        start, end = self.span(place)
        return self.text(place.file)[start:end]


def in_code(name: str, lines: Iterable[Place], code: Code) -> Iterator[Place]:
    """Leave out lines that have a name only in comments or strings.

    Parameters
    ----------
    name : as of `sort`
    lines : Place
    code : every file of the lines
    """
    word = re.compile(rf"\b{re.escape(name.rsplit('.', 1)[-1])}\b")
    return (place for place in lines if word.search(code.line(place)))


def sort(name: str, lines: Iterable[Place]) -> References:
    """Tell definitions from references among the lines that have a name as a word.

    Parameters
    ----------
    name : `skb_pad`, `sk_buff`; of `sk_buff.len` the last part is looked for
    lines : Place, every line with the word in code
    """
    word = re.escape(name.rsplit(".", 1)[-1])
    is_field = "." in name
    defined = re.compile(
        rf"^\s*(?:struct|union|enum)\s+{word}\s*\{{?\s*(?:/\*.*)?$"
        rf"|^\s*#\s*define\s+{word}\b"
        rf"|^(?!\s)(?!return|else|#|\*)[\w][\w\s*()]*?[\s*(]{word}\)?\s*\((?![^)]*\)\s*;)"
        rf"|^{word}\s*\(|^\}}\s*(?:\w+\s*)*{word}\s*;|^\s*typedef\b.*\b{word}\b\s*\)?.*;"
        rf"|^\s+{word}\s*(?:=[^=;]*)?,\s*(?:/\*.*)?$|^\s+{word}\s*(?:/\*.*)?$"
    )
    member = re.compile(rf"^\s+(?:[\w]+[\s*]+)+\(?\*?{word}\)?\s*(?:\[|\(|:|,|;)")
    used = re.compile(rf"(?:->|\.)\s*{word}\b")
    first: list[Place] = []
    rest: list[Place] = []
    for place in lines:
        text = place.text
        if is_field:
            if used.search(text):
                rest.append(place)
            elif place.file.endswith(".h") and member.search(text) and "return" not in text:
                first.append(place)
        elif defined.search(text):
            first.append(place)
        else:
            rest.append(place)
    return References(tuple(first), tuple(rest))

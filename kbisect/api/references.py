# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a name is defined and where it is used, over the sources of one version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kbisect.api import chunks
from kbisect.git import blobs
from kbisect.git.blobs import Files
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
    paths = sorted({place.file for place in places})
    if commit is None:
        files = blobs.in_worktree(repository, paths) if paths else Files({})
    else:
        files = blobs.at_commit(repository, commit, folders)
    oids = {path: files.blobs[path] for path in paths if path in files.blobs}
    contents = {
        **files.loaded,
        **dict(blobs.read(repository, sorted({*oids.values()} - {*files.loaded}))),
    }
    sources = {path: contents[oid] for path, oid in oids.items()}
    return sort(word, in_code(word, places, sources))


def in_code(name: str, lines: Iterable[Place], sources: Mapping[str, bytes]) -> Iterator[Place]:
    """Leave out lines that have a name only in comments or strings.

    Parameters
    ----------
    name : as of `sort`
    lines : Place
    sources : path to content, of every file of the lines
    """
    word = re.compile(rf"\b{re.escape(name.rsplit('.', 1)[-1])}\b")
    clean: dict[str, list[str]] = {}
    for place in lines:
        if place.file not in clean:
            clean[place.file] = chunks.clean(sources.get(place.file, b"")).split("\n")
        code = clean[place.file]
        if place.line <= len(code) and word.search(code[place.line - 1]):
            yield place


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
        rf"|^\s+{word}\s*(?:=[^=;]*)?,\s*(?:/\*.*)?$"
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

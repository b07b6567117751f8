# SPDX-License-Identifier: GPL-2.0-or-later
"""Prerequisites without a textual conflict: names a fix uses and the branch doesn't have.

A pick can be clean and yet call a function, or use a field, that came upstream after the branch:
it doesn't compile there. Headers tell: what upstream's missing commits added to a header, a fix
uses, and nothing on the branch mentions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from kbisect.backport.candidates import Survey
from kbisect.backport.fixes import Candidate
from kbisect.git.filediffs import file_diffs
from kbisect.git.repository import Repository
from kbisect.git.words import WORD, words
from kbisect.history.store import Index

_TALK = re.compile(
    rb"\"(?:\\.|[^\"\\\n])*\"|/\*.*?(?:\*/|$)|//.*|^[^\S\n]*\*(?:[^\S\n].*|/.*)?$", re.MULTILINE
)
"""Strings and comments, of each line by itself."""
_SOURCE = (".c", ".h", ".S")
_HEAD = re.compile(
    rb"^[ \t]*\#[ \t]*define[ \t]+(?P<macro>[A-Za-z_]\w*)"
    rb"|\b(?:struct|union|enum)[ \t]+(?P<tag>[A-Za-z_]\w*)[ \t]*(?:\{|$)"
    rb"|\([ \t]*\*[ \t]*(?P<pointer>[A-Za-z_]\w*)[ \t]*\)[ \t]*\("
    rb"|^[ \t]*(?P<enumerator>[A-Z]\w*)[ \t]*(?:=[^=;,]*)?,?[ \t]*$"
    rb"|^(?:[A-Za-z_][\w \t*]*[ \t*])?(?P<function>[A-Za-z_]\w*)[ \t]*\(",
    re.MULTILINE,
)
_VARIABLES = re.compile(
    rb"^[ \t]*(?!(?:return|goto|else|case)\b)(?:[A-Za-z_]\w*[ \t]+)*[A-Za-z_]\w*[ \t*]+"
    rb"(?P<names>\**[A-Za-z_][^;{}]*)(?:;|=[ \t]*$)",
    re.MULTILINE,
)
"""A line that declares variables or fields: a type, then names."""
_NAME = re.compile(rb"(?:^|,)[ \t*]*([A-Za-z_]\w*)[ \t]*(?=[\[:=,]|$)")


@dataclass(frozen=True, slots=True)
class Absent:
    """A name that the branch doesn't have.

    Attributes
    ----------
    commit : the upstream commit that brought it, None where no header in scope declares it
    """

    name: str
    commit: str | None


def absent_names(
    repository: Repository,
    index: Index,
    surveyed: Survey,
    candidates: Iterable[Candidate],
) -> dict[str, tuple[Absent, ...]]:
    """Return, for each candidate that uses any, the names that the branch lacks.

    Returns
    -------
    dict
        candidate's oid → names, those of one commit together
    """
    candidates = list(candidates)
    brings = _brought(repository, [candidate.oid for candidate in candidates])
    used = {oid: own.words - own.names for oid, own in brings}
    wanted = set().union(*used.values()) if used else set()
    seen: dict[bytes, int] = {}
    brought: dict[bytes, tuple[int, str]] = {}
    for oid, own in _brought(repository, _missing_in_headers(index, surveyed), ["*.h"]):
        number = index.number(oid)
        for word in own.words & wanted:
            seen.setdefault(word, number)
        for word in own.names & wanted:
            brought.setdefault(word, (number, oid))
    if not seen:
        return {}
    touched = {path for each in candidates for path in each.files if path.endswith(".c")}
    here = words(repository, surveyed.branch, ["*.h", *sorted(touched)])
    found: dict[str, tuple[Absent, ...]] = {}
    for oid, own_words in used.items():
        last = index.number(oid)
        lacking: list[tuple[int, str, str | None]] = []
        # What comes later can't be needed.
        for word in (own_words & seen.keys()) - here:
            number, commit = brought.get(word, (last, None))
            if seen[word] < last:
                known = commit if number < last else None
                lacking.append((number if known else last, word.decode("ascii"), known))
        if lacking:
            lacking.sort(key=lambda each: each[:2])
            found[oid] = tuple(Absent(name, commit) for _, name, commit in lacking)
    return found


def _missing_in_headers(index: Index, surveyed: Survey) -> Sequence[str]:
    """Return upstream's commits that the branch lacks and that change a header, oldest first."""
    rows = index.rows(
        "SELECT DISTINCT c.number, c.oid FROM changes x JOIN commits c ON c.oid = x.oid"
        " WHERE x.path LIKE '%.h' ORDER BY c.number"
    )
    return [oid for number, oid in rows if surveyed.missing[number]]


@dataclass(frozen=True, slots=True)
class _Brought:
    """What the new lines of a commit say: all words, and those that they declare."""

    words: set[bytes]
    names: set[bytes]


def _brought(
    repository: Repository, oids: Iterable[str], paths: Sequence[str] = ()
) -> Iterator[tuple[str, _Brought]]:
    """Read what some commits bring: in their new lines, and not in those that went."""
    diffs = file_diffs(repository, oids, paths)
    for oid, files in groupby(diffs, key=lambda file: file.oid):
        source = [file for file in files if file.path.endswith(_SOURCE)]
        came = _code(line for file in source for line in file.added())
        gone = set(WORD.findall(_code(line for file in source for line in file.removed())))
        yield oid, _Brought(set(WORD.findall(came)) - gone, declared(came) - gone)


def declared(code: bytes) -> set[bytes]:
    """Return the names that some lines declare, each line read by itself."""
    names = {found[found.lastgroup or 0] for found in _HEAD.finditer(code)}
    for found in _VARIABLES.finditer(code):
        names.update(_NAME.findall(found["names"]))
    return names


def _code(lines: Iterable[bytes]) -> bytes:
    return _TALK.sub(b"", b"\n".join(lines))

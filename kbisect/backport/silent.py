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


@dataclass(frozen=True, slots=True)
class Absent:
    """A name that the branch doesn't have, and the upstream commit that brought it."""

    name: str
    commit: str


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
    used = dict(_brought(repository, [candidate.oid for candidate in candidates]))
    wanted = set().union(*used.values()) if used else set()
    brought: dict[bytes, tuple[int, str]] = {}
    for oid, own in _brought(repository, _missing_in_headers(index, surveyed), ["*.h"]):
        for word in own & wanted:
            brought.setdefault(word, (index.number(oid), oid))
    if not brought:
        return {}
    touched = {path for each in candidates for path in each.files if path.endswith(".c")}
    here = words(repository, surveyed.branch, ["*.h", *sorted(touched)])
    lacking = {word: by for word, by in brought.items() if word not in here}
    found: dict[str, tuple[Absent, ...]] = {}
    for oid, own in used.items():
        number = index.number(oid)
        names = sorted(
            (*lacking[word], word.decode("ascii"))
            for word in own & lacking.keys()
            # What brings a name needs nobody to bring it, and what comes later can't be needed.
            if lacking[word][0] < number
        )
        if names:
            found[oid] = tuple(Absent(name, commit) for _, commit, name in names)
    return found


def _missing_in_headers(index: Index, surveyed: Survey) -> Sequence[str]:
    """Return upstream's commits that the branch lacks and that change a header, oldest first."""
    rows = index.rows(
        "SELECT DISTINCT c.number, c.oid FROM changes x JOIN commits c ON c.oid = x.oid"
        " WHERE x.path LIKE '%.h' ORDER BY c.number"
    )
    return [oid for number, oid in rows if surveyed.missing[number]]


def _brought(
    repository: Repository, oids: Iterable[str], paths: Sequence[str] = ()
) -> Iterator[tuple[str, set[bytes]]]:
    """Read the words that some commits bring: in their new lines, and not in those that went."""
    diffs = file_diffs(repository, oids, paths)
    for oid, files in groupby(diffs, key=lambda file: file.oid):
        source = [file for file in files if file.path.endswith(_SOURCE)]
        came = _words(line for file in source for line in file.added())
        yield oid, came - _words(line for file in source for line in file.removed())


def _words(lines: Iterable[bytes]) -> set[bytes]:
    return set(WORD.findall(_TALK.sub(b"", b"\n".join(lines))))

# SPDX-License-Identifier: GPL-2.0-or-later
"""Prerequisites without a textual conflict: names a fix uses and the branch doesn't have.

A pick can be clean and yet call a function, or use a field, that came upstream after the branch:
it doesn't compile there. Headers tell: what upstream's missing commits added to a header, a fix
uses, and nothing on the branch mentions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kbisect.backport.candidates import Candidate, Survey
from kbisect.git.patches import CommitPatch, of_commits
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
    repository: Repository, index: Index, surveyed: Survey, candidates: Iterable[Candidate]
) -> dict[str, tuple[Absent, ...]]:
    """Return, for each candidate that uses any, the names that the branch lacks.

    Returns
    -------
    dict
        candidate's oid → names, those of one commit together
    """
    candidates = list(candidates)
    used = {
        patch.oid: _brought(patch, _SOURCE)
        for patch in of_commits(repository, [candidate.oid for candidate in candidates])
    }
    wanted = set().union(*used.values()) if used else set()
    brought: dict[bytes, str] = {}
    for patch in of_commits(repository, _missing_in_headers(index, surveyed), ["*.h"]):
        for word in _brought(patch, (".h",)) & wanted:
            brought.setdefault(word, patch.oid)
    if not brought:
        return {}
    touched = {path for each in candidates for path in each.files if path.endswith(".c")}
    here = words(repository, surveyed.branch, ["*.h", *sorted(touched)])
    lacking = {word: oid for word, oid in brought.items() if word not in here}
    found: dict[str, tuple[Absent, ...]] = {}
    for oid, own in used.items():
        names = sorted(
            (index.oids.number(lacking[word]) or 0, word.decode("ascii"), lacking[word])
            for word in own & lacking.keys()
            # What brings a name needs nobody to bring it.
            if lacking[word] != oid
        )
        if names:
            found[oid] = tuple(Absent(name, commit) for _, name, commit in names)
    return found


def _missing_in_headers(index: Index, surveyed: Survey) -> Sequence[str]:
    """Return upstream's commits that the branch lacks and that change a header, oldest first."""
    rows = index.rows(
        "SELECT DISTINCT c.number, c.oid FROM changes x JOIN commits c ON c.oid = x.oid"
        " WHERE x.path LIKE '%.h' ORDER BY c.number"
    )
    return [oid for number, oid in rows if surveyed.missing[number]]


def _brought(patch: CommitPatch, kinds: tuple[str, ...]) -> set[bytes]:
    """Return the words that a patch brings: in its new lines, and not in those that went."""
    came: set[bytes] = set()
    went: set[bytes] = set()
    for file in patch.files:
        if file.path.endswith(kinds):
            for hunk in file.hunks:
                came.update(_words(hunk.added))
                went.update(_words(hunk.removed))
    return came - went


def _words(lines: Sequence[bytes]) -> list[bytes]:
    return WORD.findall(_TALK.sub(b"", b"\n".join(lines)))

# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is in the way of a patch: the commits that changed the lines it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kbisect.git import patches
from kbisect.git.repository import Repository
from kbisect.patch.diffs import Hunk

_LOOK_BACK = 300
"""How many commits of the files in question are read."""
_MOST_BLOCKERS = 12
_NOTHING: Mapping[str, str] = MappingProxyType({})
_TRIVIAL = 3
"""Lines as short as `}` or `*/` say nothing."""


@dataclass(frozen=True, slots=True)
class Blocker:
    """A commit that is in the way: it changed lines that the patch is about.

    Attributes
    ----------
    oid, subject : of the commit
    paths : where
    lines : number of the lines that it took away; 0 where it only came between
    """

    oid: str
    subject: str
    paths: tuple[str, ...]
    lines: int


def blockers(found: Iterable[tuple[str, str, str, int]]) -> tuple[Blocker, ...]:
    """Put (oid, subject, path, lines) together, a Blocker for each commit, most lines first."""
    groups: dict[str, list[tuple[str, str, str, int]]] = {}
    for each in found:
        groups.setdefault(each[0], []).append(each)
    made = [
        Blocker(
            oid,
            group[0][1],
            tuple(dict.fromkeys(path for _, _, path, _ in group)),
            sum(lines for _, _, _, lines in group),
        )
        for oid, group in groups.items()
    ]
    return tuple(sorted(made, key=lambda blocker: -blocker.lines)[:_MOST_BLOCKERS])


def lines(hunks: Iterable[Hunk], marks: bytes) -> set[bytes]:
    """Return the lines of the given marks, without trivial ones."""
    return {
        line[1:]
        for hunk in hunks
        for line in hunk.lines
        if line[:1] in marks and len(line.strip()) > _TRIVIAL
    }


def in_the_way(
    repository: Repository,
    expected: Mapping[str, set[bytes]],
    onto: str,
    since: str | None = None,
    made_of: Mapping[str, str] = _NOTHING,
) -> Iterator[tuple[str, str, str, int]]:
    """Find the commits that took away lines that are expected, each line by the newest.

    A patch whose lines are all there fails because something came between them; then the newest
    commit that touched the file is named, with 0 lines. What a patch was made of has all of its own
    history: no commit up to the one that gave a file that content is in the way.

    Parameters
    ----------
    expected : path → lines
    onto, since : commits of `since..onto` are looked at; without `since`, of two years
    made_of : path → blob (its first digits will do) that the patch was made of, where it says so

    Yields
    ------
    (oid, subject, path, number of lines)
    """
    if not expected:
        return
    wanted = {path: set(those) for path, those in expected.items()}
    near = dict(patches.touching(repository, onto, tuple(wanted), _LOOK_BACK, since))
    explained: set[str] = set()
    newest: dict[str, str] = {}
    for commit in patches.of_commits(repository, near, tuple(wanted)):
        for file in commit.files:
            if file.path not in wanted:
                continue
            blob = made_of.get(file.path)
            if blob and file.new_blob.startswith(blob):
                del wanted[file.path]
                continue
            newest.setdefault(file.path, commit.oid)
            gone = {line for hunk in file.hunks for line in hunk.removed}
            came = {line for hunk in file.hunks for line in hunk.added}
            taken = (gone - came) & wanted[file.path]
            if taken:
                wanted[file.path] -= taken
                explained.add(file.path)
                yield commit.oid, near[commit.oid], file.path, len(taken)
    for path, oid in newest.items():
        if path not in explained:
            yield oid, near[oid], path, 0

# SPDX-License-Identifier: GPL-2.0-or-later
"""Can a commit be taken back there, and what has been built on it since?

Whether the text can be taken back, git's merge says. What would break then is looked for by
declaration: names that are gone, functions that take or return something else (`breakage`). What
uses its effect without naming it, nobody finds this way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kbisect.api import references
from kbisect.api.references import Code, Place
from kbisect.errors import UsageError
from kbisect.git import patches, publishing
from kbisect.git.picks import Picker
from kbisect.git.repository import Repository
from kbisect.git.snapshot import Snapshot
from kbisect.git.worktree import locate
from kbisect.history.store import Index
from kbisect.patch import breakage, functions
from kbisect.patch.blocking import Blocker, blockers, in_the_way, lines
from kbisect.patch.breakage import Broken
from kbisect.patch.loading import of_commits
from kbisect.patch.series import Patch

_LOOK_BACK = 400
_NAMES = 40
_USES = 200
_SOURCES = (".c", ".h", ".S", ".rs")


@dataclass(frozen=True, slots=True)
class Use:
    """A line that would still use what the revert takes away.

    Attributes
    ----------
    by : oid of the newest commit that changed lines with the name in that file, None if unknown
    why : what has become of the name, in a few words
    """

    name: str
    path: str
    line: int
    text: str
    by: str | None
    why: str = "is gone"


@dataclass(frozen=True, slots=True)
class Later:
    """A commit that says it builds on, fixes or mentions the one to be taken back."""

    oid: str
    subject: str
    kind: str


@dataclass(frozen=True, slots=True)
class Revert:
    """What would come of a revert.

    Attributes
    ----------
    oid, onto : full oids
    is_there : whether `onto` contains the commit
    tree : oid of the resulting tree object, None after a conflict
    changes_nothing : its effect is gone already
    conflicts : paths
    blockers : commits that changed the lines it brought
    uses : lines that would break
    later : what the index knows to follow it
    """

    oid: str
    subject: str
    onto: str
    is_there: bool
    tree: str | None
    changes_nothing: bool
    conflicts: tuple[str, ...]
    blockers: tuple[Blocker, ...]
    uses: tuple[Use, ...]
    later: tuple[Later, ...]

    @property
    def holds(self) -> bool:
        """Whether it can be taken back, and nothing known would break."""
        return self.tree is not None and not self.uses


def forecast(
    repository: Repository, oid: str, onto: str, index: Index | None, picker: Picker | None = None
) -> Revert:
    """Try a revert in memory.

    Raises
    ------
    UsageError
        The commit is a merge.
    """
    picker = picker or Picker(repository)
    patch = of_commits(repository, oid).patches[0]
    here = repository.commit(onto).tree
    pick = picker.revert(oid, here)
    is_there = repository.is_ancestor(oid, onto)
    since = oid if is_there else None
    brought = {
        file.path: lines(file.hunks, b"+") for file in patch.files if file.path in pick.conflicts
    }
    return Revert(
        oid=oid,
        subject=repository.commit(oid).subject,
        onto=onto,
        is_there=is_there,
        tree=pick.tree,
        changes_nothing=pick.empty,
        conflicts=pick.conflicts,
        blockers=blockers(in_the_way(repository, brought, onto, since)),
        uses=tuple(_uses(repository, patch, (here, pick.tree), onto, since)),
        later=tuple(_later(index, oid, repository, onto)),
    )


def _uses(
    repository: Repository,
    patch: Patch,
    trees: tuple[str, str | None],
    onto: str,
    since: str | None,
) -> Iterator[Use]:
    """Find the lines that would break, and who wrote them.

    Parameters
    ----------
    trees : before and after the revert; None after a conflict
    """
    here, reverted = trees
    gitdir = locate(repository).gitdir
    found = list(breakage.broken(gitdir, here, reverted)) if reverted else []
    known = {(each.path, each.line) for each in found}
    # Declarations that macros make are no declarations to a parser, but their names are read.
    found += (
        each
        for each in _named(Snapshot(gitdir, reverted or here), patch)
        if (each.path, each.line) not in known
    )
    found = sorted(found, key=lambda each: (each.path, each.line))[:_USES]
    names = tuple(dict.fromkeys(each.name for each in found))
    paths = tuple(dict.fromkeys(each.path for each in found))[:_NAMES]
    makers = _makers(repository, names, paths, onto, since)
    for each in found:
        by = makers.get((each.path, each.name))
        yield Use(each.name, each.path, each.line, each.text, by, each.why)


def _named(snapshot: Snapshot, patch: Patch) -> Iterator[Broken]:
    """Find what uses a name whose head the patch brought, and that nothing else defines."""
    names = functions.introduced(patch.files)[:_NAMES]
    found = [
        Place(path, number, text)
        for path, number, text in snapshot.lines_with(names)
        if path.endswith(_SOURCES)
    ]
    code = Code(snapshot.read({place.file for place in found}))
    own = {file.path: lines(file.hunks, b"+") for file in patch.files}
    for name in names:
        word = re.compile(rf"\b{re.escape(name)}\b")
        places = [place for place in found if word.search(place.text)]
        # After a conflict the commit's own lines are there still.
        others = [
            place
            for place in references.in_code(name, places, code)
            if place.text.encode("utf-8", "replace") not in own.get(place.file, ())
        ]
        told = references.sort(name, others)
        defined = {place.file for place in told.definitions}
        if not any(path.endswith(".h") for path in defined):
            for place in told.references:
                if place.file not in defined:
                    yield Broken(name, place.file, place.line, place.text.strip(), "is gone")


def _makers(
    repository: Repository, names: Sequence[str], paths: Sequence[str], onto: str, since: str | None
) -> dict[tuple[str, str], str]:
    """Return who wrote the uses: (path, name) → the newest commit that added a line with it."""
    if not paths:
        return {}
    near = dict(patches.touching(repository, onto, paths, _LOOK_BACK, since))
    found: dict[tuple[str, str], str] = {}
    for commit in patches.of_commits(repository, near, paths):
        for file in commit.files:
            text = b"\n".join(line for hunk in file.hunks for line in hunk.added)
            for name in names:
                if name.encode() in text:
                    found.setdefault((file.path, name), commit.oid)
    return found


def _later(index: Index | None, oid: str, repository: Repository, onto: str) -> Iterator[Later]:
    if index is None:
        return
    rows = index.rows(
        "SELECT DISTINCT l.oid, c.subject, l.kind FROM links l JOIN commits c ON c.oid = l.oid"
        " WHERE l.target = ? AND l.kind IN"
        " ('fixes', 'blames', 'builds-on', 'prerequisite', 'reverts') ORDER BY 1",
        [oid],
    )
    for later, subject, kind in rows:
        if repository.is_ancestor(later, onto):
            yield Later(later, subject, kind)


def make(repository: Repository, revert: Revert, branch: str) -> str:
    """Make a new branch with the revert; return the oid of its tip. Its message wants a reason.

    Raises
    ------
    UsageError
        It conflicts or changes nothing; the branch exists.
    """
    publishing.require_new(repository, branch)
    if revert.tree is None or revert.changes_nothing:
        why = f"it conflicts in {revert.conflicts[0]}" if revert.conflicts else "it changes nothing"
        raise UsageError(
            f"no branch made: {why}", hint="leave --branch out to see what is in the way"
        )
    scratch = locate(repository).gitdir
    text = f'Revert "{revert.subject}"\n\nThis reverts commit {revert.oid}.\n'
    tip = publishing.commit(repository, scratch, revert.tree, revert.onto, None, text)
    publishing.publish(repository, scratch, tip, revert.onto, branch)
    return tip

# SPDX-License-Identifier: GPL-2.0-or-later
"""A range moved onto another commit, in memory: what went upstream meanwhile, what conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kbisect.errors import UsageError
from kbisect.git import commits, patches, publishing
from kbisect.git.commits import CommitRecord
from kbisect.git.patchprints import prints
from kbisect.git.picks import Picker
from kbisect.git.repository import Repository
from kbisect.git.worktree import locate
from kbisect.history import identity, messages
from kbisect.history.identity import Fact, Match
from kbisect.history.messages import LinkKind
from kbisect.patch import blocking, lacking
from kbisect.patch.loading import of_commits
from kbisect.patch.standing import Standing

_LOOK_BACK = 4000
_MOST_BLOCKERS = 5
_CONTAINED = "its own id"


class Fate(StrEnum):
    """What becomes of one commit."""

    CLEAN = "clean"
    UPSTREAM = "upstream"
    EMPTY = "empty"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of the range, oldest first.

    Attributes
    ----------
    oid, subject : of the commit
    fate : Fate
    tree : oid of the tree object after it; that before it where it is dropped
    upstream, evidence : the commit that carries it there, and by what it is known
    conflicts : paths
    blockers : (oid, subject) of commits there that changed lines it expects
    lacks : names that its new lines use and that aren't there, so it won't compile
    """

    oid: str
    subject: str
    fate: Fate
    tree: str
    upstream: str | None = None
    evidence: str | None = None
    conflicts: tuple[str, ...] = ()
    blockers: tuple[tuple[str, str], ...] = ()
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rebase:
    """What would come of it. After a conflict, later commits are tried without the failed one."""

    onto: str
    steps: tuple[Step, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing conflicts."""
        return all(step.fate is not Fate.CONFLICT for step in self.steps)


def forecast(
    repository: Repository, old: str, new: str, onto: str, picker: Picker | None = None
) -> Rebase:
    """Try to move `old..new` onto a commit.

    Parameters
    ----------
    old, new, onto : full oids

    Raises
    ------
    UsageError
        The range holds no commits, or a merge.
    """
    picker = picker or Picker(repository)
    walked = list(commits.walk(repository, [new], [old]))
    merges = [oid for oid, _, parents in walked if len(parents) > 1]
    if merges:
        raise UsageError(
            f"the range holds a merge, {merges[0][:12]}",
            hint="name a straight range: the commits that the merge brought, or those after it",
        )
    if not walked:
        raise UsageError(
            f"{old[:12]}..{new[:12]} holds no commits", hint="name it the other way round?"
        )
    oids = [oid for oid, _, _ in reversed(walked)]
    moved = list(commits.records(repository, oids, ()))
    known = {record.oid: record for record in moved}
    there = _upstream(repository, moved, (old, new), onto)
    tree = repository.commit(onto).tree
    steps = []
    for oid in oids:
        record = known.get(oid)
        subject = record.subject if record else repository.commit(oid).subject
        if oid in there:
            found = there[oid]
            steps.append(Step(oid, subject, Fate.UPSTREAM, tree, found.on_branch, found.evidence))
            continue
        pick = picker.pick(oid, tree)
        if pick.tree is None:
            near = _in_the_way(repository, oid, pick.conflicts, (new, onto))
            steps.append(
                Step(*(oid, subject, Fate.CONFLICT, tree), conflicts=pick.conflicts, blockers=near)
            )
            continue
        if pick.empty:
            steps.append(Step(oid, subject, Fate.EMPTY, pick.tree))
            continue
        files = of_commits(repository, oid).patches[0].files
        missing = lacking.lacking(locate(repository).gitdir, tree, files, oid)
        tree = pick.tree
        steps.append(Step(oid, subject, Fate.CLEAN, tree, lacks=missing))
    return Rebase(onto, tuple(steps))


def _in_the_way(
    repository: Repository, oid: str, paths: Sequence[str], ends: tuple[str, str]
) -> tuple[tuple[str, str], ...]:
    """Return the commits since the base that changed lines which a commit expects, most first."""
    new, onto = ends
    patch = of_commits(repository, oid).patches[0]
    expected = {
        path: blocking.lines((h for f in patch.files if f.path == path for h in f.hunks), b" -")
        for path in paths
    }
    found = blocking.in_the_way(repository, expected, onto, _base(repository, new, onto))
    near = blocking.blockers(found)[:_MOST_BLOCKERS]
    return tuple((blocker.oid, blocker.subject) for blocker in near)


def _base(repository: Repository, new: str, onto: str) -> str | None:
    return next(iter(repository.merge_bases(new, onto)), None)


def _upstream(
    repository: Repository, moved: Sequence[CommitRecord], ends: tuple[str, str], onto: str
) -> dict[str, Match]:
    """Find the range's commits in `onto`: themselves, or among those that it has since the base."""
    old, new = ends
    paths = sorted({change.path for record in moved for change in record.changes})
    if not paths:
        return {}
    base = _base(repository, new, onto)
    near = [oid for oid, _ in patches.touching(repository, onto, paths, _LOOK_BACK, base)]
    own = list(commits.records(repository, near, ()))
    markers = {
        record.oid: [
            (target, link.form)
            for link in messages.links(record.message)
            if link.kind is LinkKind.UPSTREAM and link.oid
            for target in (each.oid for each in moved if each.oid.startswith(link.oid))
        ]
        for record in own
    }
    missing = {oid for oid, _, _ in commits.walk(repository, [new], [old, onto])}
    held = [record.oid for record in moved if record.oid not in missing]
    found = {oid: Match(oid, oid, _CONTAINED) for oid in held}
    found |= identity.match(
        [_fact(record) for record in own if record.oid not in found],
        [_fact(record) for record in moved if record.oid not in found],
        {oid: said for oid, said in markers.items() if said},
        lambda oids: prints(repository, oids),
    )
    if held:
        # Who took them back came after them, not after the common base.
        since = [oid for oid, _ in patches.touching(repository, onto, paths, _LOOK_BACK, old)]
        own = list(commits.records(repository, since, ()))
    # What was taken back there has to be put on again.
    standing = Standing({record.oid: record.message for record in reversed(own)})
    return {oid: each for oid, each in found.items() if standing.stands(each.on_branch)}


def _fact(record: CommitRecord) -> Fact:
    return Fact(
        record.oid,
        messages.plain_subject(record.subject),
        record.author.email,
        record.author_time,
        tuple(sorted(change.path.rpartition("/")[2] for change in record.changes)),
    )


def make(repository: Repository, moved: Rebase, branch: str) -> str:
    """Make a new branch of a rebase that holds; return the oid of its tip.

    Raises
    ------
    UsageError
        A commit conflicts, nothing is left, or the branch exists.
    """
    publishing.require_new(repository, branch)
    for step in moved.steps:
        if step.fate is Fate.CONFLICT:
            raise UsageError(
                f"no branch made: {step.oid[:12]} conflicts in {step.conflicts[0]}",
                hint="leave --branch out to see what is in the way",
            )
    scratch = locate(repository).gitdir
    tip = moved.onto
    for step in moved.steps:
        if step.fate is Fate.CLEAN:
            tip = publishing.copy(repository, scratch, step.oid, step.tree, tip)
    if tip == moved.onto:
        raise UsageError("no branch made: all of it is upstream", hint="nothing is left to do")
    publishing.publish(repository, scratch, tip, moved.onto, branch)
    return tip

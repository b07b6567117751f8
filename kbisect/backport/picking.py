# SPDX-License-Identifier: GPL-2.0-or-later
"""Picks onto a branch of its own: one commit after another, stopping at a conflict.

What is clean is picked in memory. At a conflict a worktree of kbisect's own is left as `git
cherry-pick` leaves it; whoever resolves it commits there and goes on. The state is written after
each commit, so a kill at any instant loses nothing; the user's checkout is never touched, and the
branch appears in the repository only when all is picked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from kbisect.backport.marking import Marker, message
from kbisect.errors import UsageError
from kbisect.git import process
from kbisect.git.commits import Person
from kbisect.git.picks import Picker
from kbisect.git.process import GitFailed
from kbisect.git.publishing import publish
from kbisect.git.repository import Repository
from kbisect.git.worktree import Scratch

_NAME = re.compile(r"[A-Za-z0-9][\w./-]*\Z")
_ADDED = re.compile(r"[MADRCT] ")
"""`git status --porcelain` of a path that is resolved and added."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a branch is.

    Attributes
    ----------
    name : of the branch
    start : oid it began at
    tip : oid of what is picked so far
    todo : upstream oids that are left; the first is in conflict if `stopped`
    picked, skipped : upstream oids
    stopped : whether a conflict waits in the worktree
    conflicts : paths that it is in
    """

    name: str
    start: str
    tip: str
    todo: tuple[str, ...]
    marker: Marker
    signer: str | None
    picked: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    stopped: bool = False
    conflicts: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return not self.todo


class Picking:
    """The making of one branch."""

    def __init__(self, repository: Repository, name: str) -> None:
        if not _NAME.match(name) or ".." in name or name.endswith((".lock", "/")):
            raise UsageError(f"{name} is no name for a branch", hint="letters, digits, . / - and _")
        self._repository = repository
        self._name = name
        # No name has a %, so that a/b and a-b don't meet.
        slug = name.replace("/", "%")
        self._state = repository.store / "backport" / f"pick-{slug}.json"
        self._worktree = f"pick-{slug}"

    @property
    def worktree(self) -> Path:
        """Where a conflict waits."""
        return self._repository.store / "worktrees" / self._worktree

    def progress(self) -> Progress | None:
        """Return how far it is, None if it hasn't begun.

        Raises
        ------
        UsageError
            The state is damaged.
        """
        try:
            raw = json.loads(self._state.read_text("utf-8"))
            lists = {key: tuple(raw[key]) for key in ("todo", "picked", "skipped", "conflicts")}
            return Progress(**raw | lists | {"marker": Marker(raw["marker"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(
                f"{self._state} is damaged: {error}",
                hint=f"kbisect backport pick --branch {self._name} --abort",
            ) from None

    def begin(
        self, start: str, todo: Sequence[str], marker: Marker, signer: str | None
    ) -> Progress:
        """Start anew from a commit.

        Raises
        ------
        UsageError
            The branch exists, or is being made.
        """
        if self._repository.find(f"refs/heads/{self._name}"):
            raise UsageError(
                f"there is a branch {self._name} already", hint="choose another --branch NAME"
            )
        if self.progress():
            raise UsageError(
                f"{self._name} is being made", hint="go on with --continue, or drop it with --abort"
            )
        begun = Progress(self._name, start, start, tuple(todo), marker, signer)
        self._keep(begun)
        return begun

    def run(self, committer: Person, say: Callable[[Progress], None] = lambda _: None) -> Progress:
        """Pick what is left, up to the end or to a conflict.

        Parameters
        ----------
        say : told after each commit
        """
        now = self._begun()
        if now.stopped:
            now = self._resolved(now, committer)
        picker = Picker(self._repository)
        while now.todo:
            oid = now.todo[0]
            found = picker.pick(oid, picker.tree_of(now.tip))
            if found.tree is None:
                # Killed between the two, it is laid out again.
                self._lay_out(now, committer)
                now = replace(now, stopped=True, conflicts=found.conflicts)
                self._keep(now)
                return now
            if found.empty:
                now = replace(now, todo=now.todo[1:], skipped=(*now.skipped, oid))
            else:
                tip = picker.commit(found.tree, now.tip, oid, self._message(now), committer)
                now = replace(now, tip=tip, todo=now.todo[1:], picked=(*now.picked, oid))
            self._keep(now)
            say(now)
        self._publish(now)
        return now

    def skip(self) -> None:
        """Leave out the one in conflict."""
        now = self._begun()
        if not now.stopped:
            raise UsageError(
                "nothing is in conflict",
                hint=f"kbisect backport pick --branch {self._name} --continue",
            )
        self._keep(
            replace(
                now,
                todo=now.todo[1:],
                skipped=(*now.skipped, now.todo[0]),
                stopped=False,
                conflicts=(),
            )
        )

    def abort(self) -> None:
        """Drop it: the state, damaged or not, the worktree, and with them the commits.

        Raises
        ------
        UsageError
            It hasn't been begun.
        """
        if not self._state.exists():
            raise self._not_begun()
        self._clear()

    def _clear(self) -> None:
        if self.worktree.exists():
            Scratch.prepare(self._repository).remove(self._worktree)
        self._state.unlink(missing_ok=True)

    def _begun(self) -> Progress:
        now = self.progress()
        if now is None:
            raise self._not_begun()
        return now

    def _not_begun(self) -> UsageError:
        return UsageError(
            f"{self._name} hasn't been begun", hint="kbisect backport pick --branch NAME BRANCH"
        )

    def _resolved(self, now: Progress, committer: Person) -> Progress:
        """Take over what the user committed in the worktree, or added there."""
        if not self.worktree.is_dir():
            # Killed between the state and the worktree: lay it out again.
            return replace(now, stopped=False, conflicts=())
        dirty = self._git("status", "--porcelain", "--untracked-files=no").splitlines()
        if not all(_ADDED.match(line) for line in dirty):
            raise UsageError(
                f"{now.todo[0][:12]} is not resolved yet in {self.worktree}",
                hint="resolve it there and git add; or --skip",
            )
        if dirty:
            # git takes comments out of the message only where it has called an editor.
            process.run(
                self.worktree,
                *("-c", "core.editor=true", "cherry-pick", "--continue"),
                env=_as_committer(committer),
            )
        tip = self._git("rev-parse", "HEAD").strip()
        settled = replace(now, todo=now.todo[1:], tip=tip, stopped=False, conflicts=())
        if tip == now.tip:
            settled = replace(settled, skipped=(*now.skipped, now.todo[0]))
        else:
            settled = replace(settled, picked=(*now.picked, now.todo[0]))
        self._keep(settled)
        return settled

    def _lay_out(self, now: Progress, committer: Person) -> None:
        Scratch.prepare(self._repository).checkout(self._worktree, now.tip)
        who = _as_committer(committer)
        try:
            process.run(self.worktree, "cherry-pick", now.todo[0], codes=(0, 1), env=who)
        except GitFailed as failed:
            raise UsageError(
                f"git cherry-pick in {self.worktree}: {failed.stderr}",
                hint=f"resolve it there, or kbisect backport pick --branch {self._name} --skip",
            ) from None

        # What the user commits there is marked and signed as all the others.
        prepared = self.worktree / self._git("rev-parse", "--git-path", "MERGE_MSG").strip()
        if prepared.is_file():
            _, comment, conflicts = prepared.read_text("utf-8", "replace").rpartition("\n# Conf")
            prepared.write_text(f"{self._message(now)}{comment}{conflicts}", "utf-8")

    def _message(self, now: Progress) -> str:
        oid = now.todo[0]
        return message(self._repository.commit(oid).message, oid, now.marker, now.signer)

    def _publish(self, now: Progress) -> None:
        """Bring the finished branch into the user's repository, the one thing written there."""
        # Killed behind it, there is only to clear up.
        if self._repository.find(f"refs/heads/{now.name}") != now.tip:
            scratch = Scratch.prepare(self._repository).gitdir
            publish(self._repository, scratch, now.tip, now.start, now.name)
        self._clear()

    def _git(self, *arguments: str) -> str:
        return process.run(self.worktree, *arguments).stdout.decode("utf-8", "surrogateescape")

    def _keep(self, now: Progress) -> None:
        self._state.parent.mkdir(parents=True, exist_ok=True)
        new = self._state.with_suffix(".new")
        new.write_text(json.dumps(asdict(now)), "utf-8")
        new.replace(self._state)


def _as_committer(person: Person) -> dict[str, str]:
    return {"GIT_COMMITTER_NAME": person.name, "GIT_COMMITTER_EMAIL": person.email}

# SPDX-License-Identifier: GPL-2.0-or-later
"""One repository: open it, name its commits, ask what contains what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kbisect.errors import KbisectError, RepositoryProblem, UsageError
from kbisect.git import discovery, process
from kbisect.git.process import GitFailed

if TYPE_CHECKING:
    import pygit2

HEX40 = re.compile(r"[0-9a-f]{40}\Z")


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference and the commit it leads to (annotated tags peeled)."""

    name: str
    oid: str
    tagged_at: int | None
    """Unix time of an annotated tag, None for everything else."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit as git holds it. Times are Unix seconds, `author_zone` is in minutes."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    author_time: int
    author_zone: int
    committer_name: str
    committer_email: str
    commit_time: int
    message: str

    @property
    def subject(self) -> str:
        """First paragraph on one line."""
        return subject_of(self.message)


def subject_of(message: str) -> str:
    """Return the first paragraph of a message on one line, as git's %s."""
    title: list[str] = []
    for line in message.lstrip("\n").split("\n"):
        if not (text := line.rstrip(" \t\r")):
            break
        title.append(text)
    return " ".join(title)


class Repository:
    """A repository on disk; read, never written (see DESIGN: where things are kept)."""

    def __init__(
        self,
        gitdir: Path,
        common_dir: Path,
        workdir: Path | None,
        store: Path,
        overrides: Sequence[str] = (),
    ) -> None:
        self.gitdir = gitdir
        self.common_dir = common_dir
        self.workdir = workdir
        self.store = store
        self.overrides = tuple(overrides)

    @classmethod
    def open(
        cls,
        directory: Path | str = ".",
        store: Path | str | None = None,
        overrides: Sequence[str] = (),
    ) -> Repository:
        """Open the repository that `directory` belongs to.

        Parameters
        ----------
        directory : path
            Anywhere inside a worktree, or a (bare) git directory. Of the current one, `.`, git's
            own GIT_DIR and GIT_WORK_TREE may say which repository is meant.
        store : path, optional
            Where kbisect keeps its own data; default `<git-common-dir>/kbisect`.
        overrides : sequence of str
            `key=value` pairs that win over git config, as `git -c`.

        Raises
        ------
        RepositoryProblem
            No repository, owned by somebody else, or of a format that can't be read.
        UsageError
            The store's path is one that the index can't be kept at.
        """
        found = discovery.discover(Path(directory))
        place = Path(store).absolute() if store else found.common_dir / "kbisect"
        discovery.require_plain(place)
        return cls(found.gitdir, found.common_dir, found.workdir, place, overrides)

    def __reduce__(self) -> tuple[object, ...]:
        # In another process it opens its own libgit2.
        held = (self.gitdir, self.common_dir, self.workdir, self.store, self.overrides)
        return Repository, held

    @property
    def has_own_store(self) -> bool:
        """Whether kbisect's data is kept elsewhere, by --store."""
        return self.store != self.common_dir / "kbisect"

    @cached_property
    def pygit2(self) -> pygit2.Repository:
        """The libgit2 view of it, for single objects and merges in memory (git room only)."""
        import pygit2

        try:
            return pygit2.Repository(str(self.gitdir))
        except pygit2.GitError as error:
            raise discovery.cannot_open(self.gitdir, str(error)) from None

    @contextmanager
    def stream(self, *arguments: str, stdin: Iterable[bytes] | None = None) -> Iterator[IO[bytes]]:
        """Run one git command and give its output while it runs (see `process.stream`).

        Raises
        ------
        RepositoryProblem
            git failed; an absent object is named.
        """
        try:
            with process.stream(self.gitdir, *arguments, stdin=stdin) as pipe:
                yield pipe
        except GitFailed as failed:
            if failed.absent:
                raise self.absent(failed.absent) from None
            raise

    # --- names ------------------------------------------------------------------------------

    def resolve(self, name: str) -> str:
        """Return the oid of the commit that `name`, any commit-ish, stands for.

        Raises
        ------
        UsageError
            git doesn't know it.
        """
        oid = self.find(name)
        if oid is None:
            raise self.not_a_commit(name) or UsageError(
                f"unknown revision: {name}",
                hint="`git rev-parse` must know it, or `kbisect releases` must list it",
            )
        return oid

    def not_a_commit(self, name: str) -> KbisectError | None:
        """Say what a name that `find` doesn't know is instead; None when it is nothing at all."""
        if not name.strip():
            return UsageError("a revision is empty", hint="give a commit, a branch, a tag")
        if "\0" in name:
            return UsageError("a revision has a NUL in it", hint="give a commit, a branch, a tag")
        old, dots, new = name.partition("..")
        if dots or name.startswith("^"):
            return UsageError(
                f"{name} is a range, and one commit is needed",
                hint=f"give one end: {new.lstrip('.') or old.lstrip('^')}",
            )
        done = process.run(
            self.gitdir,
            *("rev-parse", "--quiet", "--verify", "--end-of-options", name),
            codes=(0, 1, 128),
        )
        oid = done.stdout.decode().strip()
        if done.returncode or not HEX40.match(oid):
            if name == "HEAD":
                return UsageError(
                    "HEAD is on a branch that has no commits yet",
                    hint="git fetch, or name a commit",
                )
            return None
        done = process.run(self.gitdir, "cat-file", "-t", oid, codes=(0, 128))
        if done.returncode and oid != name:
            return self.absent(oid)  # a branch leads there, so it should be
        if done.returncode:
            return UsageError(
                f"no commit {name} is in this repository",
                hint="it may be in a tree that isn't fetched: kbisect sync, or git fetch",
            )
        kind = done.stdout.decode().strip()
        owner = re.split(r"[:^]", name, maxsplit=1)[0] or "HEAD"
        what = "file" if kind == "blob" else f"{kind} object"
        return UsageError(f"{name} is a {what}, not a commit", hint=f"give the commit: {owner}")

    def find(self, name: str) -> str | None:
        """Like `resolve`, None when there is no such commit.

        Raises
        ------
        UsageError
            An abbreviation that several commits share, or an oid whose object is absent.
        """
        if not name or name.startswith("-") or "\0" in name:
            return None
        done = process.run(
            self.gitdir,
            *("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}"),
            codes=(0, 128),
        )
        if done.returncode == 0:
            oid = done.stdout.decode().strip()
            return oid if HEX40.match(oid) else None  # `^v3.0` is taken, as `^oid`
        words = done.stderr.decode("utf-8", "replace")
        if "ambiguous" in words:
            raise UsageError(f"{name} is ambiguous in this repository", hint="give more digits")
        if HEX40.match(name) and self.is_partial:
            raise self.absent(name)
        return None

    def commit(self, oid: str) -> Commit:
        """Return one commit by its full oid."""
        import pygit2

        try:
            found = self.pygit2[oid].peel(pygit2.Commit)
        except KeyError:
            raise self.absent(oid) from None
        except pygit2.InvalidSpecError:
            raise UsageError(f"{oid} is not a commit", hint="give the oid of a commit") from None
        encoding = found.message_encoding or "utf-8"
        try:
            message = found.raw_message.decode(encoding, "replace")
        except LookupError:
            message = found.raw_message.decode("utf-8", "replace")
        return Commit(
            oid=oid,
            tree=str(found.tree_id),
            parents=tuple(str(parent) for parent in found.parent_ids),
            author_name=found.author.raw_name.decode("utf-8", "replace"),
            author_email=found.author.raw_email.decode("utf-8", "replace"),
            author_time=found.author.time,
            author_zone=found.author.offset,
            committer_name=found.committer.raw_name.decode("utf-8", "replace"),
            committer_email=found.committer.raw_email.decode("utf-8", "replace"),
            commit_time=found.commit_time,
            message=message,
        )

    def refs(self, holding: str | None = None) -> list[Ref]:
        """Return every branch, remote branch and tag that leads to a commit, sorted by name.

        Parameters
        ----------
        holding : oid of a commit: only those that contain it
        """
        done = process.run(
            self.gitdir,
            "for-each-ref",
            "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname)"
            " %(taggerdate:unix) %(refname)",
            *(("--contains", holding) if holding else ()),
            *("refs/heads", "refs/remotes", "refs/tags"),
        )
        found = []
        for line in done.stdout.decode("utf-8", "surrogateescape").splitlines():
            kind, oid, *rest = line.split(" ")
            peeled_kind, peeled, tagged, name = rest[0], rest[1], rest[2], " ".join(rest[3:])
            if kind == "commit":
                found.append(Ref(name, oid, None))
            elif kind == "tag" and peeled_kind == "commit":
                found.append(Ref(name, peeled, int(tagged) if tagged else None))
        return found

    def head(self) -> str | None:
        """Return the oid of HEAD, None on an unborn branch."""
        return self.find("HEAD")

    def remotes(self) -> dict[str, str]:
        """Return the remotes' names and fetch URLs."""
        done = process.run(
            self.gitdir, "config", "--null", "--get-regexp", r"^remote\..*\.url$", codes=(0, 1)
        )
        found: dict[str, str] = {}
        for entry in done.stdout.decode("utf-8", "replace").split("\0"):
            key, _, url = entry.partition("\n")
            if key:
                found.setdefault(key.removeprefix("remote.").removesuffix(".url"), url)
        return found

    # --- questions about ancestry, a process each: for one question, not for ten thousand -------

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor` (a commit contains itself)."""
        done = process.run(
            self.gitdir, "merge-base", "--is-ancestor", ancestor, descendant, codes=(0, 1)
        )
        return done.returncode == 0

    def merge_bases(self, left: str, right: str) -> tuple[str, ...]:
        """Return all best common ancestors; empty when the histories are unrelated."""
        done = process.run(self.gitdir, "merge-base", "--all", left, right, codes=(0, 1))
        return tuple(done.stdout.decode().split())

    def has_path(self, revision: str, path: str) -> bool:
        """Whether a file or folder exists at a revision."""
        name = f"{revision}:{path}"
        done = process.run(self.gitdir, "cat-file", "-e", name, codes=(0, 1, 128))
        return done.returncode == 0

    def lost(self, before: Iterable[str], now: Iterable[str]) -> bool:
        """Whether anything that the commits `before` contain is in none of `now`."""
        asked = "".join(f"{oid}\n" for oid in before) + "".join(f"^{oid}\n" for oid in now)
        done = process.run(
            self.gitdir,
            *("rev-list", "--max-count=1", "--ignore-missing", "--stdin"),
            stdin=asked.encode(),
        )
        return bool(done.stdout)

    # --- what kind of clone ---------------------------------------------------------------------

    @cached_property
    def is_shallow(self) -> bool:
        """Whether history ends early in this clone."""
        return (self.common_dir / "shallow").exists()

    @cached_property
    def is_partial(self) -> bool:
        """Whether objects may be absent by design, by git's own configuration."""
        pattern = r"^(extensions\.partialclone|remote\..*\.promisor)$"
        done = process.run(self.gitdir, "config", "--get-regexp", pattern, codes=(0, 1))
        return any(not line.endswith(b" false") for line in done.stdout.splitlines())

    def require_whole_history(self) -> None:
        """Refuse a shallow clone, whose answers would be wrong without looking wrong."""
        if self.is_shallow:
            raise RepositoryProblem(
                "this clone is shallow: its history ends early, so ancestry can't be trusted",
                hint="git fetch --unshallow",
            )

    def absent(self, oid: str) -> RepositoryProblem:
        """Return the error for an object that should be here and is not."""
        if self.is_partial:
            return RepositoryProblem(
                f"object {oid} is absent from this partial clone",
                hint="git fetch --refetch --no-filter (or clone without --filter)",
            )
        return RepositoryProblem(
            f"object {oid} is missing here, or damaged", hint="git fsck, then fetch again"
        )

    # --- git config -----------------------------------------------------------------------------

    def config(self, key: str) -> str | None:
        """Return the last value of a git config key, None when it is unset."""
        given = [word for pair in self.overrides for word in ("-c", pair)]
        done = process.run(self.gitdir, *given, "config", "--null", "--get", key, codes=(0, 1))
        return done.stdout[:-1].decode("utf-8", "replace") if done.returncode == 0 else None

    def configured(self, pattern: str) -> dict[str, str]:
        """Return the git config keys that match a regular expression, with their last values."""
        given = [word for pair in self.overrides for word in ("-c", pair)]
        done = process.run(
            self.gitdir, *given, "config", "--null", "--get-regexp", pattern, codes=(0, 1)
        )
        pairs = (
            entry.partition("\n") for entry in done.stdout.decode("utf-8", "replace").split("\0")
        )
        return {key: value for key, _, value in pairs if key}

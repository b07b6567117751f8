# SPDX-License-Identifier: GPL-2.0-or-later
"""Clone and fetch: one repository with many trees as remotes. The only code that uses the network.

A clone is put together beside its place, in `DIR.partial`, and moved there when it is whole. What
arrived before a failure stays in `DIR.partial`, and the same request goes on from it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kbisect.errors import EnvironmentProblem, RepositoryProblem, UsageError
from kbisect.git import process
from kbisect.git.process import GitFailed
from kbisect.git.repository import Repository

Progress = Callable[[str], None]
# Lies in the git directory of a clone that is not whole yet.
_MARK = "kbisect-clone"


@dataclass(frozen=True, slots=True)
class Remote:
    """A tree to fetch.

    Attributes
    ----------
    name : of the remote
    url : as git takes it
    all_tags : take its tags whether or not they lie on its branches
    """

    name: str
    url: str
    all_tags: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a fetch brought.

    Attributes
    ----------
    name : of the remote
    url : as it is configured
    ref : the branch that carries the tree's work, `refs/remotes/net/main`
    old : its oid before, None when it is new
    oid : its oid now
    new : commits of it that were not in `old`; of a new tree, not in the trees before it
    rewritten : whether it no longer contains `old`
    """

    name: str
    url: str
    ref: str
    old: str | None
    oid: str
    new: int
    rewritten: bool = False


class FetchFailed(EnvironmentProblem):
    """A remote can't be reached, or is no repository."""


def create(
    directory: Path,
    remotes: Sequence[Remote],
    *,
    reference: Path | None = None,
    bare: bool = False,
    say: Progress = lambda _: None,
    progress: Progress | None = None,
) -> list[Arrival]:
    """Make a repository with some remotes and fetch them; the first one is checked out.

    Parameters
    ----------
    directory : Path
        Must not exist, or be empty.
    remotes : sequence of Remote
    reference : Path, optional
        A repository whose objects are used in place (git's alternates).
    bare : bool
        Make no worktree.
    say : called with a line a remote
    progress : called with git's progress lines, if anybody looks

    Raises
    ------
    UsageError
        The place is taken.
    FetchFailed
        A remote can't be had. All are asked before the first is fetched.
    """
    directory = directory.absolute()
    if directory.is_symlink() or (
        directory.exists() and (not directory.is_dir() or any(directory.iterdir()))
    ):
        raise UsageError(
            f"{directory} already exists and is not an empty directory",
            hint=f"another place; or, for a clone, kbisect -C {directory} sync",
        )
    objects = _objects_of(reference) if reference else None
    partial = directory.with_name(directory.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    with _locked(partial) as lock:
        gitdir = _claim(partial, bare)
        try:
            _prepare(gitdir, remotes, objects, bare)
            branches = [_default_branch(gitdir, remote) for remote in remotes]
            arrivals = []
            for remote, branch in zip(remotes, branches, strict=True):
                say(f"fetching {remote.name} from {remote.url}")
                ref = f"refs/remotes/{remote.name}/{branch}"
                arrivals.append(fetch(gitdir, remote, ref, progress=progress, hold=lock))
            _check_out(partial, gitdir, arrivals[0], branches[0], bare, lock)
            if directory.exists():
                directory.rmdir()
            partial.rename(directory)
            (directory / gitdir.relative_to(partial) / _MARK).unlink()
        except BaseException:
            _leave(partial, gitdir, say)
            raise
    return arrivals


def add(repository: Repository, remote: Remote) -> str:
    """Give a repository one more remote; nothing is fetched yet.

    Returns
    -------
    str
        The remote-tracking branch that carries its work.

    Raises
    ------
    UsageError
        There is a remote of that name that leads elsewhere.
    FetchFailed
        It can't be had; then nothing is changed.
    """
    there = repository.remotes().get(remote.name)
    if there not in {None, remote.url}:
        raise UsageError(
            f"the remote {remote.name} leads to {there} here",
            hint=f"git remote set-url {remote.name} {remote.url}, if it moved",
        )
    branch = _default_branch(repository.common_dir, remote)
    if there is None:
        _configure(repository.common_dir, remote)
    return f"refs/remotes/{remote.name}/{branch}"


def fetch(
    directory: Path,
    remote: Remote,
    ref: str,
    *,
    progress: Progress | None = None,
    hold: int | None = None,
) -> Arrival:
    """Fetch one remote's branches and tags.

    Parameters
    ----------
    directory : Path
        The git directory.
    remote : Remote
    ref : str
        The remote-tracking branch to report on.
    progress : called with git's progress lines, if anybody looks
    hold : int, optional
        A descriptor of a lock that must hold as long as git is at work, even when kbisect is
        killed.

    Raises
    ------
    FetchFailed
        It can't be reached, or no longer has that branch.
    """
    old = _oid(directory, ref)
    known = _tips(directory)
    try:
        process.converse(
            directory,
            *("fetch", "--no-write-fetch-head", "--no-recurse-submodules"),
            *(["--tags"] if remote.all_tags else []),
            "--progress" if progress else "--no-progress",
            remote.name,
            progress=progress,
            pass_fds=() if hold is None else (hold,),
        )
    except GitFailed as failed:
        if not _only_tags_refused(failed.stderr):
            raise _cannot_fetch(remote, failed) from None
    oid = _oid(directory, ref)
    if oid is None:
        raise FetchFailed(
            f"{remote.name}: {remote.url} has no branch {ref.split('/', 3)[-1]}",
            hint=f"git ls-remote {remote.url}",
        )
    without = [f"^{old}"] if old else [f"^{tip}" for tip in known]
    counted = process.run(
        directory, "rev-list", "--count", "--stdin", stdin="\n".join([oid, *without]).encode()
    )
    rewritten = old is not None and (
        process.run(directory, "merge-base", "--is-ancestor", old, oid, codes=(0, 1)).returncode > 0
    )
    return Arrival(remote.name, remote.url, ref, old, oid, int(counted.stdout), rewritten)


def remember(repository: Repository, values: dict[str, str]) -> bool:
    """Write git config keys of `kbisect.*`; False where the repository can't be written."""
    for key, value in values.items():
        if not key.startswith("kbisect."):
            raise ValueError(f"{key} is not kbisect's to set")
        done = process.run(
            repository.common_dir, "config", "--replace-all", key, value, codes=(0, 4, 255)
        )
        if done.returncode:
            return False
    return True


# --- the parts of a clone -------------------------------------------------------------------------


@contextmanager
def _locked(directory: Path) -> Iterator[int]:
    """Hold a directory against another clone to the same place, and give the lock's descriptor."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentProblem(
                f"another `kbisect clone` is at work in {directory}",
                hint="wait for it, or choose another place",
            ) from None
        yield handle
    finally:
        os.close(handle)


def _objects_of(reference: Path) -> Path:
    lender = Repository.open(reference)
    lender.require_whole_history()
    if lender.is_partial:
        raise RepositoryProblem(
            f"{reference} is a partial clone: it can't lend what it doesn't have",
            hint="clone without --reference",
        )
    return lender.common_dir / "objects"


def _claim(partial: Path, bare: bool) -> Path:
    """Mark the place as an attempt of ours, and return the git directory in it."""
    gitdir = partial if bare else partial / ".git"
    if any(partial.iterdir()) and not (gitdir / _MARK).exists():
        raise UsageError(
            f"{partial} is in the way, and not from an attempt to clone like this one",
            hint=f"move it, or remove it: rm -r {partial}",
        )
    gitdir.mkdir(exist_ok=True)
    (gitdir / _MARK).touch()
    return gitdir


def _prepare(gitdir: Path, remotes: Sequence[Remote], objects: Path | None, bare: bool) -> None:
    """Make the empty repository, or bring what an earlier attempt left in line with this one."""
    # Whoever held these was killed: as long as it lived, it held the lock on the directory.
    for stale in gitdir.glob("**/*.lock"):
        stale.unlink(missing_ok=True)
    # An empty template: no sample hooks, and none of the user's own.
    kind = ["--bare", str(gitdir)] if bare else [str(gitdir.parent)]
    process.run(gitdir.parent, "init", "--quiet", "--template=", *kind)
    if objects:
        (gitdir / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (gitdir / "objects" / "info" / "alternates").write_bytes(os.fsencode(objects) + b"\n")
    wanted = {remote.name for remote in remotes}
    listed = process.run(gitdir, "remote").stdout.decode().split()
    for name in listed:
        if name not in wanted:
            process.run(gitdir, "remote", "remove", name)
    for remote in remotes:
        _configure(gitdir, remote)
    # Walks of this history are ten times faster with it.
    process.run(gitdir, "config", "fetch.writeCommitGraph", "true")
    # Nothing may still be repacking when the directory is renamed.
    process.run(gitdir, "config", "maintenance.auto", "false")


def _configure(gitdir: Path, remote: Remote) -> None:
    values = {"url": remote.url, "fetch": f"+refs/heads/*:refs/remotes/{remote.name}/*"}
    for key, value in values.items():
        process.run(gitdir, "config", "--replace-all", f"remote.{remote.name}.{key}", value)
    if remote.all_tags:
        process.run(gitdir, "config", f"remote.{remote.name}.tagOpt", "--tags")


def _default_branch(gitdir: Path, remote: Remote) -> str:
    """Ask a remote which branch carries its work; no objects are fetched."""
    try:
        done = process.run(
            gitdir,
            *("ls-remote", "--symref", "--", remote.url, "HEAD"),
            *("refs/heads/main", "refs/heads/master"),
            network=True,
        )
    except GitFailed as failed:
        raise _cannot_fetch(remote, failed) from None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    names = {line.partition("\t")[2] for line in lines if not line.startswith("ref: ")}
    for line in lines:
        if (head := re.match(r"ref: refs/heads/(\S+)\tHEAD$", line)) and "HEAD" in names:
            return head[1]
    for branch in ("main", "master"):
        if f"refs/heads/{branch}" in names:
            return branch
    raise FetchFailed(
        f"{remote.name}: {remote.url} has no default branch",
        hint=f"git ls-remote {remote.url} shows what it has",
    )


def _check_out(
    partial: Path, gitdir: Path, first: Arrival, branch: str, bare: bool, lock: int
) -> None:
    process.run(gitdir, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    process.run(gitdir, "update-ref", f"refs/heads/{branch}", first.oid)
    process.run(gitdir, "config", f"branch.{branch}.remote", first.name)
    process.run(gitdir, "config", f"branch.{branch}.merge", f"refs/heads/{branch}")
    if not bare:
        process.run(partial, "reset", "--quiet", "--hard", pass_fds=(lock,))
    process.run(gitdir, "config", "--unset", "maintenance.auto")


def _leave(partial: Path, gitdir: Path, say: Progress) -> None:
    """Keep what a failed attempt fetched, if it is anything, and remove the rest."""
    packs = gitdir / "objects" / "pack"
    for debris in packs.glob("tmp_*"):
        debris.unlink(missing_ok=True)
    if any(packs.glob("*.pack")):
        say(f"what was fetched is kept in {partial}; the same command goes on from there")
    else:
        shutil.rmtree(partial, ignore_errors=True)


def _oid(directory: Path, ref: str) -> str | None:
    done = process.run(
        directory, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}", codes=(0, 1)
    )
    return done.stdout.decode().strip() or None


def _tips(directory: Path) -> list[str]:
    done = process.run(directory, "for-each-ref", "--format=%(objectname)", "refs/remotes")
    return done.stdout.decode().split()


def _only_tags_refused(words: str) -> bool:
    """Whether a fetch failed for nothing but tags that exist here with another meaning."""
    if "would clobber existing tag" not in words:
        return False
    return not re.search(r"^(?:fatal|error):|non-fast-forward", words, re.MULTILINE)


def _cannot_fetch(remote: Remote, failed: GitFailed) -> FetchFailed:
    lines = [line.strip() for line in re.split(r"[\r\n]", failed.stderr)]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR"))]
    reason = (telling or lines or [""])[0].partition(": ")[2] or failed.message
    return FetchFailed(
        f"{remote.name}: cannot fetch {remote.url}: {reason}",
        hint="check the address and the connection; --tree NAME=URL gives another address",
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""Clone: one repository with many trees as remotes.

A clone is put together beside its place, in `DIR.partial`, and moved there when it is whole. What
arrived before a failure stays in `DIR.partial`, and the same request goes on from it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kbisect.errors import EnvironmentProblem, RepositoryProblem, UsageError
from kbisect.git import process
from kbisect.git.fetching import Arrival, Progress, Remote, configure, default_branch, fetch
from kbisect.git.repository import Repository

# Lies in the git directory of a clone that is not whole yet.
_MARK = "kbisect-clone"


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
            branches = [default_branch(gitdir, remote) for remote in remotes]
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
        configure(gitdir, remote)
    # Walks of this history are ten times faster with it.
    process.run(gitdir, "config", "fetch.writeCommitGraph", "true")
    # Nothing may still be repacking when the directory is renamed.
    process.run(gitdir, "config", "maintenance.auto", "false")


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

# SPDX-License-Identifier: GPL-2.0-or-later
"""Fetch trees from their remotes. The only code that uses the network."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kbisect.errors import EnvironmentProblem, UsageError
from kbisect.git import process
from kbisect.git.process import GitFailed
from kbisect.git.repository import Repository

Progress = Callable[[str], None]


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
    branch = default_branch(repository.common_dir, remote)
    if there is None:
        configure(repository.common_dir, remote)
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


def configure(gitdir: Path, remote: Remote) -> None:
    """Write a remote into git config; nothing is fetched."""
    values = {"url": remote.url, "fetch": f"+refs/heads/*:refs/remotes/{remote.name}/*"}
    for key, value in values.items():
        process.run(gitdir, "config", "--replace-all", f"remote.{remote.name}.{key}", value)
    if remote.all_tags:
        process.run(gitdir, "config", f"remote.{remote.name}.tagOpt", "--tags")


def default_branch(gitdir: Path, remote: Remote) -> str:
    """Ask a remote which branch carries its work; no objects are fetched.

    Raises
    ------
    FetchFailed
        It can't be had, or names no such branch.
    """
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

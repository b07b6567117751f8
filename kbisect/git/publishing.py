# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits made from tree objects of the scratch repository, and a branch for them when asked.

Only `publish` writes into the user's repository: first the objects, then one new reference. A
branch that exists is never moved.
"""

from __future__ import annotations

from pathlib import Path

from kbisect.errors import UsageError
from kbisect.git import process
from kbisect.git.process import GitFailed
from kbisect.git.repository import Repository


def require_new(repository: Repository, branch: str) -> str:
    """Return the full name of a branch that may be made.

    Raises
    ------
    UsageError
        It exists, or git allows no such name.
    """
    checked = process.run(
        repository.gitdir, "check-ref-format", "--branch", branch, codes=(0, 1, 128)
    )
    if checked.returncode:
        raise UsageError(f"{branch!r} is no name for a branch", hint="man git-check-ref-format")
    ref = f"refs/heads/{branch}"
    if any(each.name == ref for each in repository.refs()):
        raise UsageError(f"the branch {branch} exists", hint="choose another name")
    return ref


def commit(
    repository: Repository,
    scratch: Path,
    tree: str,
    parent: str,
    author: tuple[str, str, str] | None,
    message: str,
) -> str:
    """Write a commit into the scratch repository; its committer is whom the user's git names.

    Parameters
    ----------
    scratch : git directory of the scratch repository
    author : name, address, date (any form git reads; empty for now); None for the committer
    """
    done = process.run(repository.gitdir, "var", "GIT_COMMITTER_IDENT", codes=(0, 128))
    if done.returncode:
        raise UsageError(
            "git knows no name for the committer",
            hint='git config user.name "Your Name" && git config user.email you@example.org',
        )
    name, _, rest = done.stdout.decode("utf-8", "replace").strip().rpartition(" <")
    email = rest.partition(">")[0]
    author = author or (name, email, "")
    people = {
        "GIT_AUTHOR_NAME": author[0] or author[1].partition("@")[0],
        "GIT_AUTHOR_EMAIL": author[1],
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
    asked = ("commit-tree", tree, "-p", parent, "-F", "-")
    text = message.encode("utf-8", "surrogateescape")
    try:
        dated = people | ({"GIT_AUTHOR_DATE": author[2]} if author[2] else {})
        made = process.run(scratch, *asked, stdin=text, env=dated)
    except GitFailed as failed:
        if "invalid date" not in failed.stderr:
            raise
        made = process.run(scratch, *asked, stdin=text, env=people)
    return made.stdout.decode().strip()


def copy(repository: Repository, scratch: Path, oid: str, tree: str, parent: str) -> str:
    """Write a commit with the author, date and message of another."""
    done = process.run(
        repository.gitdir, "show", "-s", "--date=raw", "--format=%an%x00%ae%x00%ad%x00%B", oid
    )
    name, email, date, message = done.stdout.decode("utf-8", "surrogateescape").split("\0", 3)
    return commit(
        repository, scratch, tree, parent, (name, email, date), message.rstrip("\n") + "\n"
    )


def publish(repository: Repository, scratch: Path, oid: str, onto: str, branch: str) -> str:
    """Bring `onto..oid` from the scratch repository into the user's, as a new branch.

    Returns
    -------
    str
        The full name of the branch.
    """
    ref = require_new(repository, branch)
    pack = process.run(
        scratch, "pack-objects", "--revs", "--quiet", "--stdout", stdin=f"{oid}\n^{onto}\n".encode()
    ).stdout
    process.run(repository.gitdir, "unpack-objects", "-q", stdin=pack)
    process.run(repository.gitdir, "update-ref", ref, oid, "0" * 40)
    return ref

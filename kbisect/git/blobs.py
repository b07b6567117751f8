# SPDX-License-Identifier: GPL-2.0-or-later
"""Files without a checkout: what lies below some folders, and the content of many blobs at once.

Files come from a commit, from the worktree with its uncommitted changes, or from a plain
directory. All three name a content by its blob oid, so that whoever caches by content need not
know where a file came from.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kbisect.errors import UsageError
from kbisect.git import process
from kbisect.git.repository import Repository

_REGULAR = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Files:
    """Regular files below some folders: path to blob oid.

    Attributes
    ----------
    blobs : mapping of path to blob oid
    loaded : mapping of blob oid to content, for files that are in no object store
    """

    blobs: Mapping[str, str]
    loaded: Mapping[str, bytes] = field(default_factory=dict)


def at_commit(repository: Repository, commit: str, folders: Sequence[str] = ()) -> Files:
    """List the files below `folders` at a commit; a folder that isn't there is empty."""
    done = process.run(
        repository.gitdir,
        *("ls-tree", "-r", "-z", "--full-tree", commit, "--"),
        *(folder.rstrip("/") + "/" for folder in folders),
    )
    blobs = {}
    for entry in done.stdout.split(b"\0"):
        head, _, path = entry.partition(b"\t")
        if path:
            mode, _, oid = head.decode("ascii").split(" ")
            if mode in _REGULAR:
                blobs[path.decode("utf-8", "backslashreplace")] = oid
    return Files(blobs)


def in_worktree(repository: Repository, folders: Sequence[str] = ()) -> Files:
    """Read the files below `folders` as they are on disk, uncommitted and untracked ones too.

    Raises
    ------
    UsageError
        The repository is bare.
    """
    if repository.workdir is None:
        raise UsageError(
            "this repository is bare: it has no worktree to look at",
            hint="compare two revisions, or give a worktree with -C DIR",
        )
    done = process.run(
        repository.workdir,
        *("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"),
        *folders,
    )
    names = {name for name in done.stdout.split(b"\0") if name}
    return _from_disk(repository.workdir, (os.fsdecode(name) for name in sorted(names)))


def in_directory(top: Path, folders: Sequence[str] = ()) -> Files:
    """Read the files below `folders` of a plain directory; symbolic links are not followed.

    Raises
    ------
    UsageError
        There is no such directory.
    """
    if not top.is_dir():
        raise UsageError(f"no such directory: {top}", hint="give an unpacked source tree")
    found = (
        str(Path(parent, name).relative_to(top))
        for folder in folders or (".",)
        for parent, _, names in os.walk(top / folder)
        for name in names
    )
    return _from_disk(top, sorted(found))


def _from_disk(top: Path, names: Iterable[str]) -> Files:
    blobs = {}
    loaded = {}
    for name in names:
        path = top / name
        if path.is_symlink() or not path.is_file():  # deleted, or a submodule
            continue
        content = path.read_bytes()
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        blobs[name] = oid
        loaded[oid] = content
    return Files(blobs, loaded)


def read(repository: Repository, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Read many blobs in one pass, in the order asked.

    Yields
    ------
    (oid, content)

    Raises
    ------
    RepositoryProblem
        An object is absent (a partial clone, or damage).
    """
    with process.stream(
        repository.gitdir,
        *("cat-file", "--batch", "--buffer"),
        stdin=[f"{oid}\n".encode("ascii") for oid in oids],
    ) as pipe:
        while head := pipe.readline():
            words = head.decode("ascii", "replace").split()
            if len(words) != 3:
                raise repository.absent(words[0] if words else "")
            content = pipe.read(int(words[2]))
            pipe.read(1)
            yield words[0], content

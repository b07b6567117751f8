# SPDX-License-Identifier: GPL-2.0-or-later
"""Files without a checkout: what lies below some folders, and the content of many blobs at once.

Files come from a commit, from the worktree with its uncommitted changes, or from a plain
directory. All three name a content by its blob oid, so that whoever caches by content need not
know where a file came from.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import tarfile
import zlib
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


def in_place(place: Path, folders: Sequence[str] = ()) -> Files:
    """Read the files below `folders` of a directory or of a tarball.

    Raises
    ------
    UsageError
        It is neither.
    """
    return in_directory(place, folders) if place.is_dir() else _in_tarball(place, folders)


def _in_tarball(place: Path, folders: Sequence[str]) -> Files:
    """Read a tarball of a tree, whose files are below one folder (linux-6.1/) or not."""
    blobs = {}
    loaded = {}
    try:
        with tarfile.open(place) as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                inside = next(
                    (
                        path
                        for path in (name, name.partition("/")[2])
                        if any(path.startswith(f"{folder}/") for folder in folders)
                    ),
                    None,
                )
                file = archive.extractfile(member) if inside and member.isreg() else None
                if file is not None and inside is not None:
                    content = file.read()
                    blobs[inside] = _oid(content)
                    loaded[blobs[inside]] = content
    except (tarfile.TarError, EOFError, lzma.LZMAError, zlib.error, OSError) as error:
        raise UsageError(
            f"cannot read {place}: {error}", hint="give a tarball, or unpack it"
        ) from None
    return Files(blobs, loaded)


def sources(place: Path) -> dict[str, bytes]:
    """Read the C files at a path: the file itself, or all below the directory."""
    if place.is_file():
        return {str(place): place.read_bytes()}
    found = (Path(parent, name) for parent, _, names in os.walk(place) for name in names)
    return {
        str(path): path.read_bytes()
        for path in sorted(found)
        if path.suffix in (".c", ".h") and path.is_file() and not path.is_symlink()
    }


def _oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _from_disk(top: Path, names: Iterable[str]) -> Files:
    blobs = {}
    loaded = {}
    for name in names:
        path = top / name
        if path.is_symlink() or not path.is_file():  # deleted, or a submodule
            continue
        content = path.read_bytes()
        oid = _oid(content)
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


def lines_with(
    repository: Repository, commit: str | None, word: str | Sequence[str], folders: Sequence[str]
) -> list[tuple[str, int, str]]:
    """Find every line that has a word, or one of several, at a commit or (None) in the worktree.

    Returns
    -------
    list of (path, 1-based line, text)
    """
    if commit is None and repository.workdir is None:
        raise UsageError(
            "this repository is bare: it has no worktree to look at",
            hint="name a revision, or give a worktree with -C DIR",
        )
    arguments = ["grep", "-n", "-z", "-I", "-w", "-E", "--full-name", "--no-color", "--no-column"]
    arguments += ["--untracked"] if commit is None else []
    # One pattern for all words: git reads the files once more for each further one.
    words = (word,) if isinstance(word, str) else word
    pattern = "|".join(re.sub(r"(\W)", r"\\\1", each) for each in words)
    done = process.run(
        repository.gitdir if commit else repository.workdir or repository.gitdir,
        *arguments,
        *("-f", "-", *([commit] if commit else []), "--"),
        *(f":(top){folder}" for folder in folders),
        stdin=f"({pattern})".replace("\n", " ").encode(),
        codes=(0, 1),
    )
    found = []
    for entry in done.stdout.split(b"\n"):
        path, _, rest = entry.partition(b"\0")
        number, _, text = rest.partition(b"\0")
        if number.isdigit():
            name = path.removeprefix(f"{commit}:".encode()) if commit else path
            found.append(
                (
                    name.decode("utf-8", "backslashreplace"),
                    int(number),
                    text.decode("utf-8", "replace"),
                )
            )
    return found

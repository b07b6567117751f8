# SPDX-License-Identifier: GPL-2.0-or-later
"""The patches of a range in one pass: commit by commit, oldest first, hunk by hunk.

Lines stay bytes: a range of one release is some 300,000 of them, and most are thrown away unread.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Full, Queue

from kbisect.git import process
from kbisect.git.quoting import unquoted
from kbisect.git.repository import Repository

_CHUNK = 1 << 20
_AHEAD = 48
_TWO_YEARS = 2 * 365 * 86400
NO_BLOB = "0" * 40


@dataclass(frozen=True, slots=True)
class Hunk:
    """One change: lines that went, lines that came, and where (1-based first lines)."""

    old_start: int
    new_start: int
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FilePatch:
    """One path a commit changed; a blob oid of zeros stands for no file on that side."""

    path: str
    old_blob: str
    new_blob: str
    hunks: tuple[Hunk, ...]


@dataclass(frozen=True, slots=True)
class CommitPatch:
    """One commit with its patch, without context lines. Time in Unix seconds."""

    oid: str
    commit_time: int
    subject: str
    files: tuple[FilePatch, ...]


# The user's taste in diffs must not change what we read.
_WALK = (
    *("--reverse", "--topo-order", "--no-merges", "--full-history", "--no-notes", "--no-decorate"),
)
FLAGS = (
    *(
        "--root",
        "-p",
        "-U0",
        "--full-index",
        "--no-renames",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
    ),
    *("--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic", "--no-relative"),
    "-O/dev/null",  # cancels an order file
    *("--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"),
    "--format=%x01%H %ct %s",
)
_RANGE = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_INDEX = re.compile(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)")


@contextmanager
def reading(
    repository: Repository, old: str, new: str, paths: Sequence[str] = ()
) -> Iterator[Iterator[CommitPatch]]:
    """Read the patches of the commits in `old..new` that change something below `paths`.

    Merges are left out: what a merge changes by itself, no single patch can show.
    Renames are a removal and an addition; files that git holds for binary have no hunks.
    git begins at once and works while the caller does something else, some megabytes ahead.

    Raises
    ------
    GitFailed
        From the iterator, when git failed.
    """
    arguments = ("log", *_WALK, *FLAGS, f"{old}..{new}", "--", *paths)
    chunks: Queue[bytes | BaseException | None] = Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: bytes | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                chunks.put(item, timeout=0.1)
            except Full:
                continue
            return

    def work() -> None:
        try:
            with process.stream(repository.gitdir, *arguments) as pipe:
                while not stopped.is_set() and (chunk := pipe.read(_CHUNK)):
                    put(chunk)
        except BaseException as error:
            put(error)
        put(None)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield _commits(_lines(chunks))
    finally:
        stopped.set()
        thread.join()


def patches(
    repository: Repository, old: str, new: str, paths: Sequence[str] = ()
) -> Iterator[CommitPatch]:
    """Read the patches of a range; see `reading`."""
    with reading(repository, old, new, paths) as commits:
        yield from commits


def of_commits(
    repository: Repository, oids: Iterable[str], paths: Sequence[str] = ()
) -> Iterator[CommitPatch]:
    """Read the patches of single commits in the order given, as far as they change `paths`."""
    asked = (f"{oid}\n".encode("ascii") for oid in oids)
    with process.stream(
        repository.gitdir,
        *("diff-tree", "--stdin", *FLAGS, "--", *paths),
        stdin=asked,
    ) as pipe:
        yield from _commits(line.removesuffix(b"\n") for line in pipe)


def between(gitdir: Path, old: str, new: str) -> CommitPatch:
    """Return the difference of two commits or tree objects as one patch, which `new` names."""
    done = process.run(gitdir, "diff-tree", "-r", *FLAGS, old, new)
    head = f"\x01{new} 0 ".encode("ascii")
    [whole] = _commits([head, *done.stdout.split(b"\n")])
    return whole


def touching(
    repository: Repository,
    oid: str,
    paths: Sequence[str],
    most: int,
    since: str | None = None,
    after: int | None = None,
) -> Iterator[tuple[str, str]]:
    """Find the commits that change any of the paths, newest first, without merges.

    Parameters
    ----------
    most : stop after so many
    since : look at `since..oid`; without it at the two years before `oid`
    after : Unix time; look back to it where that is longer than two years

    Yields
    ------
    (oid, subject)
    """
    if since is None:
        before = repository.commit(oid).commit_time - _TWO_YEARS
        asked = [f"--since={before if after is None else min(before, after)}", oid]
    else:
        asked = [f"{since}..{oid}"]
    done = process.run(
        repository.gitdir,
        *("log", "-z", "--no-merges", f"--max-count={most}", "--format=%H %s"),
        *(*asked, "--", *(f":(top,literal){path}" for path in paths)),
    )
    for entry in done.stdout.decode("utf-8", "replace").split("\0"):
        name, _, subject = entry.strip("\n").partition(" ")
        if name:
            yield name, subject


def _lines(chunks: Queue[bytes | BaseException | None]) -> Iterator[bytes]:
    rest = b""
    while (chunk := chunks.get()) is not None:
        if isinstance(chunk, BaseException):
            raise chunk
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _commits(lines: Iterable[bytes]) -> Iterator[CommitPatch]:
    read = iter(lines)
    head: tuple[str, int, str] | None = None
    files: list[FilePatch] = []
    path = b""
    blobs = (NO_BLOB, NO_BLOB)
    hunks: list[Hunk] = []
    in_file = False

    def close() -> None:
        if in_file and path:
            name = path.decode("utf-8", "backslashreplace")
            files.append(FilePatch(name, *blobs, tuple(hunks)))

    for line in read:
        first = line[:1]
        if first == b"@" and (found := _RANGE.match(line)):
            old_start, old_count, new_start, new_count = found.groups()
            hunks.append(
                Hunk(
                    int(old_start),
                    int(new_start),
                    _side(read, 1 if old_count is None else int(old_count)),
                    _side(read, 1 if new_count is None else int(new_count)),
                )
            )
        elif first == b"\x01":
            close()
            if head is not None:
                yield CommitPatch(*head, tuple(files))
            oid, time, *subject = line[1:].split(b" ", 2)
            words = subject[0].decode("utf-8", "replace") if subject else ""
            head = (oid.decode("ascii"), int(time), words)
            files, in_file = [], False
        elif line.startswith(b"diff --git "):
            close()
            path, blobs, hunks, in_file = b"", (NO_BLOB, NO_BLOB), [], True
        elif line.startswith(b"index ") and (found := _INDEX.match(line)):
            blobs = (found.group(1).decode("ascii"), found.group(2).decode("ascii"))
        elif line.startswith((b"--- ", b"+++ ")) and not line[4:].startswith(b"/dev/null"):
            path = unquoted(line[4:].rstrip(b"\t"))[2:]
    close()
    if head is not None:
        yield CommitPatch(*head, tuple(files))


def _side(lines: Iterator[bytes], count: int) -> tuple[bytes, ...]:
    """Take `count` lines of one side; the note about a missing last newline is no line."""
    taken: list[bytes] = []
    while len(taken) < count:
        line = next(lines, None)
        if line is None:
            break
        if not line.startswith(b"\\"):
            taken.append(line[1:])
    return tuple(taken)

# SPDX-License-Identifier: GPL-2.0-or-later
"""The bulk commit stream: the whole graph, and the commits of some folders, in one pass each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from kbisect.git.repository import Repository, subject_of


@dataclass(frozen=True, slots=True)
class Change:
    """One path a commit changed: status A, M, D, T as git's --raw; blobs are oids, 0… for none."""

    status: str
    path: str
    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """One commit of the stream: people as the mailmap names them, times in Unix seconds."""

    oid: str
    author_name: str
    author_email: str
    author_time: int
    committer_name: str
    committer_email: str
    commit_time: int
    message: str
    changes: tuple[Change, ...]

    @property
    def subject(self) -> str:
        """First paragraph on one line."""
        return subject_of(self.message)


def walk(
    repository: Repository, tips: Iterable[str], exclude: Iterable[str] = (), *flags: str
) -> Iterator[tuple[str, int, list[str]]]:
    """Walk the history of `tips` without that of `exclude`, children before parents.

    Yields
    ------
    (oid, commit time, parent oids); parents outside the walk are named too.
    """
    asked = "".join(f"{oid}\n" for oid in tips) + "".join(f"^{oid}\n" for oid in exclude)
    arguments = ("rev-list", "--topo-order", "--parents", "--timestamp", *flags, "--stdin")
    with repository.stream(*arguments, stdin=[asked.encode()]) as lines:
        for line in lines:
            time, oid, *parents = line.decode("ascii").split()
            yield oid, int(time), parents


_FORMAT = "%x01%H%x00%aN%x00%aE%x00%at%x00%cN%x00%cE%x00%ct%x00%B%x00"


def records(
    repository: Repository, oids: Sequence[str], paths: Sequence[str] = ()
) -> Iterator[CommitRecord]:
    """Read those of the given commits that change something below `paths`, in the order given.

    A merge is compared with none of its parents and so never appears. Folders only: a long list
    of files makes git an order of magnitude slower than filtering what it answers.
    """
    with repository.stream(
        # git looks for .mailmap in a worktree, and we may stand in none.
        *("-c", "mailmap.blob=HEAD:.mailmap"),
        *("diff-tree", "--stdin", "-r", "--root", "--raw", "-z", "--no-renames", "--no-abbrev"),
        *(f"--format={_FORMAT}", "--", *paths),
        stdin=(f"{oid}\n".encode() for oid in oids),
    ) as pipe:
        yield from _parse(_tokens(pipe))


def subjects(repository: Repository, oids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Read the subjects of many commits, merges among them: (oid, subject)."""
    asked = (f"{oid}\n".encode() for oid in oids)
    arguments = ("log", "--no-walk=unsorted", "-z", "--format=%H%x00%s", "--stdin")
    with repository.stream(*arguments, stdin=asked) as pipe:
        tokens = _tokens(pipe)
        for oid in tokens:
            yield oid.decode("ascii"), next(tokens).decode("utf-8", "replace")


def folder_ids(
    repository: Repository, oids: Sequence[str], folders: Sequence[str]
) -> list[tuple[str, ...]]:
    """Return the tree-object ids of some folders at each commit, '' where a folder is missing.

    Two commits with the same ids have the same files there: the cheapest comparison there is.
    """
    asked = (f"{oid}:{folder}\n".encode() for oid in oids for folder in folders)
    arguments = ("cat-file", "--batch-check=%(objectname)", "--buffer")
    with repository.stream(*arguments, stdin=asked) as lines:
        ids = ["" if line.endswith(b" missing\n") else line[:-1].decode("ascii") for line in lines]
    size = len(folders)
    return [tuple(ids[at : at + size]) for at in range(0, len(ids), size)]


def differing_paths(
    repository: Repository, pairs: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], list[str]]:
    """Return the paths in which pairs of tree objects differ, relative to them."""
    asked = (f"{left} {right}\n".encode() for left, right in pairs)
    found: dict[tuple[str, str], list[str]] = {}
    arguments = ("diff-tree", "--stdin", "-r", "--name-only", "--no-renames")
    names: list[str] = []
    with repository.stream(*arguments, stdin=asked) as lines:
        for line in lines:
            text = line[:-1].decode("utf-8", "backslashreplace")
            if len(text) == 81 and text[40] == " ":
                left, right = text.split(" ")
                names = found.setdefault((left, right), [])
            else:
                names.append(text)
    return found


def _tokens(pipe: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := pipe.read(1 << 18):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest.strip():
        yield rest


def _parse(tokens: Iterator[bytes]) -> Iterator[CommitRecord]:
    token = next(tokens, None)
    while token is not None:
        oid = token.lstrip(b"\n")[1:].decode("ascii")
        header = [next(tokens).decode("utf-8", "replace") for _ in range(7)]
        next(tokens)  # the empty end of the message
        changes = []
        while (token := next(tokens, None)) is not None and token.lstrip(b"\n")[:1] == b":":
            old_mode, new_mode, old, new, status = token.lstrip(b"\n:").decode("ascii").split()
            path = next(tokens).decode("utf-8", "backslashreplace")
            changes.append(Change(status[0], path, old_mode, new_mode, old, new))
        name, email, written, committer, committer_email, committed, message = header
        yield CommitRecord(
            oid,
            name,
            email,
            int(written or 0),
            committer,
            committer_email,
            int(committed or 0),
            message,
            tuple(changes),
        )

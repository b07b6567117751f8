# SPDX-License-Identifier: GPL-2.0-or-later
"""The bulk commit stream: the whole graph, and the commits of some folders, in one pass each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kbisect.git import process
from kbisect.git.repository import Repository


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
    with process.stream(repository.gitdir, *arguments, stdin=[asked.encode()]) as lines:
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
    with process.stream(
        repository.gitdir,
        *("diff-tree", "--stdin", "-r", "--root", "--raw", "-z", "--no-renames", "--no-abbrev"),
        *(f"--format={_FORMAT}", "--", *paths),
        stdin=(f"{oid}\n".encode() for oid in oids),
    ) as pipe:
        yield from _parse(_tokens(pipe))


def _tokens(pipe: Iterable[bytes] | object) -> Iterator[bytes]:
    read = getattr(pipe, "read1")  # noqa: B009 - typing.IO doesn't declare it
    rest = b""
    while chunk := read(1 << 20):
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

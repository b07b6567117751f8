# SPDX-License-Identifier: GPL-2.0-or-later
"""The bulk commit stream: the whole graph, and the commits of some folders, in one pass each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, NamedTuple

from kbisect.git import process
from kbisect.git.repository import Repository, subject_of


class Change(NamedTuple):
    """One path a commit changed. A tuple, since an index reads a hundred thousand of them.

    Attributes
    ----------
    status : A, M, D, T as git's --raw; R where a renamed file was found by `renamed`
    path, old_path : the second for R only
    old_blob, new_blob : oids, 0… for none
    lines : how many were added and removed (none in a binary file); None where they weren't counted
    """

    status: str
    path: str
    old_blob: str
    new_blob: str
    old_path: str | None = None
    lines: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as git wrote them down: not mapped by any mailmap."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """One commit of the stream, times in Unix seconds."""

    oid: str
    author: Person
    author_time: int
    committer: Person
    commit_time: int
    message: str
    changes: tuple[Change, ...]

    @property
    def subject(self) -> str:
        """First paragraph on one line."""
        return subject_of(self.message)


def walk(
    repository: Repository,
    tips: Iterable[str],
    exclude: Iterable[str] = (),
    *flags: str,
    order: str = "topo",
) -> Iterator[tuple[str, int, list[str]]]:
    """Walk the history of `tips` without that of `exclude`, children before parents.

    Parameters
    ----------
    order : `topo`; or `date`, whose first rows come at once, and of which a few stand after
        their parents where clocks were wrong

    Yields
    ------
    (oid, commit time, parent oids); parents outside the walk are named too.
    """
    asked = "".join(f"{oid}\n" for oid in tips) + "".join(f"^{oid}\n" for oid in exclude)
    ordered = ("--topo-order",) if order == "topo" else ()
    arguments = ("rev-list", *ordered, "--parents", "--timestamp", *flags, "--stdin")
    with repository.stream(*arguments, stdin=[asked.encode()]) as lines:
        for line in lines:
            time, oid, *parents = line.decode("ascii").split()
            yield oid, int(time), parents


def naming(repository: Repository, texts: Iterable[str], *asked: str) -> list[str]:
    """Return the commits whose message contains any of some texts, oldest first, without merges.

    Parameters
    ----------
    texts : taken literally, line by line
    asked : what `git log` is to walk
    """
    greps = [f"--grep={text}" for text in texts]
    if not greps:
        return []
    done = process.run(
        repository.gitdir,
        *("log", "--no-merges", "--reverse", "--format=%H", "-F", *greps, *asked, "--"),
    )
    return done.stdout.decode("ascii").split()


_FORMAT = "%x01%H%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B%x00"
_RECORDS = (
    *("diff-tree", "--stdin", "-r", "--root", "--raw", "-z", "--no-renames", "--no-abbrev"),
    f"--format={_FORMAT}",
)


def records(
    repository: Repository,
    oids: Iterable[str],
    folders: Sequence[str],
    counts: Callable[[str], bool] = lambda _: True,
    *,
    count_lines: bool = False,
) -> Iterator[CommitRecord]:
    """Read those of the given commits that change a path that counts, in the order given.

    A merge is compared with none of its parents and so never appears.

    Parameters
    ----------
    folders : what git looks at. Folders only: a long list of files makes git an order of magnitude
        slower than filtering what it answers.
    counts : which of the paths below them count; the others are not told
    count_lines : whether lines are counted, which takes git ten times as long
    """
    asked = [("\n".join(oids) + "\n").encode("ascii")]
    numstat = ("--numstat",) if count_lines else ()
    with repository.stream(*_RECORDS, *numstat, "--", *folders, stdin=asked) as pipe:
        yield from (found for found in _parse(_tokens(pipe), counts) if found.changes)


def record(repository: Repository, oid: str) -> CommitRecord:
    """Read one commit with all that it changes; a merge is compared with none of its parents.

    One git says it all: pygit2 takes longer to load.
    """
    with repository.stream(*_RECORDS, "--always", stdin=[f"{oid}\n".encode("ascii")]) as pipe:
        return next(_parse(_tokens(pipe), lambda _: True))


def from_parents(
    repository: Repository, pairs: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, tuple[Change, ...]]]:
    """Read in which paths commits differ from one parent each, merges too: (oid, changes).

    One that differs in nothing is left out. A symbolic link that points elsewhere has status T.

    Parameters
    ----------
    pairs : (oid, oid of the parent)
    """
    asked = (f"{oid} {parent}\n".encode("ascii") for oid, parent in pairs)
    arguments = ("diff-tree", "--stdin", "-r", "--raw", "-z", "--no-renames", "--no-abbrev")
    with repository.stream(*arguments, stdin=asked) as pipe:
        tokens = _tokens(pipe)
        oid, changes = "", list[Change]()
        for token in tokens:
            if not token.startswith(b":"):
                if changes:
                    yield oid, tuple(changes)
                oid, changes = token.decode("ascii").strip(), []
                continue
            mode, _, old, new, status = token.decode("ascii").split()
            path = next(tokens).decode("utf-8", "backslashreplace")
            linked = mode == ":120000" and status == "M"
            changes.append(Change("T" if linked else status[0], path, old, new))
        if changes:
            yield oid, tuple(changes)


def subjects(repository: Repository, oids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Read the subjects of many commits, merges among them: (oid, subject)."""
    asked = (f"{oid}\n".encode() for oid in oids)
    arguments = ("log", "--no-walk=unsorted", "-z", "--format=%H%x00%s", "--stdin")
    with repository.stream(*arguments, stdin=asked) as pipe:
        tokens = _tokens(pipe)
        for oid in tokens:
            yield oid.decode("ascii"), next(tokens).decode("utf-8", "replace")


def renamed(
    repository: Repository, oids: Sequence[str], folders: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Look for renamed files in some commits by git's similarity: oid → {new path: old path}."""
    asked = (f"{oid}\n".encode() for oid in oids)
    found: dict[str, dict[str, str]] = {}
    arguments = ("diff-tree", "--stdin", "-r", "--root", "-M", "--raw", "-z", "--diff-filter=R")
    with repository.stream(*arguments, "--", *folders, stdin=asked) as pipe:
        tokens = _tokens(pipe)
        names: dict[str, str] = {}
        for token in tokens:
            if token.startswith(b":"):
                old, new = (next(tokens).decode("utf-8", "backslashreplace") for _ in "on")
                names[new] = old
            else:
                names = found.setdefault(token.decode("ascii").strip(), {})
    return found


def mailmapped(repository: Repository, people: Sequence[Person]) -> list[Person]:
    """Map people by the mailmap at HEAD, in the order given."""
    if not repository.has_path("HEAD", ".mailmap"):
        return list(people)
    fit = [person for person in people if not {"<", ">", "\n"} & set(person.name + person.email)]
    asked = "".join(f"{person.name} <{person.email}>\n" for person in fit)
    # git looks for .mailmap in a worktree, and we may stand in none.
    arguments = ("-c", "mailmap.blob=HEAD:.mailmap", "check-mailmap", "--stdin")
    with repository.stream(*arguments, stdin=[asked.encode("utf-8", "replace")]) as lines:
        answers = [line.decode("utf-8", "replace").rstrip("\n") for line in lines]
    mapped = {}
    for person, line in zip(fit, answers, strict=True):
        name, _, email = line.rpartition(" <") if " <" in line else ("", "", line.lstrip("<"))
        mapped[person] = Person(name, email.removesuffix(">"))
    return [mapped.get(person, person) for person in people]


def folder_ids(
    repository: Repository, oids: Sequence[str], folders: Sequence[str]
) -> list[tuple[str, ...]]:
    """Return the object ids of some folders (or files) at each commit, '' where one is missing.

    Two commits with the same ids have the same files there: the cheapest comparison there is.
    """
    asked = "".join(f"{oid}:{folder}\n" for oid in oids for folder in folders).encode()
    arguments = ("cat-file", "--batch-check=%(objectname)", "--buffer")
    with repository.stream(*arguments, stdin=[asked]) as lines:
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


def _parse(tokens: Iterator[bytes], counts: Callable[[str], bool]) -> Iterator[CommitRecord]:
    people: dict[tuple[bytes, bytes], Person] = {}

    def person(name: bytes, email: bytes) -> Person:
        found = people.get((name, email))
        if found is None:
            made = Person(name.decode("utf-8", "replace"), email.decode("utf-8", "replace"))
            found = people[name, email] = made
        return found

    token = next(tokens, None)
    while token is not None:
        oid = token
        name, email, written, committer, committer_email, committed, message, _ = islice(tokens, 8)
        changes = []
        lines: dict[str, tuple[int, int]] = {}
        while (token := next(tokens, None)) is not None:
            begin = token.lstrip(b"\n")[:1]
            if begin == b":":
                _, _, old, new, status = token.decode("ascii").split()
                path = next(tokens).decode("utf-8", "backslashreplace")
                if counts(path):
                    changes.append(Change(status[0], path, old, new))
            elif begin == b"\1":
                break
            else:
                added, removed, name = token.split(b"\t", 2)
                path = name.decode("utf-8", "backslashreplace")
                # `-` for a binary file.
                lines[path] = int(added.replace(b"-", b"0")), int(removed.replace(b"-", b"0"))
        if lines:
            changes = [change._replace(lines=lines.get(change.path)) for change in changes]
        yield CommitRecord(
            oid.lstrip(b"\n")[1:].decode("ascii"),
            person(name, email),
            int(written or 0),
            person(committer, committer_email),
            int(committed or 0),
            message.decode("utf-8", "replace"),
            tuple(changes),
        )

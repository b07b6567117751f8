# SPDX-License-Identifier: GPL-2.0-or-later
"""The object ids of some paths at every commit of a long history.

Two commits with the same id have the same files there: the cheapest comparison there is. git
hands out raw tree objects several times faster than it compares them, and most commits change
nothing below the paths asked for.
"""

from __future__ import annotations

import queue
from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kbisect.git.background import begun
from kbisect.git.repository import Repository
from kbisect.git.walks import Bytes

Numbers = NDArray[np.int32]

_FOLDER = b"40000 "
# So many lines are handed on at once.
_BLOCK = 256


class Folders:
    """The ids of some paths (folders or files), read while commits are still being named.

    An id stands for the mode and the content of a path at a commit: equal numbers, equal ids; 0
    where there is no such path.

    Parameters
    ----------
    paths : from the top, `drivers/net`
    """

    def __init__(self, repository: Repository, paths: Sequence[str]) -> None:
        self._paths = [path.encode("utf-8", "surrogateescape").split(b"/") for path in paths]
        self._top = _Level(repository, self._paths)
        levels = self._top.all()
        self._readings = [begun(level.read) for level in levels]

    def give(self, oids: Bytes, suffix: bytes = b"") -> None:
        """Name some more root tree objects, or with the suffix `^{tree}` commits: uint8[N, 20]."""
        self._top.ask(_lines(oids, suffix))

    def ids(self) -> Numbers:
        """Return the id of each path at each object that was named, in order: int32[N, paths].

        No more can be named.

        Raises
        ------
        RepositoryProblem
            An object is absent.
        """
        self.close()
        for reading in self._readings:
            reading.result()
        return np.stack([self._top.column(path) for path in self._paths], axis=1)

    def oid(self, path: int, number: int) -> str:
        """Return the object behind an id of the path at this place in the list; '' for none."""
        return self._top.oid(self._paths[path], number)

    def close(self) -> None:
        """Let the readers end; `ids` does so itself."""
        self._top.end()


class _Entry:
    """A name that is looked for in the tree objects of one folder."""

    def __init__(self, name: bytes, below: _Level | None) -> None:
        self.name = name
        self.below = below
        self.numbers = array("i")
        """By tree object: the id's number."""
        self.oids = [b""]
        """By number: the raw oid."""
        self.known = {b"": 0}
        """Mode, name and raw oid → number."""
        # Where it stood last, with its mode. Few commits add or remove a neighbour, so there it
        # stands again.
        self.begin = b""
        self.at = -1

    def seek(self, content: bytes) -> None:
        """Find the place in a tree object (which has a newline behind it)."""
        self.at = -1
        if b" %s\0" % self.name not in content:
            return
        at = 0
        while at < len(content) - 1:
            behind = content.index(b"\0", at) + 1
            if content[at:behind].partition(b" ")[2] == self.name + b"\0":
                self.begin, self.at = content[at:behind], at
                return
            at = behind + 20

    def learn(self, key: bytes) -> int:
        """Number an id that was not seen before."""
        mode, oid = key.partition(b" ")[0], key[-20:]
        # Modes as git compares them: of a file only who may run it.
        if mode.startswith(b"10"):
            mode = b"100755" if int(mode, 8) & 0o100 else b"100644"
        number = self.known.setdefault(b"%s %s\0%s" % (mode, self.name, oid), len(self.oids))
        self.known[key] = number
        if number == len(self.oids):
            self.oids.append(oid)
            if self.below and key.startswith(_FOLDER):
                self.below.ask_one(oid, number)
        return number


class _Level:
    """One folder: the top, or `drivers`; what is wanted of its tree objects."""

    def __init__(self, repository: Repository, paths: Sequence[Sequence[bytes]]) -> None:
        self._repository = repository
        self._asked: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._waiting: list[bytes] = []
        self._numbers = array("i")
        self._entries: dict[bytes, _Entry] = {}
        for head in dict.fromkeys(path[0] for path in paths):
            deeper = [path[1:] for path in paths if path[0] == head and len(path) > 1]
            self._entries[head] = _Entry(head, _Level(repository, deeper) if deeper else None)

    def _below(self) -> Iterable[_Level]:
        return (entry.below for entry in self._entries.values() if entry.below)

    def all(self) -> list[_Level]:
        """Return this level and those below it."""
        return [self, *(level for each in self._below() for level in each.all())]

    def ask(self, lines: bytes) -> None:
        """Ask for tree objects, by git's names for them."""
        self._asked.put(lines)

    def ask_one(self, oid: bytes, number: int) -> None:
        """Ask for the tree object that has a number one level up."""
        self._numbers.append(number)
        self._waiting.append(oid)
        if len(self._waiting) == _BLOCK:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self.ask("".join(f"{oid.hex()}\n" for oid in self._waiting).encode("ascii"))
            self._waiting = []

    def end(self) -> None:
        """Say that this is all."""
        self._flush()
        self._asked.put(None)

    def read(self) -> None:
        """Read all tree objects that are asked for."""
        try:
            self._read()
        finally:
            for level in self._below():
                level.end()

    def _read(self) -> None:
        entries = list(self._entries.values())
        arguments = ("cat-file", "--batch=%(objectsize)", "--buffer")
        asked = iter(self._asked.get, None)
        with self._repository.stream(*arguments, stdin=asked) as pipe:
            while head := pipe.readline():
                try:
                    size = int(head)
                except ValueError:
                    raise self._repository.absent(head[:40].decode("ascii", "replace")) from None
                content = pipe.read(size + 1)
                for entry in entries:
                    at = entry.at
                    if at < 0 or not content.startswith(entry.begin, at):
                        entry.seek(content)
                        at = entry.at
                    key = content[at : at + len(entry.begin) + 20] if at >= 0 else b""
                    number = entry.known.get(key)
                    entry.numbers.append(entry.learn(key) if number is None else number)

    def column(self, path: Sequence[bytes]) -> Numbers:
        """Return a path's ids at this level's tree objects."""
        entry = self._entries[path[0]]
        own = np.array(entry.numbers, np.int32)
        if len(path) == 1:
            return own
        assert entry.below is not None
        deeper = np.zeros(len(entry.oids), np.int32)
        deeper[np.array(entry.below._numbers, np.int32)] = entry.below.column(path[1:])
        return deeper[own]

    def oid(self, path: Sequence[bytes], number: int) -> str:
        """Return the object behind an id."""
        entry = self._entries[path[0]]
        if len(path) > 1 and entry.below:
            return entry.below.oid(path[1:], number)
        return entry.oids[number].hex()


def _lines(oids: Bytes, suffix: bytes) -> bytes:
    """Write raw oids in hex, a line each."""
    lines = np.empty((len(oids), 41 + len(suffix)), np.uint8)
    lines[:, :40] = np.frombuffer(oids.tobytes().hex().encode("ascii"), np.uint8).reshape(-1, 40)
    lines[:, 40:] = np.frombuffer(suffix + b"\n", np.uint8)
    return lines.tobytes()

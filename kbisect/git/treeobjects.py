# SPDX-License-Identifier: GPL-2.0-or-later
"""Tree objects and small objects of our own, written without libgit2's look at every pack.

A thousand picks make ten thousand tree objects, most of which only the next pick looks at: they
stay in memory till git is to see them.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pygit2

_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
_FOLDER = b"40000"
_REGULAR = (b"100644", b"100755")
_PARSED = 4096
"""Tree objects that are kept taken apart; a pick looks at some five."""


class Entry(NamedTuple):
    """What stands at one name of a tree object.

    Attributes
    ----------
    mode : octal, as git writes it
    raw : the oid's 20 bytes
    """

    mode: bytes
    raw: bytes

    @property
    def oid(self) -> str:
        """The oid in hexadecimal."""
        return self.raw.hex()

    @property
    def folder(self) -> bool:
        """Whether it is a tree object itself."""
        return self.mode == _FOLDER

    @property
    def regular(self) -> bool:
        """Whether it is a file: no folder, link or submodule."""
        return self.mode in _REGULAR


class LooseObjects:
    """The place for new objects of a repository of ours."""

    def __init__(self, gitdir: Path) -> None:
        self._objects = gitdir / "objects"

    def write(self, kind: str, content: bytes) -> str:
        """Write an object, `kind` being `commit` or `tree`, and return its oid."""
        whole = _headed(kind, content)
        oid = _named(whole)
        place = self._objects / oid[:2] / oid[2:]
        new = place.with_name(f"tmp_obj_{os.getpid()}_{get_ident()}")
        try:
            new.write_bytes(zlib.compress(whole, 0))
        except FileNotFoundError:
            place.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(zlib.compress(whole, 0))
        new.replace(place)
        return oid


class Trees:
    """Tree objects of one repository, and what becomes of them by edits. Each thread needs its own.

    Parameters
    ----------
    gitdir, repo : where `write` puts them, and the libgit2 view of it
    beside : that of another thread, whose new ones it sees
    """

    def __init__(self, gitdir: Path, repo: pygit2.Repository, beside: Trees | None = None) -> None:
        self._repo = repo
        self._loose = LooseObjects(gitdir)
        self._unwritten: dict[str, bytes] = beside._unwritten if beside else {}
        self.entries = lru_cache(_PARSED)(self._entries)

    def _entries(self, tree: str) -> Mapping[bytes, Entry]:
        """Return what a tree object holds, by name, in git's order."""
        raw = self._unwritten.get(tree)
        if raw is None:
            raw = self._repo.read(tree)[1]
        return {name: Entry(mode, oid) for mode, name, oid in _ENTRY.findall(raw)}

    def at(self, tree: str, path: str) -> Entry | None:
        """Return what stands at a path, None where nothing does."""
        *folders, name = path.encode("utf-8", "surrogateescape").split(b"/")
        for folder in folders:
            found = self.entries(tree).get(folder)
            if found is None or not found.folder:
                return None
            tree = found.oid
        return self.entries(tree).get(name)

    def in_the_way(self, tree: str, path: str) -> bool:
        """Whether something that is no folder stands where a path has one."""
        folders = path.split("/")[:-1]
        for end in range(1, len(folders) + 1):
            found = self.at(tree, "/".join(folders[:end]))
            if found is None:
                return False
            if not found.folder:
                return True
        return False

    def edited(self, tree: str, files: Mapping[str, Entry]) -> str:
        """Return the tree object with other files, or new ones in folders that are there."""
        split = {
            tuple(path.encode("utf-8", "surrogateescape").split(b"/")): entry
            for path, entry in files.items()
        }
        return self._edited(tree, split) if split else tree

    def _edited(self, tree: str, files: Mapping[tuple[bytes, ...], Entry]) -> str:
        entries = dict(self.entries(tree))
        below: dict[bytes, dict[tuple[bytes, ...], Entry]] = {}
        for (name, *rest), entry in files.items():
            if rest:
                below.setdefault(name, {})[tuple(rest)] = entry
            else:
                entries[name] = entry
        for name, inside in below.items():
            folder = self._edited(entries[name].oid, inside)
            entries[name] = Entry(_FOLDER, bytes.fromhex(folder))
        return self._put(entries)

    def of(self, files: Mapping[str, Entry]) -> str:
        """Return the tree object of some files alone."""
        below: dict[str, dict[str, Entry]] = {}
        entries: dict[bytes, Entry] = {}
        for path, entry in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = entry
            else:
                entries[name.encode("utf-8", "surrogateescape")] = entry
        for name, inside in below.items():
            folder = Entry(_FOLDER, bytes.fromhex(self.of(inside)))
            entries[name.encode("utf-8", "surrogateescape")] = folder
        return self._put(entries)

    def _put(self, entries: Mapping[bytes, Entry]) -> str:
        content = _content(entries.items())
        oid = _named(_headed("tree", content))
        self._unwritten[oid] = content
        return oid

    def numbered(self, files: Iterable[str]) -> str:
        """Write a tree object of one level: blobs, whose names are numbers from 0."""
        numbers = ((str(at).encode("ascii"), oid) for at, oid in enumerate(files))
        named = ((name, Entry(_REGULAR[0], bytes.fromhex(oid))) for name, oid in numbers)
        return self._loose.write("tree", _content(named))

    def write(self, tree: str) -> str:
        """Let git see a tree object, and those below it; return its oid."""
        content = self._unwritten.get(tree)
        if content is not None:
            for entry in self.entries(tree).values():
                if entry.folder:
                    self.write(entry.oid)
            self._loose.write("tree", content)
            # Only now: another thread may look for it.
            self._unwritten.pop(tree, None)
        return tree


def _content(entries: Iterable[tuple[bytes, Entry]]) -> bytes:
    """Put a tree object together, in git's order: a folder's name counts with its slash."""
    order = sorted(entries, key=lambda each: each[0] + b"/" if each[1].folder else each[0])
    return b"".join(b"%b %b\0%b" % (entry.mode, name, entry.raw) for name, entry in order)


def _headed(kind: str, content: bytes) -> bytes:
    return f"{kind} {len(content)}\0".encode("ascii") + content


def _named(whole: bytes) -> str:
    return hashlib.sha1(whole, usedforsecurity=False).hexdigest()

# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of one commit, asked for by path, without a checkout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from kbisect.git import process

_MOST_AT_ONCE = 4096
"""Paths on one command line."""
_LEAVES = re.compile(r"/|(?:.*/)?\.\.?(?:/|\Z)|.*//|.*\0", re.DOTALL).match
"""Git refuses to look for these, or would look for another path."""


class Snapshot:
    """What a commit (or a tree object) holds. Paths are relative to its top.

    Parameters
    ----------
    gitdir : of the user's repository, or of the scratch repository
    oid : full oid of a commit or a tree object
    """

    def __init__(self, gitdir: Path, oid: str) -> None:
        self.gitdir = gitdir
        self.oid = oid
        self._kinds: dict[str, str | None] = {}

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Read regular files and symbolic links; what isn't there is left out."""
        asked = list(dict.fromkeys(paths))
        done = self._contents(asked)
        found: dict[str, bytes] = {}
        at = 0
        for path in asked:
            end = done.find(b"\n", at)
            head = done[at:end]
            at = end + 1
            if head.endswith(b" missing"):
                continue
            _, kind, size = head.rsplit(b" ", 2)
            if kind == b"blob":
                found[path] = done[at : at + int(size)]
            at += int(size) + 1
        return found

    def kinds(self, paths: Iterable[str]) -> dict[str, str | None]:
        """Say what each path is: `blob`, `tree`, `commit` (a submodule), None for nothing."""
        asked = list(dict.fromkeys(paths))
        plain = {path: path.rstrip("/") for path in asked}
        new = [each for each in dict.fromkeys(plain.values()) if each not in self._kinds]
        for at in range(0, len(new), _MOST_AT_ONCE):
            self._kinds |= self._listed(new[at : at + _MOST_AT_ONCE])
        return {path: self._kinds[plain[path]] for path in asked}

    def _listed(self, paths: Sequence[str]) -> dict[str, str | None]:
        """Look paths up in the folders they stand in: git reads each once, and compares little."""
        found: dict[str, str | None] = dict.fromkeys(paths)
        inside = [path for path in paths if path and not _LEAVES(path)]
        folders = {path.rpartition("/")[0] for path in inside}
        if not inside:
            return found
        top = {path for path in inside if "/" not in path}
        done = process.run(
            self.gitdir,
            *("ls-tree", "-t", "-z", "--full-tree", self.oid, "--"),
            *(*top, *(f"{folder}/" for folder in folders - {""})),
            env={"GIT_LITERAL_PATHSPECS": "1"},
        )
        for entry in done.stdout.decode("utf-8", "surrogateescape").split("\0"):
            head, _, path = entry.partition("\t")
            if path in found:
                found[path] = head.split()[1]
        return found

    @cached_property
    def files(self) -> tuple[str, ...]:
        """All files, as git sorts them."""
        return tuple(self._list())

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders, without a slash at their end."""
        return frozenset(self._list("-d"))

    def named(self, name: str) -> list[str]:
        """Return the files of one name, in whatever folder, sorted."""
        return sorted(path for path in self.files if path == name or path.endswith(f"/{name}"))

    def lines_with(
        self, words: Iterable[str], paths: Sequence[str] = ()
    ) -> list[tuple[str, int, str]]:
        """Find the lines that have any of the words: (path, 1-based line, text).

        Parameters
        ----------
        paths : git's pathspecs; all files without any
        """
        asked = [option for word in words for option in ("-e", word)]
        if not asked:
            return []
        done = process.run(
            self.gitdir,
            *("grep", "-n", "-z", "-I", "-w", "-F", "--full-name", "--no-color", "--no-column"),
            *("--threads=2", *asked, self.oid, "--", *paths),
            codes=(0, 1),
        )
        found = []
        for entry in done.stdout.split(b"\n"):
            name, _, rest = entry.partition(b"\0")
            number, _, text = rest.partition(b"\0")
            if number.isdigit():
                path = name.partition(b":")[2].decode("utf-8", "surrogateescape")
                found.append((path, int(number), text.decode("utf-8", "replace")))
        return found

    def _list(self, *options: str) -> list[str]:
        done = process.run(
            self.gitdir,
            *("ls-tree", "-r", *options, "-z", "--name-only", "--full-tree", self.oid),
        )
        return [
            name.decode("utf-8", "surrogateescape") for name in done.stdout.split(b"\0") if name
        ]

    def _contents(self, paths: list[str]) -> bytes:
        if not paths:
            return b""
        # A newline would be a second question; git tracks such names, but nobody mails them.
        asked = "".join(f"{self.oid}:{path.replace(chr(10), ' ')}\n" for path in paths)
        return process.run(
            self.gitdir, "cat-file", "--batch", stdin=asked.encode("utf-8", "surrogateescape")
        ).stdout

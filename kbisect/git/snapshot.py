# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of one commit, asked for by path, without a checkout."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from kbisect.git import process


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

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Read regular files and symbolic links; what isn't there is left out."""
        asked = list(dict.fromkeys(paths))
        done = self._ask("--batch", asked)
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
        lines = self._ask("--batch-check", asked).split(b"\n")
        return {
            path: None if line.endswith((b" missing", b" ambiguous")) else line.split()[1].decode()
            for path, line in zip(asked, lines, strict=False)
        }

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

    def lines_with(self, words: Iterable[str]) -> list[tuple[str, int, str]]:
        """Find the lines of all files that have any of the words: (path, 1-based line, text)."""
        asked = [option for word in words for option in ("-e", word)]
        if not asked:
            return []
        done = process.run(
            self.gitdir,
            *("grep", "-n", "-z", "-I", "-w", "-F", "--full-name", "--no-color", "--no-column"),
            *("--threads=2", *asked, self.oid),
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

    def _ask(self, how: str, paths: list[str]) -> bytes:
        # A newline would be a second question; git tracks such names, but nobody mails them.
        asked = "".join(f"{self.oid}:{path.replace(chr(10), ' ')}\n" for path in paths)
        return process.run(
            self.gitdir,
            *("cat-file", how),
            stdin=asked.encode("utf-8", "surrogateescape"),
        ).stdout

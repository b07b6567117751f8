# SPDX-License-Identifier: GPL-2.0-or-later
"""Mailed patches applied in memory, by `git apply` itself, to an index of our own.

The files of a tree object are listed in a temporary index; `git apply --cached` changes it, and
what comes of it is written as a tree object of the scratch repository. Neither the user's checkout
nor the user's index is looked at.
"""

from __future__ import annotations

import re
import shutil
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kbisect import temporary
from kbisect.git import process
from kbisect.git.merging import Merger
from kbisect.git.repository import Repository
from kbisect.git.worktree import Scratch

_OFFSET = re.compile(r"Hunk #\d+ succeeded at \d+ \(offset -?\d+ lines?\)")
_REJECTED = re.compile(r"error: patch failed: (?P<path>.+):(?P<line>\d+)")
_PROBLEM = re.compile(r"error: (?P<text>.+)")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one try.

    Attributes
    ----------
    tree : oid of the resulting tree object, None where it doesn't apply
    offsets : number of hunks that were found some lines away
    rejected : (path, first line of the hunk) for each that wasn't found
    problem : git's words where it isn't the hunks that fail, None otherwise
    """

    tree: str | None
    offsets: int = 0
    rejected: tuple[tuple[str, int], ...] = ()
    problem: str | None = None


class Applier:
    """Applies diffs to tree objects of one repository."""

    def __init__(self, repository: Repository) -> None:
        self.gitdir = Scratch.prepare(repository).gitdir
        self._folder, remove = temporary.make("index")
        weakref.finalize(self, remove)
        self._listed: dict[str, Path] = {}

    def apply(self, tree: str, diff: bytes, *options: str, reverse: bool = False) -> Attempt:
        """Try a diff on a tree object.

        Parameters
        ----------
        options : further ones of `git apply`: `--3way`, `-C1`, `--ignore-whitespace`
        reverse : take it back instead
        """
        index = self._folder / "try"
        shutil.copyfile(self._index(tree), index)
        done = process.run(
            self.gitdir,
            *("-c", "apply.whitespace=nowarn", "-c", "apply.ignoreWhitespace=no"),
            *("apply", "--cached", "--verbose", "--whitespace=nowarn", *options),
            *(("--reverse",) if reverse else ()),
            "-",
            stdin=diff if diff.endswith(b"\n") else diff + b"\n",
            codes=(0, 1, 128),
            env=self._using(index),
        )
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode:
            return _failed(said)
        written = process.run(self.gitdir, "write-tree", env=self._using(index))
        return Attempt(written.stdout.decode().strip(), len(_OFFSET.findall(said)))

    def merge(self, tree: str, diff: bytes) -> str | None:
        """Merge a diff from the blobs it names, as `git am --3way`: files renamed since are found.

        Returns
        -------
        oid of the resulting tree object; None after a conflict, or where a blob isn't here
        """
        ancestor = self._folder / "ancestor"
        text = diff if diff.endswith(b"\n") else diff + b"\n"
        done = process.run(
            self.gitdir,
            *("apply", "--whitespace=nowarn", f"--build-fake-ancestor={ancestor}", "-"),
            stdin=text,
            codes=(0, 1, 128),
        )
        if done.returncode:
            return None
        written = process.run(self.gitdir, "write-tree", env=self._using(ancestor))
        base = written.stdout.decode().strip()
        made = self.apply(base, text)
        return self._merger.merge(base, tree, made.tree).tree if made.tree else None

    @cached_property
    def _merger(self) -> Merger:
        return Merger(self.gitdir)

    def _index(self, tree: str) -> Path:
        known = self._listed.get(tree)
        if known is None:
            # One for what was begun with, one for what came of it; more are not asked for again.
            if len(self._listed) > 8:
                self._listed.pop(next(iter(self._listed))).unlink()
            known = self._listed[tree] = self._folder / tree
            process.run(self.gitdir, "read-tree", tree, env=self._using(known))
        return known

    @staticmethod
    def _using(index: Path) -> Mapping[str, str]:
        return {"GIT_INDEX_FILE": str(index)}


def _failed(said: str) -> Attempt:
    rejected = tuple((found["path"], int(found["line"])) for found in _REJECTED.finditer(said))
    others = [
        found["text"]
        for found in _PROBLEM.finditer(said)
        if not found["text"].startswith(("patch failed:", "while searching for:"))
        and not found["text"].endswith("patch does not apply")
    ]
    problem = others[0] if others else None if rejected else "git apply refuses it"
    return Attempt(None, 0, rejected, problem)

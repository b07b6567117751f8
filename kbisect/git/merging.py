# SPDX-License-Identifier: GPL-2.0-or-later
"""Three-way merges by git itself, many to one process, without a checkout.

`git cherry-pick` merges by the "ort" strategy with histogram diffs. libgit2 knows neither its
rules for renamed directories nor histograms, and calls some merges clean that git calls conflicts
(and the other way round). So git is asked: `git merge-tree` (2.38 and newer) runs the same code.
Before 2.45 it merges commits, not tree objects, and finds the base by itself; so each merge is put
as a base commit and two children of it, which nothing refers to, in a repository of our own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kbisect.errors import EnvironmentProblem
from kbisect.git import process
from kbisect.git.process import GitFailed
from kbisect.git.treeobjects import LooseObjects
from kbisect.git.worktree import ISOLATED

_CHUNK = 1 << 16
_PERSON = "kbisect <kbisect> 0 +0000"
# A label short of its whole name makes git list every object that is there; a name of 40 digits
# needn't be looked for among the references.
_QUICK = ("-c", "core.abbrev=40", "-c", "core.warnAmbiguousRefs=false")
# glibc gives each file's memory back to the kernel, and asks for it again with the next merge.
_KEEPS_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(256 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of a merge.

    Attributes
    ----------
    tree : oid of the resulting tree object, None after a conflict
    conflicts : paths that conflict, sorted
    written : oid of the tree object that git wrote, with its marks where it conflicts
    """

    tree: str | None
    conflicts: tuple[str, ...]
    written: str


class Merger:
    """Merges tree objects of one repository of ours, `gitdir`."""

    def __init__(self, gitdir: Path) -> None:
        self._gitdir = gitdir
        self._loose = LooseObjects(gitdir)
        self._process: subprocess.Popen[bytes] | None = None
        self._bases: dict[str, str] = {}

    def merge(self, base: str, ours: str, theirs: str) -> Merged:
        """Merge two tree objects that both grew from `base`.

        Raises
        ------
        GitFailed
            git could not (an object is absent).
        EnvironmentProblem
            git is older than 2.38.
        """
        root = self._bases.get(base)
        if root is None:
            root = self._bases[base] = self._commit(base)
        sides = (self._commit(ours, root), self._commit(theirs, root))
        running = self._running()
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            running.stdin.write(" ".join(sides).encode("ascii") + b"\n")
            clean, tree, *paths = _answer(running.stdout)
        except (BrokenPipeError, EOFError):
            raise self._failure(*sides) from None
        written = tree.decode("ascii")
        names = {path.decode("utf-8", "backslashreplace") for path in paths}
        return Merged(written if clean == b"1" else None, tuple(sorted(names)), written)

    def _commit(self, tree: str, parent: str | None = None) -> str:
        above = f"parent {parent}\n" if parent else ""
        text = f"tree {tree}\n{above}author {_PERSON}\ncommitter {_PERSON}\n\n"
        return self._loose.write("commit", text.encode("ascii"))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # git doesn't flush after each merge; without a buffer there is nothing to flush.
            unbuffered = shutil.which("stdbuf")
            if unbuffered is None:
                raise EnvironmentProblem(
                    "the command `stdbuf` is not installed",
                    hint="install coreutils (Debian: apt install coreutils)",
                )
            asked = (
                *_QUICK,
                "merge-tree",
                "--write-tree",
                "--stdin",
                "--no-messages",
                "--name-only",
            )
            self._process = subprocess.Popen(
                [unbuffered, "-o0", *process.command(self._gitdir, *asked)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=process.environment(ISOLATED | _KEEPS_MEMORY),
            )
            weakref.finalize(self, _end, self._process)
        return self._process

    def _failure(self, ours: str, theirs: str) -> Exception:
        """Ask once more, alone, for git's own words."""
        if self._process is not None:
            _end(self._process)
            self._process = None
        done = subprocess.run(
            process.command(self._gitdir, "merge-tree", "--write-tree", ours, theirs),
            capture_output=True,
            env=process.environment(ISOLATED),
            check=False,
        )
        words = done.stderr.decode("utf-8", "replace")
        if "usage:" in words:
            return EnvironmentProblem(
                "this git is too old to merge in memory", hint="install git 2.39 or newer"
            )
        return GitFailed(("merge-tree",), done.returncode, words)


def _answer(pipe: IO[bytes]) -> list[bytes]:
    """Read what git says of one merge: words that end with NUL, and an empty one."""
    found = b""
    while not found.endswith(b"\0\0"):
        # Nothing follows until the next question: what is there, is of this answer.
        more = os.read(pipe.fileno(), _CHUNK)
        if not more:
            raise EOFError
        found += more
    return found[:-2].split(b"\0")


def _end(running: subprocess.Popen[bytes]) -> None:
    assert running.stdin is not None
    assert running.stdout is not None
    with suppress(BrokenPipeError):
        running.stdin.close()
    running.stdout.close()
    running.wait()

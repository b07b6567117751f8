# SPDX-License-Identifier: GPL-2.0-or-later
"""What `git cherry-pick` itself says of real backports, in a worktree: the oracle of `applies`."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Oracle:
    """A worktree of its own, in a bare repository that borrows the objects of the one measured."""

    worktree: Path

    def conflicts(self, oid: str, onto: str) -> tuple[str, ...]:
        """Cherry-pick a commit onto another; return the paths that conflict."""
        self._git("reset", "--quiet", "--hard", onto)
        self._git("cherry-pick", "--no-commit", oid, codes=(0, 1))
        named = self._git("diff", "--name-only", "--diff-filter=U", "-z")
        self._git("reset", "--quiet", "--hard")
        return tuple(sorted(set(named.split("\0")) - {""}))

    def _git(self, *arguments: str, codes: Iterable[int] = (0,)) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.worktree), *arguments], capture_output=True, check=False
        )
        if done.returncode not in codes:
            raise RuntimeError(f"git {arguments}: {done.stderr.decode('utf-8', 'replace')}")
        return done.stdout.decode("utf-8", "replace")


@contextmanager
def oracle(repository: Path, start: str) -> Iterator[Oracle]:
    """Make the worktree; it goes when the block ends."""
    with tempfile.TemporaryDirectory(prefix="kbisect-bench-") as place:
        bare, worktree = Path(place) / "bare.git", Path(place) / "worktree"
        subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
        objects = subprocess.run(
            ["git", "-C", str(repository), "rev-parse", "--git-path", "objects"],
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        borrowed = (repository / objects).resolve()
        (bare / "objects" / "info" / "alternates").write_text(f"{borrowed}\n")
        subprocess.run(
            ["git", "-C", str(bare), "worktree", "add", "--quiet", "--detach", worktree, start],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        yield Oracle(worktree)

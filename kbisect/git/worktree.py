# SPDX-License-Identifier: GPL-2.0-or-later
"""Detached worktrees of our own, which leave no trace in the user's repository.

They belong to a scratch repository in kbisect's store that borrows the user's objects
(`objects/info/alternates`): the user's repository gets no worktree entry, no lock, no object, and
may be read-only. What is checked out is not trusted: no hook runs, and no filter, whatever the
tree's `.gitattributes` or the user's own configuration say.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kbisect.git import process
from kbisect.git.process import GitFailed
from kbisect.git.repository import Repository

# A filter driver's command comes from git config alone, so a git that reads no configuration but
# the scratch repository's can't run one.
ISOLATED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "0",
    "GIT_CONFIG_PARAMETERS": "",
    "GIT_ATTR_NOSYSTEM": "1",
}
_ENTRIES = ".entries"
"""Name of the lock on git's list of worktrees."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """A bare repository below the store that borrows another's objects."""

    gitdir: Path
    worktrees: Path

    @classmethod
    def prepare(cls, repository: Repository) -> Scratch:
        """Make it, or bring its references up to date with the user's.

        The user's branches and tags are visible in it, so that a script can ask git about them.
        """
        scratch = cls(repository.store / "scratch.git", repository.store / "worktrees")
        scratch.gitdir.mkdir(parents=True, exist_ok=True)
        # Safe to repeat, and the last time it may have been killed.
        init = ("init", "--quiet", "--bare", "--template=", "--object-format=sha1", ".")
        try:
            process.run(scratch.gitdir, *init, env=ISOLATED)
        except GitFailed:
            # Whatever it is, it can be made again.
            scratch.remove_all()
            scratch.gitdir.mkdir()
            process.run(scratch.gitdir, *init, env=ISOLATED)
        info = scratch.gitdir / "info"
        info.mkdir(exist_ok=True)
        # The strongest of all attribute files.
        _write(info / "attributes", "* -filter\n")
        scratch._borrow(repository.common_dir / "objects")
        refs = process.run(repository.gitdir, "for-each-ref", "--format=%(objectname) %(refname)")
        _write(scratch.gitdir / "packed-refs", refs.stdout.decode("utf-8", "surrogateescape"))
        scratch.worktrees.mkdir(exist_ok=True)
        return scratch

    def _borrow(self, objects: Path) -> None:
        place = objects
        if "\n" in str(objects) or str(objects).startswith(('"', "#")):
            # Git would quote it, which libgit2 doesn't read.
            place = self.gitdir / "borrowed"
            place.unlink(missing_ok=True)
            place.symlink_to(objects)
        _write(self.gitdir / "objects" / "info" / "alternates", f"{place}\n")

    def checkout(self, name: str, oid: str) -> Path:
        """Bring the worktree `name` to a commit, exactly: nothing changed, nothing left over.

        Files that do not differ are not touched, so their times hold.
        """
        path = self.worktrees / name
        with self._alone(name) as lock:
            if (path / ".git").is_file():
                try:
                    return self._switch(path, oid, lock)
                except (GitFailed, OSError):
                    # A lock left by a kill, a folder without write permission: begin again.
                    self.remove(name)
            elif path.exists():
                self.remove(name)
            # One at a time: to a prune, an entry that is being made looks like one that is left.
            with self._alone(_ENTRIES):
                self._git(self.gitdir, "worktree", "prune")
                self._git(
                    self.gitdir,
                    *("worktree", "add", "--quiet", "--force", "--detach", "--no-checkout"),
                    *(str(path), oid),
                    lock=lock,
                )
            return self._switch(path, oid, lock)

    def _switch(self, path: Path, oid: str, lock: int) -> Path:
        # Not `git checkout --force`: to it, a commit whose tree is absent is one without files.
        self._git(path, "update-ref", "--no-deref", "HEAD", oid, lock=lock)
        self._git(path, "reset", "--quiet", "--hard", oid, lock=lock)
        self._git(path, "clean", "--quiet", "-ffdx", lock=lock)
        return path

    @contextmanager
    def _alone(self, name: str) -> Iterator[int]:
        """Wait for the git of a kbisect that was killed: it still writes into the worktree.

        Each git inherits the descriptor, and with it the lock.
        """
        locks = self.gitdir / "kbisect"
        locks.mkdir(exist_ok=True)
        handle = os.open(locks / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    def remove(self, name: str) -> None:
        """Remove a worktree and its entry, whatever its state."""
        path = self.worktrees / name
        with self._alone(_ENTRIES):
            shutil.rmtree(path, onerror=_force)
            self._git(self.gitdir, "worktree", "prune", "--expire=now")

    def remove_all(self) -> None:
        """Remove every worktree, and the scratch repository."""
        for place in (self.worktrees, self.gitdir):
            shutil.rmtree(place, onerror=_force)

    def _git(self, directory: Path, *arguments: str, lock: int | None = None) -> None:
        try:
            process.run(
                directory,
                *("-c", f"core.attributesFile={os.devnull}"),
                *("-c", "advice.detachedHead=false", "-c", "gc.auto=0"),
                *arguments,
                env=ISOLATED,
                pass_fds=() if lock is None else (lock,),
            )
        except GitFailed as failed:
            for number in (errno.ENOSPC, errno.EROFS, errno.EDQUOT):
                if os.strerror(number) in failed.stderr:
                    raise OSError(number, os.strerror(number), str(directory)) from None
            raise


def locate(repository: Repository) -> Scratch:
    """Return the scratch repository of a store, made or not."""
    return Scratch(repository.store / "scratch.git", repository.store / "worktrees")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    try:
        new.write_text(text, encoding="utf-8", errors="surrogateescape")
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _force(function: object, path: str, error: object) -> None:
    """Remove what a script made read-only; what isn't there is removed already."""
    if not os.path.lexists(path):
        return
    parent = Path(path).parent
    parent.chmod(0o700)
    if Path(path).is_dir() and not Path(path).is_symlink():
        Path(path).chmod(0o700)
        shutil.rmtree(path)
    else:
        Path(path).unlink()

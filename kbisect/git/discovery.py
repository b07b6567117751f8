# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the repository that a directory belongs to, or say why there is none that can be used."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kbisect.errors import RepositoryProblem, UsageError
from kbisect.git import process
from kbisect.git.process import GitFailed

_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a repository is; no workdir if it is bare."""

    gitdir: Path
    common_dir: Path
    workdir: Path | None


def discover(directory: Path) -> Found:
    """Ask git which repository `directory` belongs to.

    Of the current one, `.`, the user's GIT_DIR and GIT_WORK_TREE may say which is meant.

    Raises
    ------
    RepositoryProblem
        None, owned by somebody else, or of a format that can't be read.
    """
    if not directory.is_dir():
        raise RepositoryProblem(
            f"no such directory: {directory}", hint="give an existing one with -C DIR"
        )
    # Obeyed for these questions; `process` keeps them from all others.
    here = directory == Path()
    named = {key: os.environ[key] for key in _PLACES if here and key in os.environ}
    try:
        form, bare, gitdir, common = _answers(directory, named)
    except GitFailed as failed:
        raise cannot_open(directory, failed.stderr) from None
    if form != "sha1":
        raise RepositoryProblem(
            f"this repository names its objects by {form}; kbisect reads SHA-1 only",
            hint="the kernel's own repositories are SHA-1; clone one of those",
        )
    _require_lenders(common / "objects")
    workdir = None
    if not bare:
        with suppress(GitFailed):  # inside .git, where git refuses to answer
            workdir = _path(directory, "--show-toplevel", named)
    return Found(gitdir, common, workdir)


def _answers(directory: Path, named: dict[str, str]) -> tuple[str, bool, Path, Path]:
    """Return the format of its ids, whether it is bare, its git directory and the common one."""
    paths = ("--absolute-git-dir", "--git-common-dir")
    asked = ("--show-object-format", "--is-bare-repository", *paths)
    done = process.run(directory, "rev-parse", *asked, env=named)
    form, bare, *lines = os.fsdecode(done.stdout).removesuffix("\n").split("\n")
    if len(lines) == len(paths):
        gitdir, common = map(Path, lines)
    else:
        gitdir, common = (_path(directory, question, named) for question in paths)
    return form, bare == "true", gitdir, (directory / common).resolve()


def _path(directory: Path, question: str, named: dict[str, str]) -> Path:
    """Ask git for one path, which may have a newline in it."""
    done = process.run(directory, "rev-parse", question, env=named)
    return Path(os.fsdecode(done.stdout.removesuffix(b"\n")))


def _require_lenders(objects: Path) -> None:
    """Refuse a repository that borrows its objects from one that is gone."""
    try:
        named = (objects / "info" / "alternates").read_bytes()
    except OSError:
        return
    for line in named.splitlines():
        lender = objects / os.fsdecode(line)
        if line and not line.startswith((b"#", b'"')) and not lender.is_dir():
            raise RepositoryProblem(
                f"this repository borrows objects from {lender}, which is not there",
                hint=f"bring it back, or name its new place in {objects}/info/alternates",
            )


def require_plain(store: Path) -> None:
    """Refuse a store at a path that DuckDB or git's own files can't hold."""
    try:
        if "\n" not in str(store.resolve()) and str(store).encode():
            return
    except UnicodeEncodeError:
        pass
    raise UsageError(
        f"the path {store} has a newline or bytes that are not UTF-8 in it, so the index can't"
        " be kept there",
        hint="keep kbisect's data elsewhere: kbisect --store DIR COMMAND",
    )


def cannot_open(directory: Path, words: str) -> RepositoryProblem:
    if "dubious ownership" in words or "not owned by" in words:
        asked = re.search(r"safe\.directory (.+)", words)
        place = asked[1] if asked else directory.absolute()
        return RepositoryProblem(
            f"the repository at {directory.absolute()} is owned by someone else, so git refuses it",
            hint=f"if you trust it: git config --global --add safe.directory {place}",
        )
    if "not a git repository" in words:
        return RepositoryProblem(
            f"not a git repository: {directory.absolute()}",
            hint="go into a clone of the kernel's net tree, or give one with -C DIR",
        )
    first = words.strip().splitlines()[0] if words.strip() else "git gave no reason"
    return RepositoryProblem(f"cannot open {directory}: {first}", hint="git status")

# SPDX-License-Identifier: GPL-2.0-or-later
"""Repositories made from fixtures/, and a home that is nobody's."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history import store
from kbisect.history.store import Index

FIXTURES = Path(__file__).parent.parent / "fixtures"


@pytest.fixture(scope="session", autouse=True)
def _nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's git config, hooks and colours out of the tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
        patch.setenv("LC_ALL", "C.UTF-8")
        for name in [
            key for key in os.environ if key.startswith("KBISECT_") and key != "KBISECT_CACHE"
        ]:
            patch.delenv(name)
        patch.delenv("NO_COLOR", raising=False)
        for person in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{person}_NAME", "Ada Test")
            patch.setenv(f"GIT_{person}_EMAIL", "ada@example.org")
        (home / ".gitconfig").write_text("[init]\n\tdefaultBranch = master\n")
        yield


@pytest.fixture(scope="session", autouse=True)
def _heeding_interrupts() -> None:
    """A shell starts its background jobs deaf to SIGINT, and what they start stays so."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def git(directory: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Ask git, the oracle."""
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments], input=stdin, capture_output=True, check=False
    )
    if done.returncode:
        raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
    return done.stdout.decode("utf-8", "replace")


@dataclass(frozen=True)
class History:
    """A repository made from a fast-import script, and the ids of the script's marks."""

    path: Path
    marks: dict[int, str]

    @property
    def repository(self) -> Repository:
        return Repository.open(self.path)


def import_history(script: Path, directory: Path) -> History:
    """Make the repository that a script describes."""
    directory.mkdir(parents=True)
    git(directory, "init", "--quiet")
    marks = directory / ".git" / "marks"
    git(directory, "fast-import", "--quiet", f"--export-marks={marks}", stdin=script.read_bytes())
    git(directory, "reset", "--quiet", "--hard", "master")
    pairs = (line.split() for line in marks.read_text().splitlines())
    return History(directory, {int(mark[1:]): oid for mark, oid in pairs})


@pytest.fixture(scope="session")
def _nettrees_once(tmp_path_factory: pytest.TempPathFactory) -> History:
    made = tmp_path_factory.mktemp("histories") / "nettrees"
    return import_history(FIXTURES / "histories" / "nettrees.fi", made)


@pytest.fixture(scope="session")
def nettrees(_nettrees_once: History, tmp_path_factory: pytest.TempPathFactory) -> History:
    """The miniature of the network trees, indexed. Not to be changed by a test."""
    copy = tmp_path_factory.mktemp("indexed") / "nettrees"
    shutil.copytree(_nettrees_once.path, copy, symlinks=True)
    made = History(copy, _nettrees_once.marks)
    indexing.update(made.repository)
    return made


@pytest.fixture
def nettrees_copy(_nettrees_once: History, tmp_path: Path) -> History:
    """A copy of it that a test may change; not indexed."""
    copy = tmp_path / "nettrees"
    shutil.copytree(_nettrees_once.path, copy, symlinks=True)
    return History(copy, _nettrees_once.marks)


@pytest.fixture
def indexed_copy(nettrees: History, tmp_path: Path) -> History:
    """A copy of it with its index, that a test may change."""
    copy = tmp_path / "indexed"
    shutil.copytree(nettrees.path, copy, symlinks=True)
    return History(copy, nettrees.marks)


@pytest.fixture(scope="session")
def nettrees_index(nettrees: History) -> Index:
    return store.load(nettrees.repository.store)


@pytest.fixture
def small(tmp_path: Path) -> History:
    """Twelve commits and one merge, nothing tagged."""
    return import_history(FIXTURES / "histories" / "small.fi", tmp_path / "small")


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def kbisect() -> Run:
    """Run the command as a user does: `kbisect("-C", path, "show", "HEAD")`."""

    def run(
        *arguments: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kbisect", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=os.environ | (env or {}),
            cwd=cwd,
            check=False,
        )

    return run


def planted_table(title: str) -> list[list[str]]:
    """Read one of the tables in the caption of the histories, marks as `:12`."""
    text = (FIXTURES / "histories" / "README.md").read_text("utf-8")
    section = text.split(f"\n{title}\n", 1)[1]
    rows = []
    for line in section.strip().splitlines():
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows[2:]


def marks_in(cell: str) -> list[int]:
    """Return the marks that a cell of such a table names."""
    return [int(mark) for mark in re.findall(r":(\d+)", cell)]

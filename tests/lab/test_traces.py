# SPDX-License-Identifier: GPL-2.0-or-later
"""The files a crash went through: what changes them is suspected first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kbisect.git.repository import Repository
from kbisect.lab import traces
from tests.cli.repos import Repo, Run, document
from tests.conftest import FIXTURES

CONSOLE = FIXTURES / "consoles" / "null.log"
HOT = """static int breaker_read(int *where)
{
	return *where;
}
"""
CALLER = """int breaker_read(int *where);
static int __init
breaker_init(void)
{
	return breaker_read(0);
}
"""
SIZE, HOT_ONES, CULPRIT = 64, (11, 40, 52), 52


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A crash in hot.c, which three of 64 commits change; the last of them brings it."""
    path = tmp_path / "repo"
    (path / "lib").mkdir(parents=True)
    repo = Repo(path, [])
    repo.git("init", "-q", "-b", "master")
    (path / "lib" / "hot.c").write_text(HOT)
    (path / "lib" / "caller.c").write_text(CALLER)
    for i in range(SIZE):
        name = "hot.c" if i in HOT_ONES else f"f{i}.c"
        with (path / "lib" / name).open("a") as file:
            file.write(f"/* {i} */\n")
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", f"commit {i}")
        repo.oids.append(repo.git("rev-parse", "HEAD"))
    return repo


def test_definitions_are_found_and_no_callers(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "console.txt").write_bytes(CONSOLE.read_bytes())
    found = traces.look(
        Repository.open(repo.path),
        repo.oids[-1],
        "NULL dereference in breaker_read",
        tmp_path,
    )
    assert found is not None
    assert found.functions[:2] == ("breaker_read", "breaker_init")
    assert found.paths == ("lib/hot.c", "lib/caller.c")


def test_another_crash_has_no_trace(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "console.txt").write_bytes(CONSOLE.read_bytes())
    opened = Repository.open(repo.path)
    assert traces.look(opened, repo.oids[-1], "KASAN in breaker_read", tmp_path) is None
    assert traces.look(opened, repo.oids[-1], "KASAN in breaker_read", tmp_path / "none") is None


def test_what_changed_them_is_looked_at_first(kbisect: Run, repo: Repo) -> None:
    script = repo.script(
        f"grep -q '/[*] {CULPRIT} ' lib/hot.c && cat {CONSOLE} > $KBISECT_CONSOLE; exit 0"
    )
    words = ("run", "--json", "--good", repo.oids[0], script)
    found = document(kbisect("-C", repo.path, *words))
    assert found["culprit"] == repo.oids[CULPRIT]
    events = [json.loads(row) for row in Path(found["journal"]).read_text().splitlines()]
    assert [event["paths"] for event in events if event["event"] == "traced"] == [
        ["lib/hot.c", "lib/caller.c"]
    ]
    # Halving 64 takes six; which of three takes two, and that it is one of them another.
    assert found["tests"] <= 4
    why = kbisect("-C", repo.path, "bisect", "status", "--why").stdout
    assert "changes a file in the crash's trace: 3 commits" in why

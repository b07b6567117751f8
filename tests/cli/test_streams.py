# SPDX-License-Identifier: GPL-2.0-or-later
"""Where words go: answers to stdout, through git's pager on a terminal; talk to stderr."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import History, Run


def shell(words: str, *, cwd: Path, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run a line of shell in which `kbisect` is ours; its exit code and stderr."""
    line = f'kbisect() {{ "{sys.executable}" -m kbisect "$@"; }}; {words}'
    done = subprocess.run(
        ["sh", "-c", line], cwd=cwd, env=os.environ | (env or {}), capture_output=True, check=False
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("kbisect show v3.12 >&-", 4, "standard output is closed"),
        ("kbisect show v3.12 >/dev/full", 4, "can't be written to standard output: No space left"),
        ("kbisect show v3.12 --json >/dev/full", 4, "can't be written"),
        ("kbisect show v3.99 2>&-", 2, ""),
        ("kbisect show v3.12 <&- >/dev/null", 0, ""),
        ("kbisect query fixes 2>/dev/null | exec true", 0, ""),
    ],
)
def test_streams_that_are_not_there(nettrees: History, words: str, code: int, said: str) -> None:
    got, stderr = shell(words, cwd=nettrees.path)
    assert got == code, stderr
    assert said in stderr
    assert len(stderr.splitlines()) == (2 if said else 0)
    assert "--store" not in stderr


def test_no_file_of_ours_takes_the_place_of_a_closed_stderr(nettrees_copy: History) -> None:
    words = "kbisect bisect start v3.12 v3.11 >/dev/null 2>&-; kbisect bisect nosuch 2>&-"
    shell(words, cwd=nettrees_copy.path)
    (journal,) = nettrees_copy.repository.store.rglob("journal.jsonl")
    assert [json.loads(line) for line in journal.read_text().splitlines()]


def test_any_locale_can_be_answered_in(nettrees: History, kbisect: Run) -> None:
    latin = {"PYTHONIOENCODING": "latin-1", "LC_ALL": "C", "PYTHONUTF8": "0"}
    done = kbisect("-C", nettrees.path, "query", "--sql", "SELECT chr(28450)", env=latin)
    assert done.returncode == 0, done.stderr
    assert "\\u6f22" in done.stdout
    done = kbisect("-C", nettrees.path, "query", "--json", "--sql", "SELECT chr(28450)", env=latin)
    assert json.loads(done.stdout)["rows"] == [["漢"]]


def on_a_terminal(
    where: Path, *arguments: str, columns: int = 80, env: dict[str, str] | None = None
) -> str:
    """Run kbisect with a terminal for stdout, and return what is shown there."""
    leader, follower = pty.openpty()
    os.set_blocking(leader, True)
    with subprocess.Popen(
        [sys.executable, "-m", "kbisect", "-C", where, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.PIPE,
        env=os.environ | {"TERM": "xterm", "COLUMNS": str(columns), "LINES": "24"} | (env or {}),
    ) as process:
        os.close(follower)
        shown = b""
        try:
            while chunk := os.read(leader, 65536):
                shown += chunk
        except OSError as error:  # how Linux says that nobody has the other end open
            assert error.errno == errno.EIO
        os.close(leader)
        assert process.stderr is not None
        process.stderr.read()
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("arguments", "env", "paged"),
    [
        (["show", "v3.12"], {"GIT_PAGER": "sed s/^/one:/", "PAGER": "sed s/^/two:/"}, "one:"),
        (["-c", "core.pager=sed s/^/two:/", "show", "v3.12"], {"PAGER": "sed s/^/1:/"}, "two:"),
        (["show", "v3.12"], {"PAGER": "sed s/^/$LESS:/"}, "FRX:"),
        (["show", "v3.12"], {"GIT_PAGER": "cat"}, ""),
        (["show", "v3.12"], {"GIT_PAGER": "no-such-pager"}, ""),
        (["-c", "pager.kbisect=false", "show", "v3.12"], {"PAGER": "sed s/^/1:/"}, ""),
        (["--no-pager", "show", "v3.12"], {"PAGER": "sed s/^/1:/"}, ""),
        (["index"], {"PAGER": "sed s/^/1:/"}, ""),
        (["show", "v3.12", "--json"], {"PAGER": "sed s/^/1:/"}, ""),
    ],
)
def test_the_pager_is_the_one_git_would_take(
    nettrees: History, arguments: list[str], env: dict[str, str], paged: str
) -> None:
    shown = on_a_terminal(nettrees.path, *arguments, env=env | {"NO_COLOR": "1"})
    assert shown.splitlines()
    assert all(line.startswith(paged) for line in shown.splitlines())
    if not paged:
        assert shown.startswith(("commit ", "up to date", "{"))


def test_a_pipe_is_never_paged(nettrees: History, kbisect: Run) -> None:
    done = kbisect("-C", nettrees.path, "show", "v3.12", env={"GIT_PAGER": "sed s/^/no:/"})
    assert done.stdout.startswith("commit ")


@pytest.mark.parametrize(
    ("arguments", "env", "colored"),
    [
        (["query", "fixes"], {}, True),
        (["query", "fixes"], {"NO_COLOR": "1"}, False),
        (["query", "fixes"], {"TERM": "dumb"}, False),
        (["-c", "color.ui=never", "query", "fixes"], {}, False),
        (["--color=never", "query", "fixes"], {}, False),
        (["--color=always", "query", "fixes"], {"NO_COLOR": "1", "TERM": "dumb"}, True),
    ],
)
def test_colour_is_for_those_who_want_it(
    nettrees: History, arguments: list[str], env: dict[str, str], colored: bool
) -> None:
    assert (
        "\x1b[1m" in on_a_terminal(nettrees.path, *arguments, env=env | {"GIT_PAGER": ""})
    ) == colored


def test_a_table_fits_the_terminal_and_loses_nothing(nettrees: History) -> None:
    shown = {
        columns: on_a_terminal(
            nettrees.path, "--color=never", "--no-pager", "query", "fixes", columns=columns
        )
        for columns in (20, 100, 1000)
    }
    named = [sorted(re.findall(r"\b[0-9a-f]{12}\b", text)) for text in shown.values()]
    assert named[0] == named[1] == named[2] != []
    assert max(map(len, shown[100].splitlines())) <= 100 < max(map(len, shown[1000].splitlines()))
    assert shown[20].startswith("fix: ")  # no room for columns: a block a row

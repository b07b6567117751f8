# SPDX-License-Identifier: GPL-2.0-or-later
"""A script that can't be run is refused before anything is tested."""

import os
from pathlib import Path

import pytest

from kbisect.errors import UsageError
from kbisect.lab import environment
from kbisect.lab import script as scripts


def make(path: Path, text: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("#!/bin/sh\n", 0o644, "not executable"),
        ("#!/no/such/sh\n", 0o755, "/no/such/sh"),
        ("#!/usr/bin/env no-such-interpreter\n", 0o755, "no-such-interpreter"),
        ("#!/bin/sh\r\n", 0o755, "Windows"),
        ("#!\n", 0o755, "first line"),
        ("exit 0\n", 0o755, "how to run it"),
        ("", 0o755, "how to run it"),
    ],
)
def test_bad_scripts(tmp_path: Path, text: str, mode: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        scripts.find(make(tmp_path / "t.sh", text, mode))


def test_absent_and_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such script"):
        scripts.find(str(tmp_path / "absent"))
    with pytest.raises(UsageError, match="directory"):
        scripts.find(str(tmp_path))
    with pytest.raises(UsageError, match="no such script"):
        scripts.find("no-such-command-anywhere")


def test_good_scripts(tmp_path: Path) -> None:
    for line in ("#!/bin/sh -e", "#! /bin/sh", "#!/usr/bin/env sh", "#!/usr/bin/env -S sh -e"):
        found = scripts.find(make(tmp_path / "t.sh", line + "\n"))
        assert found.copied
    scripts.copy(found, tmp_path / "copy")
    assert os.access(tmp_path / "copy", os.X_OK)
    command = scripts.find("sh")
    assert not command.copied
    assert command.path.name == "sh"


def test_the_environment_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f".:bin:{os.environ['PATH']}:")
    monkeypatch.setenv("SECRET", "1")
    monkeypatch.setenv("KBISECT_CACHE", "/cache")
    monkeypatch.setenv("KBISECT_TREE", "of another kbisect")
    env = environment.passed_on()
    assert set(env) <= {*environment.PASSED_ON, "PATH", "TERM", "KBISECT_CACHE"}
    assert env["KBISECT_CACHE"] == "/cache"
    assert all(folder.startswith("/") for folder in env["PATH"].split(":"))

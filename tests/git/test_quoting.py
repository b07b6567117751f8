# SPDX-License-Identifier: GPL-2.0-or-later
"""Quoted names: git quotes, we unquote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kbisect.git.quoting import unquoted
from tests.conftest import git

NAMES = [
    b"plain.c",
    b"\xc3\xb6.c",
    b'end"',
    b'"',
    b"a\\b",
    b"a\\101",
    *(b"a%cb" % n for n in b"\a\b\t\n\v\f\r\x01"),
]


@pytest.mark.parametrize("name", NAMES)
def test_what_git_quotes_is_read_again(tmp_path: Path, name: bytes) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / os.fsdecode(name)).write_text("a")
    git(tmp_path, "add", "--all")
    assert unquoted(git(tmp_path, "ls-files").rstrip("\n").encode()) == name

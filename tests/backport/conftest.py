# SPDX-License-Identifier: GPL-2.0-or-later
"""A small tree with a stable branch, to which a test adds what it is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import git


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    path.mkdir()
    git(path, "init", "--quiet")
    commit(path, "net: begin", {"net/a.c": "int begin;\n", "net/a.h": "int told;\n", "NEWS": "1\n"})
    git(path, "branch", "stable")
    return path


def commit(path: Path, message: str, files: dict[str, str]) -> str:
    """Write some files, and return the commit of all that is there."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content, "utf-8")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "-m", message)
    return git(path, "rev-parse", "HEAD").strip()

# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.repos import Repo, build, line


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Forty commits in a row; commit 17 is the culprit of `numbered`."""
    return build(tmp_path / "repo", line(40))

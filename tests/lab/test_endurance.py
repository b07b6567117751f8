# SPDX-License-Identifier: GPL-2.0-or-later
"""The soak of the lab with small counts; `make soak` runs the full ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.cli.repos import Run, build, document, line
from tests.soak import lab


def test_killed_again_and_again_it_finds_the_same(tmp_path: Path) -> None:
    lab.kills(random.Random(5), tmp_path, 10)


def test_many_campaigns_leave_nothing(tmp_path: Path) -> None:
    lab.campaigns(tmp_path, 20)


def test_output_without_end(tmp_path: Path) -> None:
    lab.endless(tmp_path, 50 << 20)


@pytest.mark.dask
@pytest.mark.xdist_group("dask")
def test_a_fleet_in_which_something_is_killed_now_and_then(tmp_path: Path) -> None:
    lab.fleet(random.Random(5), tmp_path, 3)


def test_a_campaign_in_which_nothing_can_be_tested_ends(tmp_path: Path, kbisect: Run) -> None:
    """The ends are trusted, so nobody had noticed: also a good end can fail to be tested."""
    repo = build(tmp_path / "repo", line(59))
    script = repo.script("exit 125")
    words = ("run", "--json", "--trust-ends", "--good", repo.oids[0], script)
    found = document(kbisect("-C", repo.path, *words), 1)
    assert (found["outcome"], found["culprit"]) == ("unresolved", None)
    assert "none of the commits that were tried can be tested" in found["reason"]
    assert found["tests"] + found["tests_confirm"] < 30

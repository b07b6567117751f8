# SPDX-License-Identifier: GPL-2.0-or-later
"""The soak of the lab with small counts; `make soak` runs the full ones."""

from __future__ import annotations

import random
from pathlib import Path

from tests.soak import lab


def test_killed_again_and_again_it_finds_the_same(tmp_path: Path) -> None:
    lab.kills(random.Random(5), tmp_path, 10)


def test_many_campaigns_leave_nothing(tmp_path: Path) -> None:
    lab.campaigns(tmp_path, 20)

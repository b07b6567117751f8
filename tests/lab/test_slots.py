# SPDX-License-Identifier: GPL-2.0-or-later
"""Worker slots: apart from each other, kept from step to step, free when everything is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kbisect.lab import slots


def test_two_at_once_get_two(tmp_path: Path) -> None:
    with slots.take(tmp_path, 2) as first, slots.take(tmp_path, 2) as second:
        assert {first.name, second.name} == {"0", "1"}
        assert first.build != second.build
    with slots.take(tmp_path, 2) as again:
        assert again.name == "0"


def test_one_too_many_waits_until_it_is_not_wanted(tmp_path: Path) -> None:
    until = time.monotonic() + 0.2
    with (
        slots.take(tmp_path, 1),
        pytest.raises(InterruptedError),
        slots.take(tmp_path, 1, unwanted=lambda: time.monotonic() > until),
    ):
        pass


def test_the_slot_with_the_build_is_taken_first(tmp_path: Path) -> None:
    with slots.take(tmp_path, 3), slots.take(tmp_path, 3) as second:
        second.mark("a commit")
    with slots.take(tmp_path, 3, wanted="a commit") as found:
        assert (found.name, found.built) == ("1", "a commit")
        found.mark(None)
        assert found.built is None
    with slots.take(tmp_path, 3, wanted="a commit") as found:
        assert found.name == "0"


def test_it_is_held_by_whoever_inherited_the_lock(tmp_path: Path) -> None:
    """A keeper that still ends a step keeps its slot when kbisect was killed."""
    with slots.take(tmp_path, 1) as slot:
        heir = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            pass_fds=[slot.lock],
        )
    assert slots._try(tmp_path / "builds" / "0.lock") is None
    heir.communicate()
    handle = slots._try(tmp_path / "builds" / "0.lock")
    assert handle is not None
    os.close(handle)

# SPDX-License-Identifier: GPL-2.0-or-later
"""How many tests at a time: memory limits, processors propose."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kbisect.lab import recipe, room
from kbisect.lab.room import AUTO, GIB, Room
from tests.cli.repos import Run, build, document, line


@pytest.mark.parametrize(
    ("asked", "need", "workers"),
    [
        (None, None, 1),
        (8, None, 8),  # a script: nobody knows what it takes
        (8, GIB, 3),  # half a GiB is left to everything else
        (2, GIB, 2),
        (2, 100 * GIB, 1),
        (AUTO, GIB, 3),
        (AUTO, 2 * GIB, 1),
        (AUTO, None, 4),
    ],
)
def test_four_processors_and_four_gib(asked: int | None, need: int | None, workers: int) -> None:
    found = room.staff(asked, need, Room(cores=4, memory=4 * GIB))
    assert found.workers == workers
    assert bool(found.note) == (workers != (asked or 1) or asked == AUTO)


def test_this_machine_is_measured() -> None:
    found = room.here()
    assert 1 <= found.cores <= len(os.sched_getaffinity(0))
    assert 0 < found.memory <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_control_group_leaves_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "cpu.max": "50000 100000",
        "memory.max": f"{GIB}",
        "memory.current": f"{GIB - 4096}",
    }.items():
        (tmp_path / name).write_text(f"{text}\n")
    monkeypatch.setattr(room, "_GROUP", tmp_path)
    assert room.here() == Room(cores=1, memory=4096)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("[boot]\nkernel = 'k'\nmemory = '256M'", GIB // 4),
        ("[build]\nrun = 'make'\n[boot]\nkernel = 'k'", GIB + GIB // 2),
        ("[build]\nrun = 'make'\n[test]\nrun = 'true'\n[worker]\nmemory = '4G'", 4 * GIB),
        ("[test]\nrun = 'true'", None),
    ],
)
def test_what_a_recipe_takes(tmp_path: Path, text: str, needed: int | None) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    assert recipe.load(path).memory == needed


def test_a_campaign_says_so(kbisect: Run, tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", line(8))
    path = tmp_path / "recipe.toml"
    path.write_text("[test]\nrun = '[ $(cat number) -lt 5 ]'\n[worker]\nmemory = '100T'\n")
    words = ("run", "--json", "--workers", "2", "--good", repo.oids[0], "--recipe", path)
    done = kbisect("-C", repo.path, *words)
    assert document(done)["culprit"] == repo.oids[5]
    assert "workers: 1, not 2: a test takes 102400.0 GiB and " in done.stderr

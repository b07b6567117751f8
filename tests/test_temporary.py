# SPDX-License-Identifier: GPL-2.0-or-later
"""No folder outlives its owner for long, however that one ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kbisect import temporary

OWNER = """
from kbisect import temporary
with temporary.folder("test") as place:
    print(place, flush=True)
    input()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a place of its own for temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@contextmanager
def an_owner() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_it_goes_with_its_owner(place: Path) -> None:
    with temporary.folder("test") as made:
        (made / "file").touch()
        assert made.parent == place
    assert not list(place.iterdir())


def test_what_a_killed_owner_left_goes_with_the_next(place: Path) -> None:
    with an_owner() as (living, kept), an_owner() as (killed, left):
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert left.exists()
        with temporary.folder("other"):
            assert left.exists(), "it is looked for by those of its kind"
        with temporary.folder("test"):
            assert not left.exists()
            assert kept.exists(), "its owner lives"
        living.communicate("\n")
    assert not list(place.iterdir())


def test_what_is_not_ours_stays(place: Path) -> None:
    """A link in a place for all, what is being made just now, and a folder of another user."""
    (place / "precious").mkdir()
    link = place / "kbisect-test-link"
    link.symlink_to(place / "precious")
    made_now = place / "kbisect-test-new"
    made_now.mkdir()
    foreign = place / "kbisect-test-foreign"
    foreign.mkdir()
    os.utime(foreign, (0, 0))
    os.chown(foreign, 12345, 12345)
    old = place / "kbisect-test-old"
    old.mkdir()
    os.utime(old, (0, 0))
    with temporary.folder("test"):
        pass
    assert {path.name for path in place.iterdir()} == {
        *("precious", link.name, made_now.name, foreign.name)
    }

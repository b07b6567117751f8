# SPDX-License-Identifier: GPL-2.0-or-later
"""Dask's scheduler and workers as processes of their own, which a test can kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.repos import Repo

START = """
import sys, dask
from distributed.cli import dask_{what}
dask_{what}.main(sys.argv[1:])
"""


def wait_for(what: Callable[[], object], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.05)


@contextmanager
def started(
    what: str, *arguments: str, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", START.format(what=what), *arguments],
        env=os.environ | (env or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def a_scheduler(told: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
    with started("scheduler", *words) as process:
        wait_for(lambda: told.exists() and told.read_text())
        yield str(json.loads(told.read_text())["address"]), process


@contextmanager
def worker(scheduler: str, clone: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker without a nanny, so that its death is its own, with a clone of its own."""
    place = clone.parent / f"{clone.name}-dask"
    place.mkdir(exist_ok=True)
    words = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory", str(place))
    with started("worker", scheduler, *words, env={"KBISECT_CLONE": str(clone)}) as process:
        yield process


def cloned(repo: Repo, name: str) -> Path:
    path = repo.path.parent / name
    subprocess.run(["git", "clone", "-q", str(repo.path), str(path)], check=True)
    return path


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

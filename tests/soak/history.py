# SPDX-License-Identifier: GPL-2.0-or-later
"""The index under kills, readers and rivals, at random instants."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from kbisect.history import index as indexing
from kbisect.history import store
from tests.conftest import FIXTURES, History, git, import_history

_KILLS = 50
_RIVALS = 10
_READERS = 3
_COUNT = "SELECT count(*) FROM commits"


def run(draw: random.Random, work: Path) -> None:
    """Kill updates, update twice at once, and read all the while."""
    history = import_history(FIXTURES / "histories" / "nettrees.fi", work / "nettrees")
    _kills(draw, history)
    _at_once(draw, history)


def _start(history: History, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kbisect", "-C", str(history.path), "index", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _move(draw: random.Random, history: History) -> None:
    """Set a branch back or forth, so that there is something to do."""
    git(history.path, "branch", "--force", "soak", f"net-next~{draw.randrange(12)}")


def _kills(draw: random.Random, history: History) -> None:
    """After each kill the index is whole, that of before or the new one; then it is completed."""
    begun = time.monotonic()
    indexing.update(history.repository)
    _start(history, "--full").wait()
    whole = time.monotonic() - begun
    after: dict[str, int] = {"before": 0, "new": 0}
    for turn in range(_KILLS):
        _move(draw, history)
        before = store.load(history.repository.store).directory.name
        process = _start(history, *(["--full"] if draw.random() < 0.5 else []))
        time.sleep(draw.uniform(0, whole))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        left = store.load(history.repository.store, verify=True)
        after["before" if left.directory.name == before else "new"] += 1
        assert left.rows(_COUNT)[0][0] > 100, turn
        indexing.update(history.repository)
        now = store.load(history.repository.store, verify=True)
        oids = set(git(history.path, "rev-list", "--all", "HEAD").split())
        assert set(now.oids) == oids, turn
        assert not list(history.repository.store.glob("index/*.partial")), turn
    print(f"  {_KILLS} kills: {after['before']} left the old index, {after['new']} the new one")


def _at_once(draw: random.Random, history: History) -> None:
    """Two updates at once, and readers: both succeed, or one says that the other is at work."""
    stop = threading.Event()
    troubles: list[str] = []
    served = 0

    def read() -> None:
        nonlocal served
        while not stop.is_set():
            try:
                opened = store.load(history.repository.store)
                time.sleep(draw.uniform(0, 0.5))
                assert opened.rows(_COUNT)[0][0] > 100
                assert len(opened.oids) == len(opened.graph.times)
            except Exception as error:  # the thread must tell, not die
                troubles.append(repr(error))
                return
            served += 1

    readers = [threading.Thread(target=read) for _ in range(_READERS)]
    for reader in readers:
        reader.start()
    refused = 0
    try:
        for turn in range(_RIVALS):
            _move(draw, history)
            rivals = [_start(history, "--full"), _start(history, "--full")]
            for rival in rivals:
                _, said = rival.communicate()
                if rival.returncode:
                    refused += 1
                    assert rival.returncode == 4, (turn, said)
                    assert "another `kbisect index` is at work" in said, (turn, said)
            assert any(rival.returncode == 0 for rival in rivals), turn
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert not troubles, troubles
    print(f"  {_RIVALS} pairs of updates: {refused} were told to wait; {served} readers served")

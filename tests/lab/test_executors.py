# SPDX-License-Identifier: GPL-2.0-or-later
"""A campaign whose steps run on a real Dask cluster."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kbisect.errors import EnvironmentProblem, KbisectError, MachineLost
from kbisect.git.process import GitFailed
from kbisect.lab import executors, fleet
from kbisect.lab.limits import CouldNotRun

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A cluster of one worker process on this machine.

    It gives a task up with the first worker that dies of it. By default it tries three more, each
    killed as it comes up; and Dask's nanny doesn't start another for one that died so early.
    """
    import dask
    import distributed

    make: Any = distributed.LocalCluster
    once = dask.config.set({"distributed.scheduler.allowed-failures": 0})
    with warnings.catch_warnings(), once:
        warnings.simplefilter("ignore")  # of a port that is taken, of Dask's own event loop
        with make(
            n_workers=1,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            host="127.0.0.1",
        ) as cluster:
            yield str(cluster.scheduler_address)


@pytest.mark.dask
def test_a_campaign_on_a_cluster(scheduler: str, tmp_path: Path, kbisect: Run) -> None:
    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(tmp_path / "repo"), *arguments],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    (tmp_path / "repo").mkdir()
    git("init", "-q")
    for number in range(12):
        (tmp_path / "repo" / "number").write_text(f"{number}\n")
        git("add", "number")
        git("commit", "-qm", f"commit {number}")
    script = tmp_path / "test.sh"
    script.write_text(
        f"#!/bin/sh\nread n < number\nps -o ppid= -p $PPID >> {tmp_path}/parents\n[ $n -lt 7 ]\n"
    )
    script.chmod(0o755)
    done = kbisect(
        *("-C", tmp_path / "repo", "bisect", "run", "--json", "--scheduler", scheduler),
        *("--good", "HEAD~11", script),
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["culprit"] == git("rev-parse", "HEAD~4")
    assert found["tests"] in {3, 4}
    # Every step's keeper was started by one process, the worker's.
    parents = set((tmp_path / "parents").read_text().split())
    assert len(parents) == 1
    command = Path("/proc", parents.pop(), "cmdline").read_bytes()
    assert b"multiprocessing" in command or b"distributed" in command


@pytest.mark.dask
def test_a_worker_that_dies_is_no_verdict(scheduler: str) -> None:
    with fleet.connect(scheduler) as crew, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        future = crew.executor.submit(os._exit, 9)
        with pytest.raises(MachineLost) as caught:
            executors.result(future)
        assert caught.value.exit_code == 128
        assert executors.result(crew.executor.submit(pow, 2, 5)) == 32


def test_no_scheduler_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "_ANSWER", 0.5)
    with (
        pytest.raises(EnvironmentProblem, match="no Dask scheduler"),
        fleet.connect("tcp://127.0.0.1:9"),
    ):
        pass


@pytest.mark.parametrize(
    "error",
    [
        EnvironmentProblem("what", hint="try"),
        CouldNotRun("what", hint="try"),
        GitFailed(("checkout", "x"), 128, "fatal: no"),
    ],
)
def test_a_worker_s_error_travels(error: KbisectError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (copy.message, copy.hint, str(copy)) == (error.message, error.hint, str(error))
    assert copy.__dict__ == error.__dict__


def test_threads_of_this_process() -> None:
    with fleet.connect(workers=2) as crew:
        assert crew.size == 2
        assert executors.result(crew.executor.submit(pow, 2, 3)) == 8
        with pytest.raises(ZeroDivisionError):
            executors.result(crew.executor.submit(divmod, 1, 0))


def test_a_call_that_runs_can_be_cancelled() -> None:
    asked = threading.Event()

    def call() -> None:
        unwanted = executors.unwanted()
        asked.set()
        while not unwanted():
            time.sleep(0.01)
        ended.set()

    ended = threading.Event()
    with fleet.connect() as crew:
        future = crew.executor.submit(call)
        assert asked.wait(5)
        assert future.cancel()
        assert ended.wait(1)
        with pytest.raises(MachineLost):
            executors.result(future)


@pytest.mark.dask
def test_a_scheduler_that_is_gone_is_said_whatever_is_asked(scheduler: str) -> None:
    """Its death ends the futures first, so that the next call is a submit, or a clean-up."""
    with fleet.connect(scheduler) as crew:
        crew.executor._client.close()  # type: ignore[attr-defined]
        with pytest.raises(MachineLost, match="scheduler is gone"):
            crew.submit(pow, 2, 3)
        crew.everywhere(print)

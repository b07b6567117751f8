# SPDX-License-Identifier: GPL-2.0-or-later
"""Dask workers with clones of their own: one killed in mid-step, one cancelled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kbisect.errors import EnvironmentProblem
from kbisect.lab import fleet
from kbisect.lab.step import Step
from tests.cli.repos import Run, build, document, line
from tests.lab.cluster import a_scheduler, alive, cloned, wait_for, worker


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    with a_scheduler(tmp_path / "scheduler.json") as (address, _):
        yield address


@pytest.mark.dask
@pytest.mark.xdist_group("dask")
def test_two_workers_one_killed_in_mid_step(scheduler: str, tmp_path: Path, kbisect: Run) -> None:
    """Its step is done again by the other; what the steps kept comes back; no result twice."""
    repo = build(tmp_path / "repo", line(30))
    seen = tmp_path / "seen"
    script = repo.script(
        f"echo $PPID $PWD >> {seen}; echo kept > $KBISECT_OUT/f; sleep 0.5\n"
        "[ $(cat number) -lt 17 ]"
    )
    with (
        worker(scheduler, cloned(repo, "one")) as first,
        worker(scheduler, cloned(repo, "two")),
    ):
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "kbisect", "-C", str(repo.path), "run", "--json"),
                *("--scheduler", scheduler, "--workers", "2", "--good", repo.oids[0], str(script)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: seen.exists() and f"{repo.path.parent}/one/" in seen.read_text())
        first.send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    found = json.loads(out)
    assert found["culprit"] == repo.oids[17]
    places = {row.split()[1].split("/worktrees/")[0] for row in seen.read_text().splitlines()}
    assert places == {f"{tmp_path}/{name}/.git/kbisect" for name in ("one", "two")}
    events = [json.loads(row) for row in Path(found["journal"]).read_text().splitlines()]
    runs = [(event["oid"], event["attempt"]) for event in events if event["event"] == "tested"]
    assert len(runs) == len(set(runs))
    folders = [event["folder"] for event in events if event["event"] == "tested"]
    # The one that lives has cleaned up behind itself.
    assert not list((tmp_path / "two" / ".git" / "kbisect" / "worktrees").iterdir())
    campaign = Path(found["journal"]).parent
    assert all((campaign / folder / "out" / "f").read_text() == "kept\n" for folder in folders)


@pytest.mark.dask
@pytest.mark.xdist_group("dask")
def test_a_cancelled_step_is_gone_within_two_seconds(scheduler: str, tmp_path: Path) -> None:
    """Cancelling a Dask future leaves its task running; the step notices, and QEMU goes with it."""
    from kbisect.lab import execution
    from kbisect.lab.place import Place
    from kbisect.lab.recipe import of_script

    repo = build(tmp_path / "repo", line(3))
    pids = tmp_path / "pids"
    script = repo.script(
        "trap '' TERM\nqemu-system-x86_64 -S -nodefaults -display none &\n"
        f"echo $! >> {pids}; echo $$ >> {pids}; wait; wait"
    )
    step = Step(
        oid=repo.oids[1],
        recipe=of_script((str(script),), None),
        folder=tmp_path / "step",
        place=Place(repo.path / ".git", tmp_path / "store", 0.0),
        directory=repo.path,
        env={"PATH": os.environ["PATH"]},
    )
    with worker(scheduler, cloned(repo, "one")), fleet.connect(scheduler) as crew:
        future = crew.executor.submit(execution.run, step)
        wait_for(lambda: pids.exists() and len(pids.read_text().splitlines()) == 2)
        running = [int(pid) for pid in pids.read_text().split()]
        assert future.cancel()
        asked = time.monotonic()
        wait_for(lambda: not any(alive(pid) for pid in running), 10)
        assert time.monotonic() - asked < 2


@pytest.mark.dask
@pytest.mark.xdist_group("dask")
def test_nothing_runs_on_for_a_kbisect_that_was_killed(
    scheduler: str, tmp_path: Path, kbisect: Run
) -> None:
    repo = build(tmp_path / "repo", line(30))
    pids = tmp_path / "pids"
    script = repo.script(
        f"[ -e {tmp_path}/quick ] || {{ echo $$ >> {pids}; sleep 1000; }}; [ $(cat number) -lt 17 ]"
    )
    run = ["-C", str(repo.path), "run", "--json", "--good", repo.oids[0]]
    with worker(scheduler, cloned(repo, "one")):
        process = subprocess.Popen(
            [sys.executable, "-m", "kbisect", *run, "--scheduler", scheduler, str(script)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: pids.exists() and pids.read_text().strip())
        process.kill()
        process.wait()
        wait_for(lambda: not alive(int(pids.read_text().split()[0])), 10)
        (tmp_path / "quick").touch()
        found = document(kbisect(*run, "--scheduler", scheduler, script))
    assert found["culprit"] == repo.oids[17]


@pytest.mark.dask
@pytest.mark.xdist_group("dask")
def test_a_scheduler_that_is_killed_costs_the_tests_in_flight(tmp_path: Path, kbisect: Run) -> None:
    """The campaign ends as a machine that was lost, and goes on with the next scheduler."""
    repo = build(tmp_path / "repo", line(30))
    seen = tmp_path / "seen"
    script = repo.script(f"echo $KBISECT_COMMIT >> {seen}; sleep 0.3; [ $(cat number) -lt 17 ]")
    run = ["-C", str(repo.path), "run", "--json", "--good", repo.oids[0]]
    with (
        a_scheduler(tmp_path / "first") as (address, process),
        worker(address, cloned(repo, "one")),
    ):
        campaign = subprocess.Popen(
            [sys.executable, "-m", "kbisect", *run, "--scheduler", address, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: seen.exists() and len(seen.read_text().splitlines()) == 3)
        process.kill()
        out, err = campaign.communicate(timeout=60)
    assert (campaign.returncode, out) == (128, ""), err
    assert "\n  try: " in err
    with a_scheduler(tmp_path / "second") as (address, _), worker(address, cloned(repo, "two")):
        found = document(kbisect(*run, "--scheduler", address, script))
    assert found["culprit"] == repo.oids[17]
    runs = found["tests"] + found["tests_ends"] + found["tests_confirm"]
    # One worker, one test in flight.
    assert len(seen.read_text().splitlines()) <= runs + 1
    events = [json.loads(row) for row in Path(found["journal"]).read_text().splitlines()]
    tested = [(event["oid"], event["attempt"]) for event in events if event["event"] == "tested"]
    assert len(tested) == len(set(tested)) == runs


@pytest.mark.dask
@pytest.mark.xdist_group("dask")
def test_that_all_workers_are_gone_is_said(scheduler: str, tmp_path: Path, kbisect: Run) -> None:
    """Here and in `status`; the next worker goes on with it."""
    repo = build(tmp_path / "repo", line(30))
    seen = tmp_path / "seen"
    script = repo.script(f"echo $KBISECT_COMMIT >> {seen}; sleep 0.3; [ $(cat number) -lt 17 ]")
    run = ["-C", str(repo.path), "run", "--json", "--good", repo.oids[0]]
    with (tmp_path / "said").open("w") as said, worker(scheduler, cloned(repo, "one")) as only:
        campaign = subprocess.Popen(
            [sys.executable, "-m", "kbisect", *run, "--scheduler", scheduler, str(script)],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        wait_for(lambda: seen.exists() and len(seen.read_text().splitlines()) == 3)
        only.kill()
        wait_for(lambda: "no worker since 20" in (tmp_path / "said").read_text())
        status = ["-C", str(repo.path), "bisect", "status"]
        told = kbisect(*status).stdout
        assert f"start one with: KBISECT_CLONE=DIR dask worker {scheduler} --nthreads 1\n" in told
        assert "no worker since 20" in told
        running = document(kbisect(*status, "--json"))["running"]
        assert running["no_worker_since"] in told
    with worker(scheduler, cloned(repo, "two")):
        out, _ = campaign.communicate(timeout=60)
    assert campaign.returncode == 0
    assert "a worker has joined" in (tmp_path / "said").read_text()
    assert json.loads(out)["culprit"] == repo.oids[17]


@pytest.mark.dask
@pytest.mark.xdist_group("dask")
def test_the_wait_for_a_worker_has_an_end(scheduler: str, tmp_path: Path, kbisect: Run) -> None:
    """What was found stays, and the same command goes on when there is one."""
    repo = build(tmp_path / "repo", line(30))
    run = ["-C", str(repo.path), "-c", "kbisect.workerWait=2 s", "run", "--json"]
    run += ["--good", repo.oids[0], "--scheduler", scheduler]
    script = repo.script(
        f"[ -e {tmp_path}/quick ] || [ $(cat number) = 0 ] || [ $(cat number) = 29 ] || "
        "kill -9 $(ps -o ppid= -p $PPID)\n[ $(cat number) -lt 17 ]"
    )
    with worker(scheduler, cloned(repo, "one")):
        began = time.monotonic()
        done = kbisect(*run, script)
        assert time.monotonic() - began < 20
    assert (done.returncode, done.stdout) == (128, "")
    assert "had no worker for 2 s; what was found is kept\n  try: start one" in (done.stderr)
    (tmp_path / "quick").touch()
    with worker(scheduler, cloned(repo, "two")):
        done = kbisect(*run, script)
    assert "going on after 2 tests" in done.stderr
    assert document(done)["culprit"] == repo.oids[17]


@pytest.mark.dask
@pytest.mark.xdist_group("dask")
def test_a_worker_that_joins_later_gets_work(scheduler: str, tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    with (
        worker(scheduler, tmp_path / "clone"),
        fleet.connect(scheduler) as crew,
    ):
        busy = crew.submit(time.sleep, 1000)
        assert crew.size == 1
        with worker(scheduler, tmp_path / "clone"):
            assert crew.wait([busy], lambda gap: pytest.fail(str(gap))) == []
            assert crew.size == 2


@pytest.mark.dask
@pytest.mark.xdist_group("dask")
def test_workers_without_what_a_step_needs_are_none(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask would queue the step for ever."""
    monkeypatch.setattr(fleet, "_ARRIVAL", 3)
    (tmp_path / "clone").mkdir()
    with worker(scheduler, tmp_path / "clone"):
        with fleet.connect(scheduler) as crew:
            assert crew.size == 1
        with (
            pytest.raises(EnvironmentProblem, match="no worker that offers kvm=1") as caught,
            fleet.connect(scheduler, resources={"kvm": 1}),
        ):
            pass
    assert "--resources kvm=1" in caught.value.hint

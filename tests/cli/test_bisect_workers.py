# SPDX-License-Identifier: GPL-2.0-or-later
"""Several workers at once, the revert, and what another terminal sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.repos import (
    KBISECT,
    Repo,
    Run,
    bisect,
    build,
    dag,
    document,
    line,
    numbered,
    refused,
)


@pytest.fixture
def lines(tmp_path: Path) -> Repo:
    """Forty commits, each of which changes a file of its own; commit 17 adds `f17`."""
    return build(tmp_path / "lines", line(40), own_files=True)


def test_several_workers_find_the_same_and_are_apart(repo: Repo, kbisect: Run) -> None:
    """Each has a worktree and a build folder of its own; nothing is left of either."""
    script = numbered(
        repo,
        'exec 9> "$KBISECT_BUILD/mine"; flock -n 9 || exit 99\n'
        'sleep 0.2; [ "$(cat number)" = $n ] || exit 98\n'
        f"echo $KBISECT_WORKER >> {repo.path.parent}/workers",
    )
    found = bisect(kbisect, repo, script, "--workers", "3")
    assert found["culprit"] == repo.oids[17]
    assert set((repo.path.parent / "workers").read_text().split()) == {"0", "1", "2"}
    store = Path(found["journal"]).parents[2]
    assert not list((store / "worktrees").iterdir())
    assert not [path for path in (store / "builds").iterdir() if path.is_dir()]


@pytest.mark.parametrize("seed", range(3))
def test_several_workers_on_graphs_with_merges(tmp_path: Path, kbisect: Run, seed: int) -> None:
    repo = build(tmp_path / "repo", dag(60, seed))
    culprit = repo.oids[20 + seed * 7]
    script = repo.script(f"git merge-base --is-ancestor {culprit} HEAD && exit 1; exit 0")
    assert bisect(kbisect, repo, script, "--workers", "4")["culprit"] == culprit


def test_a_test_that_can_say_nothing_more_is_cancelled(repo: Repo, kbisect: Run) -> None:
    """A good run takes minutes, a bad one no time: who is overtaken never reaches a time limit."""
    slow = "[ $n -lt 17 ] && [ $n -gt 0 ] && [ $KBISECT_ATTEMPT = 1 ] && [ $n != 16 ] && sleep 600"
    found = bisect(kbisect, repo, numbered(repo, slow), "--workers", "8", "--timeout", "40")
    assert found["culprit"] == repo.oids[17]
    events = [json.loads(each) for each in Path(found["journal"]).read_text().splitlines()]
    assert {each["verdict"] for each in events if each["event"] == "tested"} == {"good", "bad"}


def test_the_revert_is_tested_where_it_applies(lines: Repo, kbisect: Run) -> None:
    """In a worktree of a commit that the user's repository never gets."""
    script = lines.script(
        f"[ -e f17 ] && exit 1\necho $KBISECT_COMMIT $PWD >> {lines.path.parent}/seen; exit 0"
    )
    objects = lines.git("count-objects", "-v")
    found = bisect(kbisect, lines, script)
    assert found["culprit"] == lines.oids[17]
    assert found["unchecked"] == []
    reverts = [check for check in found["checks"] if check["kind"] == "revert"]
    assert [(each["oid"], each["verdict"], each["good"]) for each in reverts] == [
        (lines.oids[39], "good", 2)
    ]
    events = [json.loads(row) for row in Path(found["journal"]).read_text().splitlines()]
    run = next(event for event in events if event.get("role") == "revert")
    assert (run["oid"], run["reverted"]) == (lines.oids[39], lines.oids[17])
    assert lines.git("count-objects", "-v") == objects


def test_a_revert_that_does_not_help_is_said(lines: Repo, kbisect: Run) -> None:
    """Commit 30 breaks it once more: the culprit is the first, and the revert no cure."""
    script = lines.script("[ -e f17 ] || [ -e f30 ] && exit 1; exit 0")
    found = bisect(kbisect, lines, script)
    assert found["culprit"] == lines.oids[17]
    assert any("doesn't help" in row for row in found["unchecked"])
    mail = kbisect("-C", lines.path, "bisect", "report", "--format", "mail").stdout
    assert f"#regzbot introduced: {lines.oids[0][:12]}..{lines.oids[39][:12]}" in mail
    assert "Fixes:" not in mail


def test_another_terminal_sees_who_does_what(repo: Repo, kbisect: Run) -> None:
    script = numbered(repo, "sleep 1")
    process = subprocess.Popen(
        [*KBISECT, "-C", str(repo.path), "run", "--workers", "2", "--good", repo.oids[0], script],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    process.stderr.readline()
    watch = subprocess.Popen(
        [*KBISECT, "-C", str(repo.path), "status", "--watch"], stdout=subprocess.PIPE, text=True
    )
    process.stderr.readline()
    seen = document(kbisect("-C", repo.path, "status", "--json"))
    assert seen["running"]["process"] == process.pid
    assert seen["running"]["workers"] == 2
    assert all(job["oid"] in repo.oids for job in seen["running"]["jobs"])
    expected = seen["expected"]
    assert expected["tests_low"] <= expected["tests"] <= expected["tests_high"]
    assert expected["seconds_low"] <= expected["seconds"] <= expected["seconds_high"]
    said = kbisect("-C", repo.path, "status").stdout
    assert f"at work: process {process.pid}, 2 workers" in said
    assert "--resume" not in said
    process.communicate()
    assert "is the first bad commit" in watch.communicate(timeout=30)[0]
    assert document(kbisect("-C", repo.path, "status", "--json"))["running"] is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_it_says_how_to_go_on(repo: Repo, kbisect: Run, number: int) -> None:
    script = numbered(repo, f"echo $$ >> {repo.path.parent}/pids; sleep 60")
    process = subprocess.Popen(
        [*KBISECT, "-C", str(repo.path), "run", "--workers", "2", "--good", repo.oids[0], script],
        stderr=subprocess.PIPE,
        text=True,
    )
    pids = repo.path.parent / "pids"
    until = time.monotonic() + 60
    while time.monotonic() < until and (not pids.exists() or not pids.read_text().strip()):
        time.sleep(0.05)
    process.send_signal(number)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert "to go on: kbisect bisect run --resume" in said
    assert "Traceback" not in said
    for pid in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_a_lost_machine_is_tried_again(repo: Repo, kbisect: Run) -> None:
    """255 at first (a lost connection), then an answer: no skip, and no verdict from the loss."""
    script = numbered(repo, "[ $n -gt 0 ] && [ $n -lt 39 ] && [ $KBISECT_ATTEMPT = 1 ] && exit 255")
    found = bisect(kbisect, repo, script)
    assert found["culprit"] == repo.oids[17]
    events = [json.loads(row) for row in Path(found["journal"]).read_text().splitlines()]
    lost = [event for event in events if event.get("cause") == "infrastructure"]
    assert lost
    assert all(event["verdict"] == "skip" for event in lost)


def test_resume_checks_the_script(repo: Repo, kbisect: Run) -> None:
    """The campaign's own copy was changed: its verdicts may mean something else now."""
    found = bisect(kbisect, repo, numbered(repo))
    folder = Path(found["journal"]).parent
    (folder / "seen").unlink()
    (folder / "script").write_text("#!/bin/sh\nexit 0\n")
    refused(kbisect("-C", repo.path, "run", "--resume"), "has changed since")


def test_old_campaigns_are_given_up(
    repo: Repo, kbisect: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kbisect.bisect.events import Started
    from kbisect.lab import journal

    monkeypatch.setattr(journal, "KEPT", 3)
    campaigns = journal.Campaigns(repo.path / ".git" / "kbisect")
    for at in range(6):
        campaigns.begin(Started(at=float(at)))
    kept = sorted(path.name for path in campaigns.folder.iterdir() if path.name.isdigit())
    assert kept == ["0003", "0004", "0005"]

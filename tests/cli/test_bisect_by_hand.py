# SPDX-License-Identifier: GPL-2.0-or-later
"""git's log both ways, a bisection by hand, and the report."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.repos import Repo, Run, bisect, build, document, line, numbered, refused


@pytest.mark.parametrize("skips", ["", "[ $n -ge 15 ] && [ $n -le 18 ] && exit 125"])
def test_git_replays_our_log(repo: Repo, kbisect: Run, tmp_path: Path, skips: str) -> None:
    found = bisect(kbisect, repo, numbered(repo, skips))
    (tmp_path / "log").write_text(kbisect("-C", repo.path, "bisect", "log").stdout)
    done = subprocess.run(
        ["git", "-C", repo.path, "bisect", "replay", tmp_path / "log"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found["culprit"]:
        assert f"{repo.oids[17]} is the first bad commit" in done.stdout
    else:
        assert "only 'skip'ped commits left" in done.stdout
        assert all(oid in done.stdout for oid in found["suspects"])


def test_we_replay_git_log(repo: Repo, kbisect: Run, tmp_path: Path) -> None:
    repo.git("bisect", "start", repo.oids[-1], repo.oids[0])
    repo.git("bisect", "skip")
    repo.git("bisect", "good", repo.oids[9])
    (tmp_path / "log").write_text(repo.git("bisect", "log") + "\n")
    found = document(kbisect("-C", repo.path, "bisect", "replay", "--json", tmp_path / "log"))
    assert found["outcome"] is None
    assert set(found["suspects"]) == set(repo.oids[10:])
    ours = kbisect("-C", repo.path, "bisect", "log").stdout
    theirs = repo.git("bisect", "log")

    def verdicts(log: str) -> list[str]:
        return [row for row in log.splitlines() if row.startswith(("# bad:", "# good:", "# skip:"))]

    assert set(verdicts(ours)) == set(verdicts(theirs))


def test_a_log_that_contradicts_itself_begins_nothing(
    repo: Repo, kbisect: Run, tmp_path: Path
) -> None:
    words = [f"git bisect good {repo.oids[20]}", f"git bisect bad {repo.oids[10]}"]
    (tmp_path / "log").write_text("\n".join(["git bisect start", *words]) + "\n")
    refused(kbisect("-C", repo.path, "bisect", "replay", tmp_path / "log"), repo.oids[10][:12])
    refused(kbisect("-C", repo.path, "bisect", "status"), "there is no bisection here")
    (tmp_path / "log").write_text("")
    refused(kbisect("-C", repo.path, "bisect", "replay", tmp_path / "log"), "no verdict")


def test_a_script_goes_on_where_a_person_was(repo: Repo, kbisect: Run, tmp_path: Path) -> None:
    """As `git bisect run` after `git bisect start`: the ends are what the verdicts have come to."""
    repo.git("bisect", "start", repo.oids[-1], repo.oids[0])
    repo.git("bisect", "good", repo.oids[9])
    repo.git("bisect", "bad", repo.oids[21])
    (tmp_path / "log").write_text(repo.git("bisect", "log") + "\n")
    assert kbisect("-C", repo.path, "bisect", "replay", tmp_path / "log").returncode == 0
    done = kbisect("-C", repo.path, "bisect", "run", "--json", numbered(repo, ""))
    assert "going on from 4 verdicts by hand, which are put aside" in done.stderr
    found = document(done)
    assert found["culprit"] == repo.oids[17]
    assert found["candidates"] == 12


def test_what_was_called_bad_is_not_good(repo: Repo, kbisect: Run) -> None:
    kbisect("-C", repo.path, "start", repo.oids[-1], repo.oids[0])
    refused(kbisect("-C", repo.path, "good", repo.oids[-1]), "can't be good: it was called bad")


def test_a_path_after_dashes_is_suspected_first_and_hides_nothing(
    tmp_path: Path, kbisect: Run
) -> None:
    repo = build(tmp_path / "repo", line(32), own_files=True)
    started = kbisect("-C", repo.path, "start", repo.oids[-1], repo.oids[0], "--", "f29")
    assert "1 commit changing f29: suspected first, none is left out" in started.stderr
    state = document(kbisect("-C", repo.path, "status", "--json"))
    assert state["next"] in {repo.oids[28], repo.oids[29]}
    assert set(state["suspects"]) == set(repo.oids[1:])


def test_the_path_limit_of_a_git_log_is_a_suspicion(tmp_path: Path, kbisect: Run) -> None:
    repo = build(tmp_path / "repo", line(32), own_files=True)
    repo.git("bisect", "start", repo.oids[-1], repo.oids[0], "--", "f3", "f29")
    (tmp_path / "log").write_text(repo.git("bisect", "log") + "\n")
    done = kbisect("-C", repo.path, "bisect", "replay", "--json", tmp_path / "log")
    assert "2 commits changing f3 f29: suspected first" in done.stderr
    assert set(document(done)["suspects"]) == set(repo.oids[1:])


def test_what_suspects_nothing_yet_says_so_with_the_second_end(repo: Repo, kbisect: Run) -> None:
    kbisect("-C", repo.path, "start", repo.oids[-1], "--", "number")
    done = kbisect("-C", repo.path, "good", repo.oids[0])
    assert "39 commits changing number: suspected first" in done.stderr


def test_by_hand(repo: Repo, kbisect: Run) -> None:
    def do(*words: str) -> dict[str, Any]:
        return document(kbisect("-C", repo.path, *words, "--json"))

    assert do("bisect", "start")["next"] is None
    do("bad", repo.oids[-1])
    state = do("good", repo.oids[0])
    while state["outcome"] is None:
        number = repo.oids.index(state["next"])
        state = do("bisect", "good" if number < 17 else "bad")
    assert state["culprit"] == repo.oids[17]
    assert state["tests"] in {5, 6}
    assert "given by hand" in " ".join(state["unchecked"])
    state = do("bisect", "undo")
    assert state["outcome"] is None
    assert len(state["suspects"]) in {2, 3}
    refused(kbisect("-C", repo.path, "bad", repo.oids[0]), "a good commit contains it")
    refused(kbisect("-C", repo.path, "good", repo.oids[-1]), "")
    assert do("bisect", "status")["suspects"] == state["suspects"]
    place = do("bisect", "reset")["journal"]
    assert Path(place).exists()
    refused(kbisect("-C", repo.path, "status"), "no bisection here")


def test_report(repo: Repo, kbisect: Run) -> None:
    bisect(kbisect, repo, numbered(repo))
    report = ["-C", repo.path, "bisect", "report"]
    assert "is the first bad commit" in kbisect(*report).stdout
    mail = kbisect(*report, "--format", "mail").stdout
    culprit = f'{repo.oids[17][:12]} ("commit 17")'
    assert f"\nCommit {culprit}\n" in mail
    assert f"\n#regzbot introduced: {repo.oids[17][:12]}\n" in mail
    assert f"Fixes: {culprit}" in mail
    assert not any(row.startswith("Fixes:") for row in mail.splitlines())
    found = document(kbisect(*report, "--format", "json"))
    assert found["culprit"] == repo.oids[17]
    assert found["ends"][0]["at"].endswith("Z")


def test_a_verdict_needs_a_bisection(repo: Repo, kbisect: Run) -> None:
    """Seen: `good` began one by itself, and the next command wondered about it."""
    for word in ("good", "bad", "skip"):
        refused(kbisect("-C", repo.path, "bisect", word), "no bisection is running")
        refused(kbisect("-C", repo.path, word, "HEAD~3"), "no bisection is running")
    assert not (repo.path / ".git" / "kbisect" / "campaigns" / "current").exists()


def test_undo_and_reset_have_short_forms(repo: Repo, kbisect: Run) -> None:
    kbisect("-C", repo.path, "start", repo.oids[-1], repo.oids[0])
    kbisect("-C", repo.path, "good", repo.oids[9])
    assert "taken back: good" in kbisect("-C", repo.path, "undo").stderr
    assert kbisect("-C", repo.path, "reset").stdout.startswith("put aside: ")

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a bisection survives: kills, full disks, cut journals, two at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.repos import KBISECT, Repo, Run, bisect, build, document, line, numbered, refused


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_at_any_point(repo: Repo, tmp_path: Path, seed: int, kbisect: Run) -> None:
    chance = random.Random(seed)
    script = numbered(repo, f"echo >> {tmp_path}/runs; sleep 0.05")
    command = [*KBISECT, "-C", str(repo.path), "bisect", "run", "--json", "--good", repo.oids[0]]
    kills, waits = 0, [0.3, *(chance.uniform(0.2, 1.2) for _ in range(7))]
    for wait in waits:
        process = subprocess.Popen(
            [*command, str(script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            out = process.communicate(timeout=wait)[0]
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            out = process.communicate()[0]
            kills += 1
            if out:  # it had told its result, and was on its way out
                break
    else:
        done = kbisect(*command[3:], script)
        assert done.returncode == 0, done.stderr
        out = done.stdout
    assert kills
    found = json.loads(out)
    assert found["culprit"] == repo.oids[17]
    events = [json.loads(row) for row in Path(found["journal"]).read_text().splitlines()]
    runs = [(event["oid"], event["attempt"]) for event in events if event["event"] == "tested"]
    assert len(runs) == len(set(runs))
    assert len((tmp_path / "runs").read_text().splitlines()) <= len(runs) + kills
    assert [event["event"] for event in events].count("started") == 1


def test_a_kill_between_the_end_and_its_telling(repo: Repo, kbisect: Run, tmp_path: Path) -> None:
    """Seen on a busy machine: the same command then tested everything once more."""
    script = numbered(repo, f"echo >> {tmp_path}/runs")
    found = bisect(kbisect, repo, script)
    runs = (tmp_path / "runs").read_text()
    (Path(found["journal"]).parent / "seen").unlink()
    assert bisect(kbisect, repo, script) == found
    assert (tmp_path / "runs").read_text() == runs
    bisect(kbisect, repo, script)
    assert (tmp_path / "runs").read_text() == runs * 2


def test_an_interrupted_one_goes_on_with_resume_alone(repo: Repo, kbisect: Run) -> None:
    script = numbered(repo, "sleep 0.5")
    ends = ["--good", repo.oids[0], "--bad", repo.oids[-1]]
    process = subprocess.Popen(
        [*KBISECT, "-C", str(repo.path), "bisect", "run", *ends, str(script)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for row in process.stderr:
        if "suspects left" in row:
            break
    process.send_signal(signal.SIGINT)
    with process:
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "--resume" in rest
    status = document(kbisect("-C", repo.path, "bisect", "status", "--json"))
    assert status["outcome"] is None
    assert status["next"] in repo.oids
    other = repo.script("exit 1", "other.sh")
    refused(kbisect("-C", repo.path, "bisect", "run", *ends, other), "another campaign is open")
    changed = repo.script("exit 1", script.name)
    done = kbisect("-C", repo.path, "bisect", "run", *ends, changed)
    refused(done, "it differs in: the content of the script")
    script.unlink()
    found = document(kbisect("-C", repo.path, "bisect", "run", "--json", "--resume"))
    assert found["culprit"] == repo.oids[17]


def test_two_at_once(repo: Repo, kbisect: Run) -> None:
    script = numbered(repo, "sleep 0.3")
    ends = ["--good", repo.oids[0], str(script)]
    process = subprocess.Popen(
        [*KBISECT, "-C", str(repo.path), "bisect", "run", *ends], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    process.stderr.readline()
    refused(kbisect("-C", repo.path, "bisect", "run", *ends), f"process {process.pid}")
    process.kill()
    process.communicate()


def needs_mounts() -> None:
    """Skip only where nobody promised that mounts work: not as root, and not in CI."""
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("mounting needs root")


def mounted(shell: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a shell script in a mount namespace of its own."""
    return subprocess.run(
        ["unshare", "--mount", "sh", "-ec", shell, "sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_read_only_repository_with_store(repo: Repo, tmp_path: Path) -> None:
    needs_mounts()
    command: list[str | Path] = [*KBISECT, "-C", repo.path]
    run: list[str | Path] = ["bisect", "run", "--json", "--good", repo.oids[0], numbered(repo)]
    read_only = (
        'repo=$1; shift; mount --bind "$repo" "$repo"; mount -o remount,bind,ro "$repo"; "$@"'
    )
    done = mounted(read_only, repo.path, *command, *run)
    refused(done, "Read-only file system", code=4)
    assert "--store" in done.stderr
    done = mounted(read_only, repo.path, *command, "--store", tmp_path / "store", *run)
    assert document(done)["culprit"] == repo.oids[17]


def test_a_full_disk(tmp_path: Path) -> None:
    """The journal's disk fills up at the first step; freed, the same command goes on."""
    needs_mounts()
    repo = build(tmp_path / "repo", line(4000))  # so that the journal outgrows its first page
    store = tmp_path / "store"
    store.mkdir()
    script = repo.script(
        f"[ -e {tmp_path}/filled ] || head -c 10M /dev/zero > $KBISECT_OUT/fill\n"
        f"touch {tmp_path}/filled\n"
        f"git merge-base --is-ancestor {repo.oids[17]} $KBISECT_COMMIT && exit 1; exit 0"
    )
    shell = (
        'out=$1; store=$2; shift 2; mount -t tmpfs -o size=1m tmpfs "$store"\n'
        'set +e; "$@" > "$out/first" 2> "$out/error"; echo $? > "$out/code"\n'
        'cp "$store/campaigns/current/journal.jsonl" "$out/journal"\n'
        'rm "$store"/campaigns/current/steps/*/out/fill; "$@"'
    )
    command: list[str | Path] = [
        *KBISECT,
        "-C",
        repo.path,
        "--store",
        store,
        "bisect",
        "run",
        "--json",
    ]
    done = mounted(
        shell, tmp_path, store, *command, "--no-checkout", "--good", repo.oids[0], script
    )
    assert (tmp_path / "code").read_text() == "4\n"
    assert (tmp_path / "first").read_text() == ""
    error = (tmp_path / "error").read_text()
    assert "No space left on device" in error
    assert "try: free some space" in error
    rows = (tmp_path / "journal").read_text()
    assert rows.endswith("\n")
    assert all(json.loads(row) for row in rows.splitlines())
    assert document(done)["culprit"] == repo.oids[17]


def test_a_journal_cut_in_the_middle(repo: Repo, kbisect: Run) -> None:
    journal = Path(bisect(kbisect, repo, numbered(repo))["journal"])
    text = journal.read_text()
    journal.write_text(text[: text.rindex("\n", 0, -1) + 30])
    done = kbisect("-C", repo.path, "bisect", "status", "--json")
    assert document(done)["outcome"] is None
    assert "cut in the middle" in done.stderr
    assert bisect(kbisect, repo, numbered(repo))["culprit"] == repo.oids[17]
    assert not (journal.parent.parent / "0001").exists()


def test_a_newer_journal_is_refused(repo: Repo, kbisect: Run) -> None:
    journal = Path(bisect(kbisect, repo, numbered(repo))["journal"])
    journal.write_text(journal.read_text().replace('"v": 1', '"v": 99'))
    refused(kbisect("-C", repo.path, "bisect", "status"), "version 99")


def test_a_disk_that_is_full_before_the_first_worktree(repo: Repo, tmp_path: Path) -> None:
    """The machine's failure (4), not the repository's (128)."""
    needs_mounts()
    store = tmp_path / "store"
    store.mkdir()
    script = repo.script("head -c 10M /dev/zero > $KBISECT_OUT/fill; exit 0")
    shell = (
        'store=$1; shift; mount -t tmpfs -o size=400k tmpfs "$store"; mkdir -p "$store/worktrees"\n'
        'head -c 10M /dev/zero > "$store/fill" 2>/dev/null || :\n'
        'truncate -s -60k "$store/fill"; "$@"'
    )
    command: list[str | Path] = [*KBISECT, "-C", repo.path, "--store", store]
    done = mounted(shell, store, *command, "run", "--json", "--good", repo.oids[0], script)
    refused(done, "No space left on device", code=4)
    assert "fsck" not in done.stderr


def test_a_partial_clone_without_its_remote(repo: Repo, tmp_path: Path, kbisect: Run) -> None:
    """Seen: of a commit whose tree is absent the worktree is empty, and the test ran in it."""
    repo.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--filter=tree:0", f"file://{repo.path}", str(clone)], check=True
    )
    repo.path.rename(tmp_path / "gone")
    script = tmp_path / "test.sh"
    script.write_text(f"#!/bin/sh\necho >> {tmp_path}/ran\n[ -e number ] || exit 1\n")
    script.chmod(0o755)
    done = kbisect("-C", clone, "run", "--json", "--good", repo.oids[0], script)
    refused(done, "absent from this partial clone", code=128)
    ran = (tmp_path / "ran").read_text().splitlines() if (tmp_path / "ran").exists() else []
    assert len(ran) <= 1  # the bad end, which is checked out, is there


def test_what_is_wrong_with_a_journal_names_a_command_that_works(repo: Repo, kbisect: Run) -> None:
    journal = Path(bisect(kbisect, repo, numbered(repo))["journal"])
    journal.write_text(journal.read_text().replace('"event": "tested"', '"event": "tasted"', 1))
    done = kbisect("-C", repo.path, "status")
    refused(done, "a line that is no event")
    assert "kbisect bisect reset" in done.stderr
    assert kbisect("-C", repo.path, "bisect", "reset").returncode == 0

# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect bisect` on real repositories; git's own bisection is the oracle."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
KBISECT = [sys.executable, "-m", "kbisect"]


@dataclass(frozen=True)
class Repo:
    """A repository of numbered commits: `oids[i]` has the subject `commit i`."""

    path: Path
    oids: list[str]

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def script(self, text: str, name: str = "test.sh") -> Path:
        path = self.path.parent / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
        return path


def build(path: Path, parents: Sequence[Sequence[int]]) -> Repo:
    """Make a repository; commit i has these parents and the number i in the file `number`."""
    path.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "master", str(path)], check=True)
    stream = []
    for i, above in enumerate(parents):
        subject, content = f"commit {i}", f"{i}\n"
        stream.append(
            f"commit refs/heads/master\nmark :{i + 1}\n"
            f"committer A <a@example.org> {1_300_000_000 + i * 60} +0000\n"
            f"data {len(subject)}\n{subject}\n"
            + "".join(
                f"{'merge' if n else 'from'} :{parent + 1}\n" for n, parent in enumerate(above)
            )
            + f"M 644 inline number\ndata {len(content)}\n{content}\n"
        )
        if not above and i:
            stream[-1] = f"reset refs/heads/master\n{stream[-1]}"
    marks = path / ".git" / "marks"
    subprocess.run(
        ["git", "-C", str(path), "fast-import", "--quiet", f"--export-marks={marks}"],
        input="".join(stream).encode(),
        check=True,
    )
    subprocess.run(["git", "-C", str(path), "reset", "-q", "--hard"], check=True)
    pairs = dict(line.split() for line in marks.read_text().splitlines())
    return Repo(path, [pairs[f":{i + 1}"] for i in range(len(parents))])


def line(size: int) -> list[list[int]]:
    return [[i - 1] if i else [] for i in range(size)]


def dag(size: int, seed: int) -> list[list[int]]:
    """Side branches and merges; the last commit contains everything, the first is in everything."""
    chance = random.Random(seed)
    parents: list[list[int]] = [[]]
    for i in range(1, size - 1):
        above = {i - 1 if chance.random() < 0.5 else chance.randrange(max(0, i - 8), i)}
        if chance.random() < 0.3:
            above.add(chance.randrange(max(0, i - 12), i))
        parents.append(sorted(above, reverse=True))
    tips = set(range(size - 1)) - {p for above in parents for p in above}
    return [*parents, sorted(tips, reverse=True)]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Forty commits in a row; commit 17 is the culprit of `numbered`."""
    return build(tmp_path / "repo", line(40))


def numbered(repo: Repo, text: str = "") -> Path:
    """Fail with 1 from commit 17 on; `text` runs first and sees `$n`."""
    return repo.script(f"n=$(cat number)\n{text}\n[ $n -lt 17 ]")


def document(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def bisect(kbisect: Run, repo: Repo, script: Path, *options: str | Path) -> dict[str, Any]:
    """Run a bisection from the first commit to the last; return its document."""
    ends = ("--good", repo.oids[0], "--bad", repo.oids[-1])
    done = kbisect("-C", repo.path, "bisect", "run", "--json", *ends, *options, script)
    return document(done)


def refused(done: subprocess.CompletedProcess[str], words: str, code: int = 2) -> None:
    """Check a failure: its code, nothing on stdout, one line that says what, one what to try."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert words in done.stderr
    assert "\n  try: " in done.stderr
    assert "Traceback" not in done.stderr


# --- the search -----------------------------------------------------------------------------------


def test_it_finds_the_culprit_and_says_what_it_did(repo: Repo, kbisect: Run) -> None:
    before = repo.git("status", "--porcelain"), repo.git("worktree", "list"), repo.git("reflog")
    found = bisect(kbisect, repo, numbered(repo))
    assert found["schema"] == "kbisect.bisect-run/1"
    assert found["outcome"] == "culprit"
    assert found["culprit"] == repo.oids[17]
    assert found["suspects"] == [repo.oids[17]]
    assert 0.95 <= found["confidence"] <= 1
    assert found["tests"] in {5, 6}
    assert found["tests_ends"] == 2
    assert 2 <= found["tests_confirm"] <= 4  # sequential: until it is sure
    assert found["builds"] == found["tests"] + 2 + found["tests_confirm"]
    assert found["skips"] == 0
    assert found["seconds"] >= 0
    assert found["candidates"] == 39
    assert "revert not tested" in found["unchecked"]
    journal = Path(found["journal"])
    assert journal == repo.path / ".git" / "kbisect" / "campaigns" / "current" / "journal.jsonl"
    assert before == (
        repo.git("status", "--porcelain"),
        repo.git("worktree", "list"),
        repo.git("reflog"),
    )
    assert not list((repo.path / ".git" / "kbisect" / "worktrees").iterdir())


def test_text_and_progress(repo: Repo, kbisect: Run) -> None:
    script = numbered(repo)
    done = kbisect("-C", repo.path, "run", "--good", repo.oids[0], "--", script)
    assert done.returncode == 0
    culprit = f'{repo.oids[17][:12]} ("commit 17")'
    assert done.stdout.startswith(f"{culprit} is the first bad commit\n")
    assert "unchecked: revert not tested" in done.stdout
    assert "\nNext: kbisect " in done.stdout
    assert f"bad  {culprit}" in done.stderr
    assert "39 suspects left, about 6 tests" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("seed", range(6))
def test_the_same_culprit_as_git_on_graphs_with_merges(
    tmp_path: Path, kbisect: Run, seed: int
) -> None:
    repo = build(tmp_path / "repo", dag(60, seed))
    culprit = repo.oids[random.Random(seed).randrange(1, 60)]
    script = repo.script(
        f"echo >> {tmp_path}/count\ngit merge-base --is-ancestor {culprit} HEAD && exit 1; exit 0"
    )
    found = bisect(kbisect, repo, script)
    (tmp_path / "count").unlink()
    repo.git("bisect", "start", repo.oids[-1], repo.oids[0])
    said = repo.git("bisect", "run", str(script))
    assert f"{culprit} is the first bad commit" in said
    assert found["culprit"] == culprit
    assert found["tests"] <= len((tmp_path / "count").read_text().splitlines()) + 2


@pytest.mark.parametrize("seed", range(4))
def test_the_weights_are_git_own(tmp_path: Path, seed: int) -> None:
    """`git rev-list --bisect-all` prints the weight of every candidate."""
    from kbisect.bisect.candidates import Candidates
    from kbisect.bisect.midpoint import Midpoint, reaches
    from kbisect.git.commits import walk
    from kbisect.git.repository import Repository

    repo = build(tmp_path / "repo", dag(200, seed))
    chance = random.Random(seed)
    for good in (repo.oids[chance.randrange(100)] for _ in range(4)):
        candidates = Candidates.build(walk(Repository.open(repo.path), [repo.oids[-1]], [good]))
        suspects = candidates.suspects([])
        counts = reaches(candidates.graph, suspects)
        ours = {
            oid: min(int(count), len(candidates) - int(count))
            for oid, count in zip(candidates.graph.oids, counts, strict=True)
        }
        listed = repo.git("rev-list", "--bisect-all", repo.oids[-1], f"^{good}").splitlines()
        git = {row.split()[0]: int(row.rpartition("dist=")[2].rstrip(")")) for row in listed}
        assert ours == git
        chosen = Midpoint().choose(candidates, suspects, [])
        assert chosen is not None
        assert ours[candidates.graph.oids[chosen]] == max(git.values())


def test_no_more_tests_than_git_on_average(tmp_path: Path) -> None:
    """Every commit of a graph once the culprit; git's choice is asked of `git rev-list`."""
    from kbisect.bisect.candidates import Candidates
    from kbisect.bisect.midpoint import Midpoint
    from kbisect.bisect.verdict import Verdict
    from kbisect.git.commits import walk
    from kbisect.git.repository import Repository

    repo = build(tmp_path / "repo", dag(48, 11))
    rows = list(walk(Repository.open(repo.path), [repo.oids[-1]], [repo.oids[0]]))
    candidates = Candidates.build(rows)
    contains = {
        oid: {
            candidates.graph.oids[i] for i in candidates.graph.ancestors([n]).nonzero()[0].tolist()
        }
        for oid, n in candidates.number.items()
    }
    known: dict[frozenset[str], str] = {}

    def git_chooses(suspects: frozenset[str], bad: str, goods: list[str]) -> str:
        if suspects not in known:
            known[suspects] = repo.git("rev-list", "--bisect", bad, *(f"^{good}" for good in goods))
        return known[suspects]

    ours, theirs = [], []
    for culprit in candidates.graph.oids:
        bad, goods, tests = repo.oids[-1], [repo.oids[0]], 0
        suspects = frozenset(contains[bad])
        while len(suspects) > 1:
            chosen = git_chooses(suspects, bad, goods)
            tests += 1
            if culprit in contains[chosen]:
                bad, suspects = chosen, suspects & contains[chosen]
            else:
                goods.append(chosen)
                suspects -= contains[chosen]
        theirs.append(tests)
        answers, tests = [(repo.oids[-1], Verdict.BAD)], 0
        while (
            index := Midpoint().choose(candidates, candidates.suspects(answers), answers)
        ) is not None:
            oid = candidates.graph.oids[index]
            tests += 1
            answers.append((oid, Verdict.BAD if culprit in contains[oid] else Verdict.GOOD))
        ours.append(tests)
    assert mean(ours) <= mean(theirs) + 0.05


def test_skips_leave_what_git_leaves(repo: Repo, kbisect: Run) -> None:
    script = numbered(repo, "[ $n -ge 15 ] && [ $n -le 18 ] && exit 125")
    found = bisect(kbisect, repo, script)
    repo.git("bisect", "start", repo.oids[-1], repo.oids[0])
    subprocess.run(
        ["git", "-C", repo.path, "bisect", "run", script], capture_output=True, check=False
    )
    left = {
        row.split("[")[1][:40]
        for row in repo.git("bisect", "log").splitlines()
        if "possible first bad" in row
    }
    assert found["outcome"] == "range"
    assert found["culprit"] is None
    assert set(found["suspects"]) == left == set(repo.oids[15:20])
    assert found["skips"] == 4


def test_no_checkout(repo: Repo, kbisect: Run) -> None:
    script = repo.script(
        f"[ -z $KBISECT_TREE ] && git merge-base --is-ancestor {repo.oids[23]} $KBISECT_COMMIT"
        " && exit 1; exit 0"
    )
    found = bisect(kbisect, repo, script, "--no-checkout")
    assert found["culprit"] == repo.oids[23]
    assert found["builds"] == 0
    assert not (repo.path / ".git" / "kbisect" / "worktrees").exists()


def test_first_parent(tmp_path: Path, kbisect: Run) -> None:
    repo = build(tmp_path / "repo", [[], [0], [1], [1], [3], [2, 4], [5]])
    script = repo.script(f"git merge-base --is-ancestor {repo.oids[4]} HEAD && exit 1; exit 0")
    assert bisect(kbisect, repo, script)["culprit"] == repo.oids[4]
    found = bisect(kbisect, repo, script, "--first-parent")
    assert (found["culprit"], found["candidates"]) == (repo.oids[5], 4)


# --- the script's contract ------------------------------------------------------------------------


def test_another_failure_than_the_bad_end_is_not_bad(repo: Repo, kbisect: Run) -> None:
    """git would stop at commit 8, which fails for another reason."""
    script = numbered(repo, "[ $n -ge 8 ] && [ $n -le 11 ] && exit 2")
    found = bisect(kbisect, repo, script)
    assert found["culprit"] == repo.oids[17]
    events = Path(found["journal"]).read_text()
    assert '"verdict": "skip", "cause": "other-crash", "exit_code": 2' in events


@pytest.mark.parametrize("failure", ["exit 124", "sleep 60", "exit 255", "kill -9 $$"])
def test_hangs_and_lost_guests_can_be_hunted(repo: Repo, kbisect: Run, failure: str) -> None:
    script = repo.script(f"[ $(cat number) -lt 36 ] && exit 0\n{failure}")
    assert bisect(kbisect, repo, script, "--timeout", "0.5")["culprit"] == repo.oids[36]


def test_a_crash_on_the_console_is_told_from_another(repo: Repo, kbisect: Run) -> None:
    """QEMU returns 0 after a panic; another crash is not the bug."""
    oops = "BUG: kernel NULL pointer dereference, address: 0\\nRIP: 0010:{}+0x1/0x2\\n"
    script = repo.script(
        "n=$(cat number)\n"
        f"[ $n -ge 10 ] && [ $n -le 12 ] && printf '{oops.format('other')}' > $KBISECT_CONSOLE\n"
        f"[ $n -ge 17 ] && printf '{oops.format('netlab_xmit')}' > $KBISECT_CONSOLE\n"
        "exit 0"
    )
    found = bisect(kbisect, repo, script)
    assert found["culprit"] == repo.oids[17]
    assert found["confirmed"][0]["crash"] == "NULL dereference in netlab_xmit"


def test_what_a_script_sees(repo: Repo, kbisect: Run, tmp_path: Path) -> None:
    script = numbered(
        repo, f"env > {tmp_path}/env; pwd > {tmp_path}/pwd; echo kept > $KBISECT_OUT/f"
    )
    script.write_text(script.read_text() + "\n")
    done = kbisect(
        *("-C", repo.path, "bisect", "run", "--json", "--good", repo.oids[0], script, "an arg"),
        env={
            "SECRET": "x",
            "KBISECT_MINE": "y",
            "KBISECT_CACHE": "c",
            "TERM": "xterm",
            "LD_PRELOAD": "",
        },
    )
    found = document(done)
    seen = dict(row.split("=", 1) for row in (tmp_path / "env").read_text().splitlines())
    ours = {"COMMIT", "TREE", "BUILD", "OUT", "CONSOLE", "WORKER", "ATTEMPT", "MINE", "CACHE"}
    by_bash = {"PWD", "SHLVL", "_", "OLDPWD"}
    assert set(seen) - by_bash <= {f"KBISECT_{name}" for name in ours} | {
        *("PATH", "HOME", "LANG", "USER", "TERM")
    }
    assert {f"KBISECT_{name}" for name in ours} <= set(seen)
    assert seen["TERM"] == "dumb"
    assert seen["KBISECT_TREE"] == (tmp_path / "pwd").read_text().strip()
    steps = Path(found["journal"]).parent / "steps"
    assert len(list(steps.glob("*/out/f"))) == found["tests"] + 2 + found["tests_confirm"]


@pytest.mark.parametrize(("code", "command"), [(127, "no-such-command"), (126, "/etc/passwd")])
def test_a_script_that_cannot_run_stops_the_campaign(
    repo: Repo, kbisect: Run, code: int, command: str
) -> None:
    script = numbered(repo, f"[ $n = 19 ] && {{ {command}; exit $?; }}")
    done = kbisect("-C", repo.path, "bisect", "run", "--json", "--good", repo.oids[0], script)
    refused(done, f"left with {code}")
    assert command in done.stderr
    log = kbisect("-C", repo.path, "bisect", "log").stdout
    assert repo.oids[19] not in log


def test_the_script_is_copied(repo: Repo, kbisect: Run) -> None:
    """A script that changes itself, as one in the tree would, changes nothing."""
    script = numbered(repo, "")
    script.write_text(script.read_text() + "s=$?\necho 'exit 0' > " + str(script) + "\nexit $s\n")
    assert bisect(kbisect, repo, script)["culprit"] == repo.oids[17]


# --- what it survives -----------------------------------------------------------------------------


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
    script = numbered(repo, "sleep 0.1")
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


# --- ends and other input -------------------------------------------------------------------------


def test_ends_that_make_no_sense(repo: Repo, kbisect: Run, tmp_path: Path) -> None:
    script, oids = numbered(repo), repo.oids

    def run(good: str, bad: str) -> subprocess.CompletedProcess[str]:
        return kbisect("-C", repo.path, "bisect", "run", "--good", good, "--bad", bad, script)

    refused(run(oids[9], oids[9]), "the same commit")
    swapped = run(oids[30], oids[3])
    refused(swapped, "look swapped")
    assert f"--good {oids[3][:12]} --bad {oids[30][:12]}" in swapped.stderr
    refused(run("nonsense", oids[3]), "unknown revision: nonsense")
    repo.git("checkout", "-q", "--orphan", "other")
    repo.git("commit", "-qm", "unrelated")
    refused(run("other", oids[3]), "no history in common")
    refused(kbisect("-C", repo.path, "bisect", "run", script), "no good end")
    refused(kbisect("-C", repo.path, "bisect", "run", "--good", oids[0]), "no script")
    refused(run(oids[0], oids[9] + "^^^^^^^^^^^^^"), "unknown revision")
    assert not (repo.path / ".git" / "kbisect" / "campaigns" / "current").exists()


def test_bad_scripts(repo: Repo, kbisect: Run, tmp_path: Path) -> None:
    def run(script: str | Path) -> subprocess.CompletedProcess[str]:
        return kbisect("-C", repo.path, "bisect", "run", "--good", repo.oids[0], script)

    refused(run(tmp_path / "absent.sh"), "no such script")
    refused(run(tmp_path), "is a directory")
    script = repo.script("exit 0")
    script.chmod(0o644)
    refused(run(script), "not executable")
    script.write_text("#!/no/interpreter\n")
    script.chmod(0o755)
    refused(run(script), "/no/interpreter")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exit 0", "the bad end"),
        ("exit 1", "fails just as the bad end"),
        ("[ $(cat number) = 0 ] && exit 1; exit 0", "look swapped"),
        ("exit 125", "can't be tested"),
        ("[ $(cat number) = 0 ] && exit 7; exit 1", "doesn't pass"),
    ],
)
def test_ends_that_do_not_reproduce(repo: Repo, kbisect: Run, text: str, words: str) -> None:
    script = repo.script(text)
    done = kbisect("-C", repo.path, "bisect", "run", "--json", "--good", repo.oids[0], script)
    found = document(done, code=1)
    assert found["outcome"] == "not-reproduced"
    assert words in found["reason"]
    assert found["hint"]
    assert (found["culprit"], found["tests"]) == (None, 0)


def test_trust_ends(repo: Repo, kbisect: Run) -> None:
    found = bisect(kbisect, repo, numbered(repo), "--trust-ends")
    assert (found["culprit"], found["tests_ends"]) == (repo.oids[17], 0)
    assert any("--trust-ends" in row for row in found["unchecked"])


def test_a_good_end_on_another_branch(tmp_path: Path, kbisect: Run) -> None:
    """The merge base is tested first: when it is bad, the failure was fixed, not introduced."""
    repo = build(tmp_path / "repo", [*line(10), [4], [10]])  # 11 forks off at 4
    ends = ["--good", repo.oids[11], "--bad", repo.oids[9]]
    script = repo.script("n=$(cat number); [ $n -lt 7 ] || [ $n -ge 10 ]")
    run = ["-C", repo.path, "bisect", "run", "--json", *ends]
    found = document(kbisect(*run, script))
    assert (found["culprit"], found["tests_ends"]) == (repo.oids[7], 3)
    assert found["candidates"] == 5
    fixed = repo.script("n=$(cat number); [ $n -ge 10 ]", "fixed.sh")
    found = document(kbisect(*run, fixed), code=1)
    assert found["outcome"] == "not-reproduced"
    assert "was fixed" in found["reason"]


def test_one_wrong_answer_is_only_evidence(repo: Repo, kbisect: Run, tmp_path: Path) -> None:
    """Confirmed by a run that passes, the culprit is doubted, tested on, and found all the same."""
    script = numbered(repo, "[ $KBISECT_ATTEMPT = 2 ] && exit 0")
    found = bisect(kbisect, repo, script)
    assert found["culprit"] == repo.oids[17]
    assert found["confidence"] >= 0.95
    log = tmp_path / "log"
    log.write_text(kbisect("-C", repo.path, "bisect", "log").stdout)
    assert f"{repo.oids[17]} is the first bad commit" in repo.git("bisect", "replay", str(log))


@pytest.mark.parametrize("seed", range(3))
def test_a_failure_that_comes_and_goes(repo: Repo, kbisect: Run, seed: int) -> None:
    """It reproduces half of the time."""
    script = numbered(
        repo,
        f"RANDOM=$(( {seed} + n * 40 + KBISECT_ATTEMPT ))\n: $RANDOM\n"
        "[ $n -lt 17 ] || [ $n = 39 ] || (( RANDOM % 2 )) || exit 0",
    )
    found = bisect(kbisect, repo, script)
    assert found["culprit"] == repo.oids[17]
    assert found["confidence"] >= 0.95


def test_a_failure_that_is_everywhere(repo: Repo, kbisect: Run) -> None:
    """No commit from which on it fails: called so, and not blamed on one."""
    script = repo.script(
        "n=$(cat number)\na=$KBISECT_ATTEMPT\n[ $n$a = 391 ] && exit 1; [ $n$a = 01 ] && exit 0\n"
        "RANDOM=$(( n * 40 + a ))\n: $RANDOM; exit $(( RANDOM % 2 ))"
    )
    done = kbisect("-C", repo.path, "bisect", "run", "--json", "--good", repo.oids[0], script)
    found = document(done, code=1)
    assert (found["outcome"], found["culprit"]) == ("no-culprit", None)
    assert "isn't tied" in found["reason"]


def test_suspicion_is_no_filter(repo: Repo, kbisect: Run) -> None:
    found = bisect(kbisect, repo, numbered(repo), "--suspect", "elsewhere")
    assert found["culprit"] == repo.oids[17]
    status = kbisect("-C", repo.path, "bisect", "status", "--why").stdout
    assert "every candidate alike: 39" in status
    refused(
        kbisect(
            *("-C", repo.path, "bisect", "run", "--only", "elsewhere"),
            *("--good", repo.oids[0], repo.script("exit 1", "other.sh")),
        ),
        "no commit of the range changes elsewhere",
    )


def test_which_commit_repaired_it(repo: Repo, kbisect: Run) -> None:
    """--find-fix: the bad end is the older one."""
    script = repo.script("[ $(cat number) -ge 23 ]")
    done = kbisect(
        *("-C", repo.path, "bisect", "run", "--json", "--find-fix"),
        *("--bad", repo.oids[2], "--good", repo.oids[-1], script),
    )
    assert document(done)["culprit"] == repo.oids[23]
    said = kbisect("-C", repo.path, "bisect", "report").stdout
    assert said.startswith(f'{repo.oids[23][:12]} ("commit 23") is the commit that ended it')


# --- git's log, and by hand -----------------------------------------------------------------------


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


def test_a_hundred_short_steps_are_quick(tmp_path: Path, kbisect: Run) -> None:
    """What a step costs beside its script: below a fifth of a second."""
    repo = build(tmp_path / "repo", line(1000))
    script = repo.script("[ $(cat number) -lt 500 ]")
    began = time.monotonic()
    found = bisect(kbisect, repo, script)
    assert found["culprit"] == repo.oids[500]
    assert time.monotonic() - began < 2 + 0.2 * found["builds"]

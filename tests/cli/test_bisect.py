# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect bisect run` on real repositories; git's own bisection is the oracle."""

from __future__ import annotations

import random
import resource
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.cli.repos import Repo, Run, bisect, build, dag, document, line, numbered, refused


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
    conflict = f"revert not tested: conflicts on {repo.oids[39][:12]} (number)"
    assert found["unchecked"] == [conflict]
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
    assert "  revert       not tested: conflicts on" in done.stdout
    assert done.stdout.count("revert") == 1
    assert "\nNext: kbisect " in done.stdout
    assert f"bad  {culprit}" in done.stderr
    assert "1 test done, 39 suspects left, about " in done.stderr
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
    from kbisect.bisect.reach import Reach
    from kbisect.git.repository import Repository
    from kbisect.lab.ranges import candidates_of

    repo = build(tmp_path / "repo", dag(200, seed))
    chance = random.Random(seed)
    for good in (repo.oids[chance.randrange(100)] for _ in range(4)):
        candidates = candidates_of(Repository.open(repo.path), repo.oids[-1], [good])
        reach = Reach.of(candidates.graph)
        size = len(candidates)
        counts = reach.mass(np.ones(size)).round().astype(int).tolist()
        ours = {
            candidates.graph.oids[int(number)]: min(count, size - count)
            for number, count in zip(reach.order, counts, strict=True)
        }
        listed = repo.git("rev-list", "--bisect-all", repo.oids[-1], f"^{good}").splitlines()
        git = {row.split()[0]: int(row.rpartition("dist=")[2].rstrip(")")) for row in listed}
        assert ours == git


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


def test_of_many_suspects_the_oldest_and_the_newest_are_named(repo: Repo, kbisect: Run) -> None:
    script = numbered(repo, "[ $n -ge 5 ] && [ $n -le 35 ] && exit 125")
    done = kbisect("-C", repo.path, "run", "--good", repo.oids[0], "--", script)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "The first bad commit is one of these 32:"
    assert lines[1] == f'  {repo.oids[5][:12]} ("commit 5")'
    assert lines[11] == "  ... 12 more, with --json"
    assert lines[21] == f'  {repo.oids[36][:12]} ("commit 36")'
    report = document(kbisect("-C", repo.path, "bisect", "report", "--json"))
    assert report["suspects"] == repo.oids[5:37]


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
    refused(run("-j2"), "no such option: -j2")
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


def test_a_bad_end_that_passes_now_and_then(repo: Repo, kbisect: Run) -> None:
    """It is run until it fails."""
    script = numbered(repo, "[ $n = 39 ] && [ $KBISECT_ATTEMPT -lt 4 ] && exit 0")
    found = bisect(kbisect, repo, script)
    assert found["culprit"] == repo.oids[17]
    assert found["tests_ends"] == 5
    assert [(run["role"], run["verdict"]) for run in found["ends"][-2:]] == [
        ("bad-end", "good"),
        ("bad-end", "bad"),
    ]


def test_what_only_leaves_is_innocent(tmp_path: Path, kbisect: Run) -> None:
    """Its parent fails too: another commit is the culprit, and it is said that it isn't in PATH."""
    repo = build(tmp_path / "repo", line(30), own_files=True)
    script = repo.script("[ ! -e f17 ]")
    found = bisect(kbisect, repo, script, "--only", "f17")
    assert (found["culprit"], found["reason"]) == (repo.oids[17], None)
    found = bisect(kbisect, repo, script, *(f"--only=f{n}" for n in range(3, 30, 3)))
    assert found["culprit"] == repo.oids[17]
    assert "doesn't change f3 f6" in found["reason"]


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
    run = ("-C", repo.path, "run", "--json", "--good", repo.oids[0], "--suspect")
    done = kbisect(*run, "elsewhere", numbered(repo))
    assert document(done)["culprit"] == repo.oids[17]
    assert "no commit of the range changes elsewhere" in done.stderr
    done = kbisect(*run, "number", repo.script("[ $(cat number) -lt 17 ]", "again.sh"))
    assert "39 commits changing number: suspected first" in done.stderr
    kbisect("-C", repo.path, "bisect", "reset")
    bisect(kbisect, repo, numbered(repo), "--suspect", "elsewhere")
    status = kbisect("-C", repo.path, "bisect", "status", "--why").stdout
    assert "every candidate alike: 39" in status
    refused(
        kbisect(
            *("-C", repo.path, "bisect", "run", "--only", "elsewhere"),
            *("--good", repo.oids[0], repo.script("exit 1", "other.sh")),
        ),
        "no commit of the range changes elsewhere",
    )


def test_a_good_end_that_fails_once(repo: Repo, kbisect: Run) -> None:
    found = bisect(kbisect, repo, numbered(repo, "[ $n$KBISECT_ATTEMPT = 01 ] && exit 1"))
    assert (found["culprit"], found["tests_ends"]) == (repo.oids[17], 3)


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
    swapped = ("--find-fix", "--bad", repo.oids[-1], "--good", repo.oids[2])
    done = kbisect("-C", repo.path, "bisect", "run", *swapped, script)
    refused(done, "with --find-fix the bad end is the older one")
    assert f"--find-fix --bad {repo.oids[2][:12]} --good {repo.oids[-1][:12]}" in done.stderr


def test_what_a_step_costs_beside_its_script(tmp_path: Path, kbisect: Run) -> None:
    """Below a fifth of a second of processor, git and the keeper included."""
    repo = build(tmp_path / "repo", line(1000))
    script = repo.script("[ $(cat number) -lt 500 ]")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = bisect(kbisect, repo, script)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert found["culprit"] == repo.oids[500]
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent < 2 + 0.2 * found["builds"]


@pytest.mark.parametrize("find_fix", [False, True])
def test_a_branch_that_was_so_all_along_is_left_out(
    find_fix: bool, tmp_path: Path, kbisect: Run
) -> None:
    """It began at commit 2, which fails and was repaired by 3; git blames its first commit, 6.

    Where a fix is looked for, the other way round.
    """
    above = [*line(6), [2], *([n] for n in range(6, 35)), [5, 35], *([n] for n in range(36, 40))]
    repo = build(tmp_path / "repo", above)
    fails = "[ $n = 2 ] || { [ $n -ge 6 ] && [ $n -le 35 ]; } || [ $n -ge 39 ]"
    script = repo.script(f"n=$(cat number)\n{'' if find_fix else '!'} {{ {fails}; }}")
    old, new = repo.oids[5], repo.oids[40]
    ends = ["--find-fix", "--bad", old, "--good", new] if find_fix else ["--good", old]
    run = ["-C", repo.path, "run", "--json", *ends]
    done = kbisect(*run, script)
    found = document(done)
    assert (found["outcome"], found["culprit"]) == ("culprit", repo.oids[39])
    assert found["old_branches"] == [repo.oids[2]]
    assert f"branches off from {repo.oids[2][:12]}" in kbisect("-C", repo.path, "report").stdout
    log = kbisect("-C", repo.path, "bisect", "log").stdout
    assert not set(repo.oids[6:36]) & set(log.split())
    assert document(kbisect(*run, "--first-parent", script))["culprit"] == repo.oids[39]

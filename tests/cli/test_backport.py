# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of the stable maintainer, on the branch linux-3.12.y of the fixture."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kbisect.backport.marking import Marker, message
from kbisect.history import index as indexing
from tests.conftest import History, Run, git

BRANCH = "linux-3.12.y"


@pytest.fixture
def trees(nettrees_copy: History) -> History:
    """A copy of the fixture that a test may write to, indexed."""
    indexing.update(nettrees_copy.repository)
    return nettrees_copy


def taken(trees: History, branch: str) -> list[str]:
    """Return the upstream commits that a branch's markers name, oldest first."""
    log = git(trees.path, "log", "--reverse", "--format=%B", f"{BRANCH}..{branch}")
    words = [line.split() for line in log.splitlines() if "commit" in line]
    oids = set(trees.marks.values())
    return [word.strip(").]") for line in words for word in line if word.strip(").]") in oids]


# --- explain ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "verdict", "word"),
    [
        (125, "candidate", "stable"),
        (97, "already there", "marker: commit H upstream"),
        (145, "set aside", "excluded by version"),
        (112, "set aside", "reverted here by"),
        (42, "in base", "grew from it"),
        (105, "already there", "a commit of the branch itself"),
        (152, "no candidate", "no Fixes"),
        (206, "set aside", "only in net"),
    ],
)
def test_explain_says_why_and_why_not(
    nettrees: History, kbisect: Run, mark: int, verdict: str, word: str
) -> None:
    done = kbisect(
        "-C", nettrees.path, "backport", "explain", nettrees.marks[mark], BRANCH, "--json"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == verdict
    text = kbisect("-C", nettrees.path, "backport", "explain", nettrees.marks[mark], BRANCH)
    assert word in text.stdout


def test_explain_names_what_a_clean_pick_would_miss(nettrees: History, kbisect: Run) -> None:
    done = kbisect(
        "-C", nettrees.path, "backport", "explain", nettrees.marks[151], BRANCH, "--json"
    )
    found = json.loads(done.stdout)["candidate"]
    assert found["state"] == "clean"
    assert {"name": "skb_vlan_set", "commit": nettrees.marks[52]} in found["absent"]
    assert nettrees.marks[52] in found["prerequisites"]


# --- matrix and watch -------------------------------------------------------------------------


def test_a_fix_that_an_older_branch_has_and_a_newer_one_lacks_is_an_error(
    trees: History, kbisect: Run
) -> None:
    git(trees.path, "branch", "newer", "v3.12")
    run = ("-C", trees.path, "backport", "matrix", BRANCH, "newer", "--json", "--exit-code")
    done = kbisect(*run)
    rows = {row["oid"]: row for row in json.loads(done.stdout)["rows"]}
    assert done.returncode == 1
    assert rows[trees.marks[97]]["cells"] == ["present", "missing"]
    assert rows[trees.marks[97]]["regression"]
    assert rows[trees.marks[120]]["cells"] == ["missing", "missing"]
    assert not rows[trees.marks[120]]["regression"]


def test_watch_tells_what_is_new_since_the_last_look(trees: History, kbisect: Run) -> None:
    run = ("-C", trees.path, "backport", "watch", BRANCH, "--json", "--upstream")
    first = kbisect(*run, "v3.13-rc3")
    assert first.returncode == 0
    assert json.loads(first.stdout)["first"] is True
    assert kbisect(*run, "v3.13-rc3").returncode == 0
    # The name is the same, what it stands for grew.
    git(trees.path, "branch", "upstream", "v3.13-rc3")
    indexing.update(trees.repository)
    assert kbisect(*run, "upstream").returncode == 0
    git(trees.path, "branch", "--force", "upstream", "v3.13-rc4")
    indexing.update(trees.repository)
    later = kbisect(*run, "upstream")
    assert later.returncode == 1
    new = {each["oid"] for each in json.loads(later.stdout)["candidates"]}
    assert trees.marks[143] in new
    assert trees.marks[125] not in new
    assert kbisect(*run, "upstream").returncode == 0


# --- emit -------------------------------------------------------------------------------------


def test_the_mailbox_is_what_git_am_takes_and_the_branch_then_has_it(
    trees: History, kbisect: Run, tmp_path: Path
) -> None:
    env = {"GIT_COMMITTER_NAME": "Zoë Test", "GIT_COMMITTER_EMAIL": "zoe@example.org"}
    done = kbisect(
        "-C",
        trees.path,
        *("backport", "emit", BRANCH, "--format", "mbox", "--marker", "upstream"),
        env=env,
    )
    assert done.returncode == 0, done.stderr
    assert "left out, it conflicts" in done.stderr
    assert "Subject: [PATCH 3.12.y 1/" in done.stdout
    box = tmp_path / "box"
    box.write_text(done.stdout, "utf-8")
    worktree = tmp_path / "worktree"
    git(trees.path, "worktree", "add", "--quiet", "--detach", str(worktree), BRANCH)
    git(worktree, "am", "--quiet", "--keep-cr", str(box))
    count = int(git(worktree, "rev-list", "--count", f"{BRANCH}..HEAD"))
    assert count == done.stdout.count("\nSubject: [PATCH 3.12.y")
    assert "Signed-off-by: Zoë Test <zoe@example.org>" in git(worktree, "log", "-1")
    dates = set(git(worktree, "log", "--format=%ad", f"{BRANCH}..HEAD").splitlines())
    written = git(trees.path, "log", "--branches", "--format=%ad").splitlines()
    assert dates <= set(written)
    git(worktree, "branch", "fixed")
    indexing.update(trees.repository)
    again = kbisect("-C", trees.path, "backport", "list", "fixed", "--json")
    left = {each["oid"] for each in json.loads(again.stdout)["candidates"]}
    assert trees.marks[125] not in left
    assert trees.marks[120] in left


def test_the_script_picks_in_order_and_never_what_is_weak(nettrees: History, kbisect: Run) -> None:
    done = kbisect("-C", nettrees.path, "backport", "emit", BRANCH)
    picks = [
        line.split()[-1] for line in done.stdout.splitlines() if line.startswith("git cherry-pick")
    ]
    order = git(nettrees.path, "rev-list", "--reverse", "--topo-order", "master").split()
    assert picks.index(nettrees.marks[125]) < picks.index(nettrees.marks[157])
    assert set(picks) <= set(order)
    assert nettrees.marks[144] not in picks
    named = kbisect("-C", nettrees.path, "backport", "emit", BRANCH, nettrees.marks[144])
    assert nettrees.marks[144] in named.stdout
    assert subprocess.run(["sh", "-n"], input=done.stdout, text=True, check=False).returncode == 0


def test_what_is_no_candidate_is_not_emitted(nettrees: History, kbisect: Run) -> None:
    done = kbisect("-C", nettrees.path, "backport", "emit", BRANCH, nettrees.marks[145])
    assert done.returncode == 2
    assert done.stdout == ""
    assert "is no candidate here" in done.stderr


# --- pick -------------------------------------------------------------------------------------


def objects_of(trees: History) -> set[str]:
    asked = ("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(git(trees.path, *asked).split())


def test_what_was_killed_behind_its_end_is_only_cleared_up(trees: History, kbisect: Run) -> None:
    pick = ("-C", trees.path, "backport", "pick", "--branch", "fixes")
    wanted = [trees.marks[mark] for mark in (119, 120)]
    assert kbisect(*pick, BRANCH, *wanted).returncode == 1
    state = trees.repository.store / "backport" / "pick-fixes.json"
    left = json.loads(state.read_text()) | {"todo": [], "stopped": False}
    state.write_text(json.dumps(left))
    git(trees.path, "branch", "fixes", BRANCH)
    assert kbisect(*pick, "--continue").returncode == 2, "another's branch isn't ours"
    state.write_text(json.dumps(left | {"tip": left["start"]}))
    assert kbisect(*pick, "--continue").returncode == 0
    assert not state.exists()


def test_pick_makes_a_branch_and_leaves_the_checkout_alone(trees: History, kbisect: Run) -> None:
    def checkout() -> tuple[str, str]:
        return git(trees.path, "rev-parse", "HEAD"), git(trees.path, "status", "--porcelain")

    before, had = checkout(), objects_of(trees)
    wanted = [trees.marks[mark] for mark in (114, 125, 157)]
    done = kbisect("-C", trees.path, "backport", "pick", BRANCH, *wanted, "--branch", "fixes")
    assert done.returncode == 0, done.stderr
    assert taken(trees, "fixes") == wanted
    assert (
        git(trees.path, "rev-parse", "HEAD"),
        git(trees.path, "status", "--porcelain"),
    ) == before
    assert git(trees.path, "fsck", "--no-dangling", "--connectivity-only", "fixes") == ""
    new = git(trees.path, "rev-list", "--objects", "--no-object-names", "fixes", f"^{BRANCH}")
    assert objects_of(trees) - had <= set(new.split()), "nothing comes along"
    author = git(trees.path, "log", "-1", "--format=%an %ad", "fixes")
    assert author == git(trees.path, "log", "-1", "--format=%an %ad", wanted[-1])


@pytest.mark.parametrize("commits", [True, False], ids=["committed", "added"])
def test_pick_stops_at_a_conflict_and_goes_on(trees: History, kbisect: Run, commits: bool) -> None:
    wanted = [trees.marks[mark] for mark in (119, 120, 122)]
    pick = ("-C", trees.path, "backport", "pick", "--branch", "fixes")
    done = kbisect(*pick, BRANCH, *wanted, "--marker", "bracket", "--signoff", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["todo"] == wanted[1:]
    worktree = Path(found["worktree"])
    assert found["conflicts"] == ["net/core/dev.c"]
    assert git(worktree, "diff", "--name-only", "--diff-filter=U").split() == ["net/core/dev.c"]
    early = kbisect(*pick, "--continue")
    assert early.returncode == 2
    assert "not resolved yet" in early.stderr
    git(worktree, "checkout", "--theirs", "net/core/dev.c")
    git(worktree, "add", "net/core/dev.c")
    if commits:
        git(worktree, "-c", "core.editor=true", "cherry-pick", "--continue")
    assert kbisect(*pick, "--continue").returncode == 0
    assert taken(trees, "fixes") == wanted
    assert not worktree.exists()
    bodies = git(trees.path, "log", "--reverse", "--format=%b%x00", f"{BRANCH}..fixes").split("\0")
    for body, oid in zip(bodies, wanted, strict=False):
        assert body.strip().startswith(f"[ Upstream commit {oid} ]")
        assert body.strip().splitlines()[-1].startswith("Signed-off-by: ")
        assert "onflict" not in body


@pytest.mark.parametrize(
    ("texts", "head"),
    [
        (["[ upstream commit 1 ]", "[ Upstream commit 2 ]", "[ upstream commit 3 ]"], "[ up"),
        (["[ Upstream commit 1 ]", "[ Upstream commit 2 ]", "commit 3 upstream."], "[ Up"),
        (["Commit 1 upstream", "commit 2 upstream.", "[ commit 3 upstream ]"], "commit 99 up"),
    ],
)
def test_auto_marks_as_the_branch_does(texts: list[str], head: str) -> None:
    words = message("net: a subject\n\nbody\n", "99", Marker.of(texts))
    assert words.startswith(f"net: a subject\n\n{head}")


def test_pick_can_leave_out_what_conflicts(trees: History, kbisect: Run) -> None:
    wanted = [trees.marks[mark] for mark in (119, 120, 122)]
    pick = ("-C", trees.path, "backport", "pick", "--branch", "fixes")
    assert kbisect(*pick, BRANCH, *wanted).returncode == 1
    assert kbisect(*pick, "--skip").returncode == 0
    assert taken(trees, "fixes") == [wanted[0], wanted[2]]


@pytest.mark.parametrize("count", [1, 3])
def test_a_pick_that_was_killed_can_be_gone_on_with(
    trees: History, kbisect: Run, count: int
) -> None:
    store = trees.repository.store
    command = [sys.executable, "-m", "kbisect", "-C", str(trees.path), "backport", "pick"]
    whole = [*command, BRANCH, "--branch", "fixes"]
    head = git(trees.path, "rev-parse", "HEAD")
    state = store / "backport" / "pick-fixes.json"
    process = subprocess.Popen(whole, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if state.exists() and len(json.loads(state.read_text())["picked"]) >= count:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.001)
    process.wait()
    assert git(trees.path, "rev-parse", "HEAD") == head
    pick = ("-C", trees.path, "backport", "pick", "--branch", "fixes")
    done = kbisect(*pick, "--continue")
    # Stopped at a conflict, or killed while it waited for somebody.
    while done.returncode == 1 or "not resolved yet" in done.stderr:
        done = kbisect(*pick, "--skip")
    assert done.returncode == 0, done.stderr
    assert git(trees.path, "rev-parse", "HEAD") == head
    found = taken(trees, "fixes")
    assert len(found) == len(set(found))
    assert trees.marks[125] in found
    assert trees.marks[122] in found


def test_what_was_begun_can_be_dropped_damaged_or_not(trees: History, kbisect: Run) -> None:
    pick = ("-C", trees.path, "backport", "pick", "--branch", "fixes")
    state = trees.repository.store / "backport" / "pick-fixes.json"
    for damage in (None, "{"):
        assert kbisect(*pick, BRANCH, trees.marks[120]).returncode == 1
        if damage:
            state.write_text(damage)
        done = kbisect(*pick, "--abort", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "schema": "kbisect.backport-pick/1",
            "name": "fixes",
            "aborted": True,
        }
        assert not state.exists()
    done = kbisect(*pick, "--abort")
    assert done.returncode == 2
    assert "fixes hasn't been begun" in done.stderr


def test_branches_of_like_names_are_made_apart(trees: History, kbisect: Run) -> None:
    pick = ("-C", trees.path, "backport", "pick", "--branch")
    for name in ("my/fixes", "my-fixes"):
        assert kbisect(*pick, name, BRANCH, trees.marks[120]).returncode == 1
    for name in ("my/fixes", "my-fixes"):
        assert kbisect(*pick, name, "--skip").returncode == 0


def test_an_existing_branch_is_never_overwritten(trees: History, kbisect: Run) -> None:
    done = kbisect("-C", trees.path, "backport", "pick", BRANCH, "--branch", "master")
    assert done.returncode == 2
    assert "there is a branch master already" in done.stderr


# --- what the user says -----------------------------------------------------------------------


def test_the_ignore_file_sets_aside_with_its_reason_until_it_runs_out(
    nettrees: History, kbisect: Run, tmp_path: Path
) -> None:
    file = tmp_path / "ignore"
    file.write_text(
        f"# ours\n{nettrees.marks[122][:12]} our tables are longer\n"
        f"{nettrees.marks[125]} until 2001-01-31 over\n"
    )
    done = kbisect("-C", nettrees.path, "backport", "list", BRANCH, "--ignore", file, "--json")
    found = json.loads(done.stdout)
    listed = {each["oid"] for each in found["candidates"]}
    aside = {each["oid"]: each for each in found["excluded"]}
    assert nettrees.marks[122] not in listed
    assert aside[nettrees.marks[122]]["standing"] == "ignored"
    assert aside[nettrees.marks[122]]["why"] == "our tables are longer"
    assert nettrees.marks[125] in listed


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nothex because", "ignore:2: nothex is not a commit's id"),
        ("0123456789ab", "ignore:2: 0123456789ab has no reason"),
        ("0123456789ab until tomorrow because", "ignore:2: tomorrow is not a date"),
    ],
)
def test_an_ignore_file_with_errors_names_line_and_reason(
    nettrees: History, kbisect: Run, tmp_path: Path, line: str, says: str
) -> None:
    file = tmp_path / "ignore"
    file.write_text(f"\n{line}\n")
    done = kbisect("-C", nettrees.path, "backport", "list", BRANCH, "--ignore", file)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr


def test_what_a_build_did_not_compile_is_set_aside(
    nettrees: History, kbisect: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "net" / "bluetooth"
    folder.mkdir(parents=True)
    (folder / ".hci_core.o.cmd").write_text(
        "savedcmd_net/bluetooth/hci_core.o := gcc -c -o net/bluetooth/hci_core.o\n"
        "source_net/bluetooth/hci_core.o := net/bluetooth/hci_core.c\n"
        "deps_net/bluetooth/hci_core.o := \\\n  include/linux/skbuff.h \\\n"
    )
    done = kbisect("-C", nettrees.path, "backport", "list", BRANCH, "--built", tmp_path, "--json")
    found = json.loads(done.stdout)
    listed = {each["oid"] for each in found["candidates"]}
    aside = {each["oid"] for each in found["excluded"] if each["standing"] == "not built here"}
    assert nettrees.marks[125] in listed
    assert nettrees.marks[122] in aside


def test_a_cve_makes_its_fix_a_candidate(nettrees: History, kbisect: Run, tmp_path: Path) -> None:
    year = tmp_path / "cve" / "published" / "2024"
    year.mkdir(parents=True)
    (year / "CVE-2024-00001.sha1").write_text(f"{nettrees.marks[152]}\n")
    record = {
        "containers": {
            "cna": {
                "affected": [
                    {"versions": [{"versionType": "git", "lessThan": nettrees.marks[122]}]}
                ]
            }
        }
    }
    (year / "CVE-2024-00002.json").write_text(json.dumps(record))
    done = kbisect("-C", nettrees.path, "backport", "list", BRANCH, "--cve", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    found = {each["oid"]: each for each in json.loads(done.stdout)["candidates"]}
    for mark, cve in ((152, "CVE-2024-00001"), (122, "CVE-2024-00002")):
        reasons = found[nettrees.marks[mark]]["reasons"]
        assert [r["text"] for r in reasons if r["kind"] == "named"] == [cve]


def test_a_merge_among_the_named_is_an_error(
    nettrees: History, kbisect: Run, tmp_path: Path
) -> None:
    merge = git(nettrees.path, "rev-list", "--merges", "-1", "master").strip()
    file = tmp_path / "wanted"
    file.write_text(f"{merge} please\n")
    done = kbisect("-C", nettrees.path, "backport", "list", BRANCH, "--commits", file)
    assert done.returncode == 2
    assert "is a merge" in done.stderr


def test_branches_without_common_history_are_an_error(trees: History, kbisect: Run) -> None:
    tree = git(trees.path, "rev-parse", "master^{tree}").strip()
    root = git(trees.path, "commit-tree", "-m", "elsewhere", tree).strip()
    git(trees.path, "branch", "island", root)
    indexing.update(trees.repository)
    done = kbisect("-C", trees.path, "backport", "list", "island")
    assert done.returncode == 2
    assert "no common history" in done.stderr
    assert done.stdout == ""


def test_what_is_set_aside_is_counted_and_shown_by_all(nettrees: History, kbisect: Run) -> None:
    short = kbisect("-C", nettrees.path, "backport", "list", BRANCH).stdout
    assert "5  unaffected" in short
    assert nettrees.marks[145][:12] not in short
    whole = kbisect("-C", nettrees.path, "backport", "list", BRANCH, "--all").stdout
    assert nettrees.marks[145][:12] in whole
    assert "prose" not in whole or nettrees.marks[144][:12] in whole

# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect lab step` and recipes in a campaign, on repositories of numbered commits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.repos import Repo, Run, document, numbered, refused


def recipe(repo: Repo, text: str) -> Path:
    path = repo.path.parent / "recipe.toml"
    path.write_text(text)
    return path


STAGED = """
[build]
run = '''
n=$(cat number)
echo built >> $KBISECT_BUILD/../../builds.log
[ $n -lt 24 ] || [ $n -gt 27 ] || { echo "error: no such member"; exit 2; }
cp number $KBISECT_BUILD/image
'''
image = "image"
[test]
run = "[ $(cat $KBISECT_BUILD/image) -lt 17 ]"
"""


def test_one_step_is_what_git_bisect_understands(repo: Repo, kbisect: Run) -> None:
    script = numbered(repo, "[ $n = 20 ] && exit 125; [ $n = 21 ] && kill -9 $$")
    codes = {3: 0, 17: 1, 20: 125, 21: 128}
    for number, code in codes.items():
        done = kbisect("-C", repo.path, "lab", "step", repo.oids[number], script)
        assert done.returncode == code, done.stderr
    repo.git("bisect", "start", repo.oids[19], repo.oids[0])
    python = Path(subprocess.sys.executable)  # type: ignore[attr-defined]
    said = repo.git(
        "bisect", "run", str(python), "-m", "kbisect", "lab", "step", "HEAD", str(script)
    )
    assert f"{repo.oids[17]} is the first bad commit" in said


def test_what_a_step_says(repo: Repo, kbisect: Run) -> None:
    """Each stage's command line can be pasted, and does the same again."""
    step = ["-C", repo.path, "lab", "step", repo.oids[30], "--recipe", recipe(repo, STAGED)]
    found = document(kbisect(*step, "--json"), 1)
    assert found["schema"] == "kbisect.lab-step/1"
    assert (found["verdict"], found["cause"], found["exit_code"]) == ("bad", "test", 1)
    assert [stage["stage"] for stage in found["stages"]] == ["build", "test"]
    test = found["stages"][1]
    assert (Path(found["folder"]) / test["output"]).exists()
    again = subprocess.run(["sh", "-c", test["command"]], cwd=test["directory"], check=False)
    assert again.returncode == 1
    said = kbisect(*step).stdout
    assert "build  built already\n" in said
    assert test["command"] in said
    assert (repo.path / ".git" / "kbisect" / "builds.log").read_text() == "built\n"


def test_a_build_that_fails_is_no_verdict(repo: Repo, kbisect: Run) -> None:
    step = ["-C", repo.path, "lab", "step", repo.oids[25], "--recipe", recipe(repo, STAGED)]
    found = document(kbisect(*step, "--json"), 125)
    assert (found["verdict"], found["cause"], found["stage"]) == ("skip", "build", "build")
    assert "no such member" in (Path(found["folder"]) / "build.txt").read_text()


def test_a_stage_alone(repo: Repo, kbisect: Run) -> None:
    """An old console is parsed again without a boot."""
    ktap = "KTAP version 1\\n1..2\\nok 1 first\\nnot ok 2 second\\n"
    path = recipe(
        repo, f"[test]\nrun = \"printf '{ktap}' > $KBISECT_CONSOLE\"\n[parse]\nformat = 'ktap'\n"
    )
    step = ["-C", repo.path, "lab", "step", repo.oids[3], "--recipe", path, "--json"]
    assert document(kbisect(*step, "--stage", "test"), 0)["verdict"] == "good"
    parsed = document(kbisect(*step, "--stage", "parse"), 1)
    assert (parsed["verdict"], parsed["stages"]) == ("bad", [])
    refused(kbisect(*step, "--stage", "boot"), "no stage boot")


def test_a_recipe_in_a_campaign(repo: Repo, kbisect: Run) -> None:
    """A commit is built once, however often it is tested; one that doesn't build is skipped."""
    run = ["-C", repo.path, "run", "--json", "--good", repo.oids[0]]
    found = document(kbisect(*run, "--recipe", recipe(repo, STAGED)))
    assert found["culprit"] == repo.oids[17]
    events = [json.loads(row) for row in Path(found["journal"]).read_text().splitlines()]
    runs = [event for event in events if event["event"] == "tested"]
    for event in runs:
        number = repo.oids.index(event["oid"])
        assert (event["cause"] == "build") == (24 <= number <= 27)
    assert all(event["image"] for event in runs if event["cause"] != "build")


def test_the_recipe_builds_and_the_script_tests(repo: Repo, kbisect: Run) -> None:
    path = recipe(repo, '[build]\nrun = "cp number $KBISECT_BUILD/image"\n')
    script = repo.script('[ "$(cat $KBISECT_BUILD/image)" -lt 23 ]')
    run = ["-C", repo.path, "run", "--json", "--good", repo.oids[0], "--recipe", path]
    assert document(kbisect(*run, script))["culprit"] == repo.oids[23]


def test_the_same_binary_is_not_tested_again(repo: Repo, kbisect: Run, tmp_path: Path) -> None:
    """Ten commits in a row build the same; of those not built yet only the first is tested."""
    path = recipe(
        repo,
        f"[build]\nrun = 'echo >> {tmp_path}/builds; "
        "echo $(( $(cat number) / 10 )) > $KBISECT_BUILD/image'\nimage = 'image'\n"
        f"[test]\nrun = 'echo >> {tmp_path}/tests; [ $(cat $KBISECT_BUILD/image) -lt 2 ]'\n",
    )
    found = document(
        kbisect("-C", repo.path, "run", "--json", "--good", repo.oids[0], "--recipe", path)
    )
    assert found["culprit"] == repo.oids[20]
    runs = found["tests"] + found["tests_ends"] + found["tests_confirm"]
    assert len((tmp_path / "tests").read_text().splitlines()) == runs
    events = [json.loads(row) for row in Path(found["journal"]).read_text().splitlines()]
    same = [event for event in events if event["event"] == "same"]
    assert found["builds"] == len((tmp_path / "builds").read_text().splitlines())
    assert found["builds"] <= runs + len(same)
    assert same
    for event in same:
        one, other = (repo.oids.index(event[key]) for key in ("oid", "other"))
        assert one // 10 == other // 10


def test_fixups_are_applied_in_their_range_and_taken_back(repo: Repo, kbisect: Run) -> None:
    """Commits 10 to 19 need a file to build; the user's repository never sees it."""
    patch = repo.path.parent / "fix.patch"
    patch.write_text("--- /dev/null\n+++ b/needed\n@@ -0,0 +1 @@\n+here\n")
    path = recipe(
        repo,
        "[build]\nrun = '''n=$(cat number)\n"
        "if [ $n -ge 10 ] && [ $n -lt 20 ]; then [ -e needed ]; else [ ! -e needed ]; fi'''\n"
        "[test]\nrun = '[ $(cat number) -lt 17 ]'\n"
        f"[[fixup]]\npatch = 'fix.patch'\nsince = '{repo.oids[10]}'\nuntil = '{repo.oids[20]}'\n",
    )
    found = document(
        kbisect("-C", repo.path, "run", "--json", "--good", repo.oids[0], "--recipe", path)
    )
    assert (found["culprit"], found["skips"]) == (repo.oids[17], 0)


def test_a_fixup_that_does_not_apply_is_no_verdict(repo: Repo, kbisect: Run) -> None:
    (repo.path.parent / "fix.patch").write_text(
        "--- a/number\n+++ b/number\n@@ -1 +1 @@\n-never\n+there\n"
    )
    path = recipe(repo, "[test]\nrun = 'exit 1'\n[[fixup]]\npatch = 'fix.patch'\n")
    found = document(
        kbisect("-C", repo.path, "lab", "step", "--json", "HEAD", "--recipe", path), 125
    )
    assert (found["verdict"], found["cause"]) == ("skip", "build")


def test_configuration_that_did_not_come_out_is_logged(repo: Repo, kbisect: Run) -> None:
    (repo.path.parent / "net.config").write_text(
        "CONFIG_NET=y\nCONFIG_VETH=y\n# CONFIG_X is not set\n"
    )
    path = recipe(
        repo,
        "[config]\nrun = 'echo CONFIG_NET=y > $KBISECT_BUILD/.config'\nwanted = 'net.config'\n"
        "[test]\nrun = 'true'\n",
    )
    found = document(kbisect("-C", repo.path, "lab", "step", "--json", "HEAD", "--recipe", path))
    drift = (Path(found["folder"]) / "config-drift.txt").read_text()
    assert drift == "CONFIG_VETH: wanted y, got n\n"


@pytest.mark.parametrize("arch", ["x86_64", "arm64"])
def test_qemu_s_command_line(repo: Repo, kbisect: Run, arch: str) -> None:
    done = kbisect(
        *("-C", repo.path, "lab", "qemu", "--json", "--accel", "tcg", "--arch", arch),
        *("--kernel", "bzImage", "--initrd", "root", "--append", "quiet"),
    )
    found = document(done)
    assert found["schema"] == "kbisect.lab-qemu/1"
    words = found["command"]
    assert words[:3] == ["setpriv", "--pdeathsig", "KILL"]
    assert "-no-reboot" in words
    assert words[words.index("-nic") + 1] == "none"
    line = words[words.index("-append") + 1]
    console = {"x86_64": "ttyS0", "arm64": "ttyAMA0"}[arch]
    assert line == f"console={console} panic=-1 oops=panic kbisect.mark={found['mark']} quiet"
    assert "virtserialport,chardev=status,name=org.kbisect.status" in words


def test_a_hang_is_hunted_by_plain_git_bisect(repo: Repo, kbisect: Run) -> None:
    """By itself a step can't know that it is the hang that is hunted; it says how to tell it."""
    script = numbered(repo, "[ $n -lt 17 ] || sleep 100")
    step = ["lab", "step", "--timeout", "0.5"]
    done = kbisect("-C", repo.path, *step, repo.oids[30], script)
    assert done.returncode == 125
    assert "\nTo call this bad: --signature hang\n" in done.stdout
    hunt = [*step, "--signature", "hang"]
    done = kbisect("-C", repo.path, *hunt, repo.oids[30], script)
    assert done.returncode == 1
    assert "To call this bad" not in done.stdout
    repo.git("bisect", "start", repo.oids[19], repo.oids[14])
    said = repo.git("bisect", "run", sys.executable, "-m", "kbisect", *hunt, "HEAD", str(script))
    assert f"{repo.oids[17]} is the first bad commit" in said


def test_a_signature_of_a_step(repo: Repo, kbisect: Run) -> None:
    oops = "BUG: kernel NULL pointer dereference, address: 0\\nRIP: 0010:netlab_xmit+0x1/0x2\\n"
    script = numbered(repo, f"printf '{oops}' >> $KBISECT_CONSOLE; exit 255")
    step = ["-C", repo.path, "lab", "step", repo.oids[30]]
    done = kbisect(*step, script)
    assert done.returncode == 125
    wanted = "--signature 'NULL dereference in netlab_xmit'"
    assert f"To call this bad: {wanted}\n" in done.stdout
    codes = {
        "NULL dereference in netlab_xmit": 1,
        "NULL dereference in other": 125,
        "exit 255": 125,
    }
    for signature, code in codes.items():
        assert kbisect(*step, "--signature", signature, script).returncode == code
    refused(kbisect(*step, "--signature", "it breaks", script), "is no signature")

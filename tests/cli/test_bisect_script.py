# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract between a bisection and its script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.repos import Repo, Run, bisect, document, numbered, refused


def test_another_failure_than_the_bad_end_is_not_bad(repo: Repo, kbisect: Run) -> None:
    """git would stop at commit 8, which fails for another reason."""
    script = numbered(repo, "[ $n -ge 8 ] && [ $n -le 11 ] && exit 2")
    found = bisect(kbisect, repo, script)
    assert found["culprit"] == repo.oids[17]
    events = Path(found["journal"]).read_text()
    assert '"verdict": "skip", "cause": "other-failure", "exit_code": 2' in events


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

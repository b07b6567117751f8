# SPDX-License-Identifier: GPL-2.0-or-later
"""A command ends within its limits, and nothing it started outlives it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kbisect.lab import limits

ENV = {"PATH": os.environ["PATH"]}


def script(where: Path, text: str) -> list[str]:
    path = where / "script"
    path.write_text("#!/bin/bash\n" + text)
    path.chmod(0o755)
    return [str(path)]


def run(where: Path, text: str, timeout: float | None = None, **more: Any) -> limits.Ended:
    return limits.run(
        script(where, text), cwd=where, env=ENV, output=where / "output", timeout=timeout, **more
    )


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("text", "code"),
    [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137), ("kill -SEGV $$", 139)],
)
def test_exit_codes_are_the_shell_own(tmp_path: Path, text: str, code: int) -> None:
    assert run(tmp_path, text).exit_code == code


def test_output_of_both_streams_is_kept(tmp_path: Path) -> None:
    run(tmp_path, "echo out; echo err >&2; read nothing; echo $?")
    assert (tmp_path / "output").read_text() == "out\nerr\n1\n"


def test_the_limit_kills_what_ignores_term_and_its_descendants(tmp_path: Path) -> None:
    """Grandchildren in their own sessions too, and one that daemonised."""
    began = time.monotonic()
    ended = run(
        tmp_path,
        "trap '' TERM INT HUP\n"
        "(trap '' TERM; echo $BASHPID >> pids; while :; do sleep 1000; done) &\n"
        "setsid bash -c 'trap \"\" TERM; echo $$ >> pids; sleep 1000; sleep 1000' &\n"
        "setsid bash -c '(sleep 1000 & echo $! >> pids) &' \n"
        "echo $$ >> pids\n"
        "while :; do sleep 1000; done\n",
        timeout=0.7,
    )
    assert ended.timed_out
    assert ended.exit_code is None
    assert time.monotonic() - began < 0.7 + limits.GRACE + 2
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 4
    assert not any(alive(pid) for pid in pids)


def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    ended = run(tmp_path, "setsid sleep 1000 >/dev/null 2>&1 & echo $! > pids; exit 1")
    assert ended.exit_code == 1
    assert ended.seconds < 5
    assert not alive(int((tmp_path / "pids").read_text()))


def test_a_command_that_heeds_term_may_clean_up(tmp_path: Path) -> None:
    run(tmp_path, "trap 'touch cleaned; exit 0' TERM; sleep 1000 & wait", timeout=0.5)
    assert (tmp_path / "cleaned").exists()


def test_signals_have_their_default_in_the_command(tmp_path: Path) -> None:
    ended = run(tmp_path, "kill -TERM $$; exit 0")
    assert ended.exit_code == 128 + signal.SIGTERM


def test_nothing_outlives_a_kill_of_kbisect(tmp_path: Path) -> None:
    command = script(tmp_path, "trap '' TERM; echo $$ > pids; sleep 1000 & echo $! >> pids; wait")
    code = (
        "from pathlib import Path; from kbisect.lab import limits; import os\n"
        f"limits.run({command!r}, cwd=Path({str(tmp_path)!r}), env=dict(os.environ),"
        f" output=Path({str(tmp_path / 'output')!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    until = time.monotonic() + 20
    pids = tmp_path / "pids"
    while time.monotonic() < until and not (
        pids.exists() and len(pids.read_text().splitlines()) == 2
    ):
        time.sleep(0.02)
    process.kill()
    process.wait()
    while time.monotonic() < until and any(alive(int(p)) for p in pids.read_text().split()):
        time.sleep(0.02)
    assert not any(alive(int(pid)) for pid in pids.read_text().split())


def test_a_command_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(limits.CouldNotRun, match="No such file"):
        limits.run([str(tmp_path / "absent")], cwd=tmp_path, env=ENV, output=tmp_path / "output")


def test_of_endless_output_the_head_and_the_tail_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEAD", 1 << 16)
    monkeypatch.setattr(limits, "TAIL", 1 << 16)
    ended = run(tmp_path, "echo first; yes | head -c 50000000; echo; echo last")
    kept = (tmp_path / "output").read_text()
    assert ended.exit_code == 0
    assert ended.left_out == 50_000_000 + len("first\n\nlast\n") - 2 * (1 << 16)
    assert kept.startswith("first\ny\n")
    assert kept.endswith("\ny\n\nlast\n")
    assert f"[kbisect: {ended.left_out} bytes left out here]" in kept
    assert len(kept) < 3 * (1 << 16)


def test_silence_is_a_limit_of_its_own(tmp_path: Path) -> None:
    """Broken by output, and by a console that grows."""
    text = "for i in 1 2 3 4; do sleep 0.3; echo $i; done; sleep 60"
    ended = run(tmp_path, text, quiet=0.8)
    assert ended.why is limits.Why.QUIET
    assert ended.timed_out
    assert 2 <= ended.seconds < 2 + 2
    text = "for i in 1 2 3 4; do sleep 0.3; echo $i >> console; done"
    assert run(tmp_path, text, quiet=0.8, watched=[tmp_path / "console"]).exit_code == 0


def test_a_console_without_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FLOOD", 1 << 20)
    ended = run(tmp_path, "exec yes > console", watched=[tmp_path / "console"])
    assert ended.why is limits.Why.FLOOD


def test_one_that_is_not_wanted_any_more(tmp_path: Path) -> None:
    asked = time.monotonic() + 0.3
    with pytest.raises(limits.Unwanted):
        run(
            tmp_path,
            "trap '' TERM; sleep 1000 & echo $! > pids; wait; wait",
            unwanted=lambda: time.monotonic() > asked,
        )
    assert time.monotonic() - asked < 1
    assert not alive(int((tmp_path / "pids").read_text()))


def test_one_that_has_shown_enough_is_asked_to_end(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        "trap 'echo bye; exit 0' TERM; echo seen > shown; sleep 1000 & wait",
        seen=(tmp_path / "shown").exists,
    )
    assert ended.why is limits.Why.STOPPED
    assert not ended.timed_out
    assert (tmp_path / "output").read_text() == "bye\n"


def test_an_interrupted_kbisect_says_nothing_of_its_keeper(tmp_path: Path) -> None:
    """Seen: the traceback of a keeper whose answer nobody read, after the last word."""
    code = (
        "from pathlib import Path; from kbisect.lab import limits; import os\n"
        "limits.run(['sleep', '60'], cwd=Path('/'), env=dict(os.environ),"
        f" output=Path({str(tmp_path / 'output')!r}), unwanted=lambda: True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"BrokenPipe" not in done.stderr
    assert done.stderr.count(b"Traceback") == 1  # ours, of Unwanted

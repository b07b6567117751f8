# SPDX-License-Identifier: GPL-2.0-or-later
"""Every shape in which a guest fails, under real QEMU: verdict, cause, limits, nothing left."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from kbisect.bisect.verdict import Cause, Verdict
from kbisect.git.repository import Repository
from kbisect.lab import limits, single
from kbisect.lab import recipe as recipes
from kbisect.lab.single import Single
from tests.cli.repos import build, line
from tests.conftest import FIXTURES

CONSOLES = FIXTURES / "consoles"
pytestmark = [pytest.mark.qemu, pytest.mark.xdist_group("qemu")]


@pytest.fixture(scope="module")
def initramfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("guest") / "initramfs"
    subprocess.run([CONSOLES / "pack.sh", path], check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository.open(build(tmp_path_factory.mktemp("shapes") / "repo", line(2)).path)


def boot(repository: Repository, initramfs: Path, shape: str, more: str = "") -> Single:
    kernel = next(Path(os.environ["KBISECT_CACHE"], "kernel", "current", "boot").glob("vmlinuz-*"))
    recipe = repository.store.parent.parent / f"{shape}.toml"
    words = more if "append" in more else f'append = "quiet shape={shape}"\n{more}'
    recipe.write_text(
        f'[boot]\nkernel = "{kernel}"\ninitrd = "{initramfs}"\nmemory = "192M"\n{words}\n'
    )
    began = time.monotonic()
    done = single.run(repository, repository.resolve("HEAD"), recipes.load(recipe))
    assert done.seconds < time.monotonic() - began + 2
    running = subprocess.run(["pgrep", "-af", "qemu-system"], capture_output=True, check=False)
    assert str(repository.store).encode() not in running.stdout
    return done


def test_a_guest_that_passes_and_one_that_fails(repository: Repository, initramfs: Path) -> None:
    """By the virtio port; the console of the first claims nothing."""
    passed = boot(repository, initramfs, "pass")
    assert (passed.verdict, passed.cause) == (Verdict.GOOD, Cause.TEST)
    said = (passed.folder / "out" / "guest-status.txt").read_text()
    assert said == "started\nstatus 0\nended 0\n"
    failed = boot(repository, initramfs, "fail")
    assert (failed.verdict, failed.seen.exit_code, failed.seen.stage) == (Verdict.BAD, 1, "test")


def test_a_marked_line_where_there_is_no_driver(repository: Repository, initramfs: Path) -> None:
    """A line with another mark, which anything could print, is passed over."""
    done = boot(repository, initramfs, "marked")
    assert "kbisect-status 0000 0" in (done.folder / "console.txt").read_text()
    assert (done.verdict, done.seen.exit_code) == (Verdict.BAD, 1)


def test_a_panic_at_boot(repository: Repository, initramfs: Path) -> None:
    done = boot(repository, initramfs, "boot", 'append = "quiet rdinit=/nowhere"')
    assert (done.verdict, done.cause) == (Verdict.SKIP, Cause.BOOT)
    assert done.seen.crash == "panic in VFS: Unable to mount root fs on unknown-block(N,N)"


def test_a_panic_in_the_test(repository: Repository, initramfs: Path) -> None:
    done = boot(repository, initramfs, "sysrq-panic")
    assert (done.verdict, done.cause) == (Verdict.SKIP, Cause.OTHER_CRASH)
    assert done.seen.crash == "panic in sysrq triggered crash"
    assert done.seen.stage == "test"


def test_what_is_hunted_makes_it_bad(repository: Repository, initramfs: Path) -> None:
    """A warning too, which leaves the guest alive."""
    more = '[signature]\ncrash = "WARNING in breaker_warn"'
    done = boot(repository, initramfs, "warn", f'append = "loglevel=5 shape=warn"\n{more}')
    assert (done.verdict, done.seen.crash) == (Verdict.BAD, "WARNING in breaker_warn")


def test_a_hang_in_the_test(repository: Repository, initramfs: Path) -> None:
    done = boot(repository, initramfs, "hang", "timeout = 25")
    assert (done.verdict, done.cause, done.seen.stage) == (Verdict.SKIP, Cause.TIMEOUT, "test")
    assert done.seconds < 25 + 2
    # What the one that runs QEMU writes is here, so that its death leaves nothing elsewhere.
    assert (done.folder / "out" / "qemu.log").is_file()


def test_a_silent_boot(repository: Repository, initramfs: Path) -> None:
    more = 'append = "quiet initcall_blacklist=x rdinit=/bin/busybox -- sleep 1000"\nquiet = 9'
    done = boot(repository, initramfs, "silent", more)
    assert (done.verdict, done.cause) == (Verdict.SKIP, Cause.BOOT)
    assert done.stages[0].why == "quiet"


def test_endless_output(
    repository: Repository, initramfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FLOOD", 1 << 20)
    done = boot(repository, initramfs, "endless", "timeout = 60")
    assert (done.verdict, done.cause) == (Verdict.SKIP, Cause.TIMEOUT)
    assert done.stages[0].why == "flood"


def test_a_reboot_ends_the_guest(repository: Repository, initramfs: Path) -> None:
    done = boot(repository, initramfs, "reboot")
    assert (done.verdict, done.cause) == (Verdict.SKIP, Cause.OTHER_FAILURE)
    assert str(done.seen) == "the guest ended without a report"


def test_what_boots_no_guest_says_nothing_of_the_commit(repository: Repository) -> None:
    """Here it leaves with 4, a status like any other, before there is a guest."""
    done = boot(repository, Path("/nowhere"), "absent")
    assert (done.verdict, done.cause) == (Verdict.SKIP, Cause.INFRASTRUCTURE)
    assert done.exit_code == 128


def test_qemu_that_is_killed_is_the_machine_s_failure(
    repository: Repository, initramfs: Path
) -> None:
    def kill() -> None:
        mark = str(repository.store).encode()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                words = entry.read_bytes() if entry.exists() else b""
                if words.startswith(b"qemu-system") and mark in words:
                    os.kill(int(entry.parent.name), 9)
                    return
            time.sleep(0.1)

    killer = threading.Thread(target=kill)
    killer.start()
    done = boot(repository, initramfs, "hang", "timeout = 40")
    killer.join()
    assert (done.verdict, done.cause) == (Verdict.SKIP, Cause.INFRASTRUCTURE)
    assert done.exit_code == 128

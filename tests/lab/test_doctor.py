# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect doctor` on this machine, and on one where nothing is installed."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kbisect.lab import doctor
from kbisect.lab.doctor import Check, Health

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def by_name(store: Path) -> dict[str, Check]:
    return {check.name: check for check in doctor.examine(store)}


@pytest.mark.qemu
def test_this_machine(kbisect: Run, tmp_path: Path) -> None:
    began = time.monotonic()
    done = kbisect("-C", tmp_path, "doctor", "--json")
    assert done.returncode == 0, done.stdout
    assert time.monotonic() - began < 20  # a /dev/kvm that doesn't work costs seconds
    found = json.loads(done.stdout)
    assert found["schema"] == "kbisect.doctor/1"
    checks = {check["name"]: check for check in found["checks"]}
    for name in ("git", "QEMU", "compiler", "make", "busybox", "cpio", "Dask"):
        assert checks[name]["health"] == "ok", checks[name]
    assert checks["KVM"]["needed"] is False


def test_nothing_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = by_name(tmp_path / "absent" / "store")
    for name in ("git", "QEMU", "compiler", "make", "busybox", "cpio"):
        assert checks[name].health is Health.MISSING
        assert checks[name].hint.startswith("apt install ")
    assert checks["KVM"].health is Health.LIMITED


def test_tools_that_are_there_and_do_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin"
    fake.mkdir()
    for name in ("gcc", "make", "busybox", f"qemu-system-{os.uname().machine}"):
        (fake / name).write_text("#!/bin/sh\n# /lib/ld-linux.so\n[ $1 ] && exec sleep 99\n")
        (fake / name).chmod(0o755)
    monkeypatch.setattr(doctor, "_LIMIT", 0.2)
    monkeypatch.setenv("PATH", str(fake), prepend=os.pathsep)
    checks = by_name(tmp_path)
    for name in ("compiler", "make", "QEMU"):
        assert checks[name].health is Health.MISSING
    assert "not static" in checks["busybox"].detail


def test_kvm_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = tmp_path / "qemu"
    emulator.write_text("#!/bin/sh\nexec sleep 99\n")
    emulator.chmod(0o755)
    monkeypatch.setattr(doctor, "_KVM_LIMIT", 0.2)
    check = doctor._kvm(str(emulator))
    assert check.health is Health.LIMITED
    assert not check.needed


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1))
    check = by_name(tmp_path)["disk"]
    assert check.health is Health.LIMITED
    assert "--store" in check.hint

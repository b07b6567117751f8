# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect doctor` on this machine, and on one where nothing is installed."""

import errno
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kbisect.lab import doctor, kvm
from kbisect.lab.doctor import Check, Health
from kbisect.lab.kvm import Kvm

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
    if not os.access("/dev/kvm", os.W_OK):
        (tmp_path / "kvm").touch()
        monkeypatch.setattr(kvm, "DEVICE", tmp_path / "kvm")
    assert kvm.probe(str(emulator), limit=0.2) is Kvm.HANGS
    monkeypatch.setattr(kvm, "probe", lambda _: Kvm.HANGS)
    check = doctor._kvm(str(emulator))
    assert check.health is Health.LIMITED
    assert not check.needed


def test_it_is_tried_once_in_a_boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def probe(emulator: str) -> Kvm:
        tried.append(emulator)
        return Kvm.FAILS

    monkeypatch.setattr(kvm, "probe", probe)
    assert [kvm.remembered("qemu", tmp_path) for _ in range(3)] == [Kvm.FAILS] * 3
    assert len(tried) == 1
    (tmp_path / "kvm").write_text("another-boot works")
    assert kvm.remembered("qemu", tmp_path) is Kvm.FAILS
    assert len(tried) == 2


def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only mount has room enough, and is of no use."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    check = by_name(tmp_path)["disk"]
    assert check.health is Health.LIMITED
    assert "Read-only file system" in check.detail


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1))
    check = by_name(tmp_path)["disk"]
    assert check.health is Health.LIMITED
    assert "--store" in check.hint

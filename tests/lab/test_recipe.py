# SPDX-License-Identifier: GPL-2.0-or-later
"""Recipes: what they say, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.bisect.verdict import ANY_FAILURE, Observation, StageName
from kbisect.errors import UsageError
from kbisect.lab import recipe as recipes
from kbisect.lab.recipe import Recipe


def load(tmp_path: Path, text: str) -> Recipe:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return recipes.load(path)


def test_stages_come_in_their_order(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        '[test]\nrun = "./test.sh"\ntimeout = "2 min"\n'
        '[build]\nrun = ["make", "-s"]\nquiet = 30\nimage = "vmlinux"\n[config]\nrun = "true"\n',
    )
    assert [stage.name for stage in found.stages] == ["config", "build", "test"]
    build, test = found.stages[1:]
    assert (build.command, build.timeout, build.quiet) == (("make", "-s"), None, 30)
    assert (test.command, test.timeout) == (("sh", "-ec", "./test.sh"), 120)
    assert found.image == "vmlinux"


def test_a_guest_is_booted_by_lab_qemu(tmp_path: Path) -> None:
    found = load(tmp_path, '[boot]\nkernel = "bzImage"\ninitrd = "i"\ntimeout = "90 s"\n')
    assert found.guest
    words = found.stages[0].command[1:]
    assert words[:6] == ("-P", "-m", "kbisect", "lab", "qemu", "--run")
    assert words[6:] == ("--kernel", "bzImage", "--initrd", "i", "--timeout", "90")


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ('crash = "BUG in tcp_ack"', Observation(None, crash="BUG in tcp_ack")),
        ("exit = 3", Observation(3)),
        ("hang = true", Observation(None, timed_out=True)),
        ('stage = "build"', Observation(ANY_FAILURE, stage=StageName.BUILD)),
    ],
)
def test_signatures(tmp_path: Path, text: str, signature: Observation) -> None:
    assert load(tmp_path, f'[test]\nrun = "x"\n[signature]\n{text}\n').signature == signature


def test_what_it_names_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "fix.patch").write_text("one")
    text = '[test]\nrun = "x"\n[[fixup]]\npatch = "fix.patch"\nsince = "v1"\n'
    first = load(tmp_path, text)
    assert (first.fixups[0].patch, first.fixups[0].since) == (b"one", "v1")
    (tmp_path / "fix.patch").write_text("two")
    assert load(tmp_path, text).digest != first.digest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no stage"),
        ("[test", "no TOML"),
        ("[tset]\nrun = 'x'", r"unknown table \[tset\]"),
        ("[test]\nrun = 'x'\nkernel = 'x'", "has no key kernel"),
        ("[test]\ntimeout = 3", "has nothing to run"),
        ("[test]\nrun = 'x'\ntimeout = 'soon'", "timeout"),
        ("[test]\nrun = 'x'\ntimeout = '0 s'", "timeout"),
        ("[test]\nrun = ' '", "has nothing to run"),
        ("[boot]\nkernel = 3", "kernel is no path"),
        ("[build]\nrun = 'x'\nimage = 3", "image is no file"),
        ("[build]\nrun = 'x'\nimage = '/vmlinux'", "image is no file"),
        ("fixup = [3]\n[test]\nrun = 'x'", "is no table"),
        ("[test]\nrun = 'x'\n[signature]\nexit = 'x'", "exit can't be 'x'"),
        ("[test]\nrun = 'x'\n[signature]\nexit = 0", "exit can't be 0"),
        ("[test]\nrun = 'x'\n[signature]\nhang = false", "hang can't be False"),
        ("[test]\nrun = 'x'\n[signature]\nstage = 'bogus'", "stage can't be 'bogus'"),
        ("[test]\nrun = 'x'\n[worker]\nbogus = 1", "no key bogus"),
        ("[test]\nrun = 'x'\n[worker]\nretries = 'two'", "retries is no number"),
        ("[test]\nrun = 'x'\n[worker]\nresources = 3", "resources are no amounts"),
        ("[test]\nrun = 'x'\n[worker]\nresources = { kvm = 'x' }", "resources are no amounts"),
        ("[test]\nrun = 'x'\n[[fixup]]\nsince = 'v1'", "a patch or a commit"),
        ("[test]\nrun = 'x'\n[[fixup]]\npatch = 'gone'", "gone: No such file"),
        ("[test]\nrun = 'x'\n[parse]\nformat = 'tea leaves'", "tea leaves"),
        ("[test]\nrun = 'x'\n[signature]\nexit = 1\nhang = true", "one of"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(tmp_path, text)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such recipe"):
        recipes.load(tmp_path / "gone.toml")

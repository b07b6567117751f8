# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits that can't change what is built aren't; the dependency files of a build say which."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from kbisect.git.commits import Change
from kbisect.lab import footprint
from kbisect.lab.footprint import Footprint
from tests.cli.repos import Repo, Run, document

BUILT = Footprint(frozenset({"net/ipv4/ip.c", "include/net/ip.h"}), frozenset({"netlab.c"}))


@pytest.mark.parametrize(
    ("status", "path", "reaches"),
    [
        ("M", "net/ipv4/ip.c", True),
        ("M", "include/net/ip.h", True),
        ("M", "net/sctp/input.c", False),
        ("M", "include/net/sctp.h", False),
        ("M", "drivers/net/netlab.c", True),  # a copy of it was built
        ("A", "include/net/sctp.h", True),  # it may hide another header
        ("D", "net/sctp/input.c", True),
        ("T", "net/sctp/input.c", True),
        ("M", "net/sctp/Kconfig", True),
        ("M", "net/sctp/Kconfig.debug", True),
        ("M", "net/sctp/Makefile", True),
        ("M", "Kbuild", True),
        ("M", "arch/x86/kernel/vmlinux.lds.S", True),  # its .S was read, or it stays by its kind
        ("M", "arch/x86/entry/syscalls/syscall_64.tbl", True),
        ("M", "scripts/mod/modpost.c", True),
        ("M", "tools/objtool/check.c", True),
        ("A", "tools/testing/selftests/net/new.sh", True),
        ("A", "Documentation/networking/new.rst", False),
        ("M", "Documentation/Makefile", True),
        ("M", "MAINTAINERS", False),
        ("M", "drivers/net/MAINTAINERS", True),
    ],
)
def test_what_reaches_a_build(status: str, path: str, reaches: bool) -> None:
    built = BUILT | Footprint(frozenset({"arch/x86/kernel/vmlinux.lds.S"}))
    assert built.touched_by(Change(status, path, "0" * 40, "1" * 40)) == reaches


def test_a_build_is_read_by_its_cmd_files(tmp_path: Path) -> None:
    tree, build = tmp_path / "tree", tmp_path / "build"
    (tree / "net").mkdir(parents=True)
    (build / "net").mkdir(parents=True)
    (tree / "net" / "ip.c").touch()
    (tree / "net" / "ip.h").touch()
    assert footprint.read(build, tree) is None
    (build / "net" / ".ip.o.cmd").write_text(
        f"source_net/ip.o := {tree}/net/ip.c\n\ndeps_net/ip.o := \\\n"
        f"    $(wildcard include/config/NET) \\\n  {tree}/net/ip.h \\\n"
        "  include/generated/autoconf.h \\\n"
    )
    found = footprint.read(build, tree)
    assert found == Footprint(frozenset({"net/ip.c", "net/ip.h"}), frozenset({"autoconf.h"}))
    # Every header is in such a kernel.
    (build / "kernel").mkdir()
    (build / "kernel" / "kheaders_data.tar.xz").touch()
    assert footprint.read(build, tree) is None


RECIPE = """
[build]
run = '''
echo $KBISECT_COMMIT >> {builds}
cd "$KBISECT_BUILD"
cat "$KBISECT_TREE/used.c" "$KBISECT_TREE/used.h" {secret} > image
printf 'deps_image := %s %s\\n' "$KBISECT_TREE/used.c" "$KBISECT_TREE/used.h" > .image.cmd
'''
image = "image"
[test]
run = '! grep -q culprit "$KBISECT_BUILD/image"'
"""


def history(path: Path, touched: Sequence[tuple[str, str]]) -> Repo:
    """Make a commit for each (file, content) that is appended."""
    path.mkdir()
    repo = Repo(path, [])
    repo.git("init", "-q", "-b", "master")
    for name in ("used.c", "used.h", "unused.c"):
        (path / name).write_text("/* */\n")
    for i, (name, content) in enumerate([("used.c", "begin"), *touched]):
        with (path / name).open("a") as file:
            file.write(f"{content}\n")
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", f"commit {i}")
        repo.oids.append(repo.git("rev-parse", "HEAD"))
    return repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Thirty commits; five of them change what is built, the third of these breaks it."""
    real = {4: "a", 9: "b", 15: "culprit", 20: "c", 26: "d"}
    return history(
        tmp_path / "repo",
        [
            (("used.h" if i == 9 else "used.c"), real[i]) if i in real else ("unused.c", f"{i}")
            for i in range(1, 31)
        ],
    )


def campaign(
    kbisect: Run, repo: Repo, secret: str = "", *options: str
) -> tuple[dict[str, object], list[str], str]:
    builds, recipe = repo.path.parent / "builds", repo.path.parent / "recipe.toml"
    recipe.write_text(RECIPE.format(builds=builds, secret=secret))
    words = ("run", "--json", "--good", repo.oids[0], "--bad", repo.oids[-1], *options)
    done = kbisect("-C", repo.path, *words, "--recipe", recipe)
    return document(done), builds.read_text().split(), done.stderr


def test_only_commits_that_change_the_image_are_built(kbisect: Run, repo: Repo) -> None:
    found, builds, _ = campaign(kbisect, repo)
    assert found["culprit"] == repo.oids[15]
    assert found["aside"] == 25
    events = [json.loads(row) for row in Path(str(found["journal"])).read_text().splitlines()]
    searched = [event["oid"] for event in events if event.get("role") == "search"]
    assert set(searched) <= {repo.oids[i] for i in (4, 9, 15, 20, 26)}
    # Two ends, and halving five.
    assert len(searched) <= 3
    # The parent of the culprit was set aside, and is built to confirm it: that is the sample.
    assert found["aside_checked"] == [repo.oids[14]]
    assert found["builds"] == len(builds)


def test_a_sample_is_built_where_the_confirmation_builds_none(kbisect: Run, tmp_path: Path) -> None:
    touched = [("used.c", f"{i}" if i != 5 else "culprit") for i in range(1, 9)]
    repo = history(tmp_path / "repo", [*touched, ("unused.c", "x"), ("unused.c", "y")])
    found, builds, _ = campaign(kbisect, repo)
    assert found["culprit"] == repo.oids[5]
    assert found["aside"] == 2
    # The bad end was said to be the last that changes anything; one before it shows that it is.
    assert found["aside_checked"]
    assert set(found["aside_checked"]) <= set(builds) & {repo.oids[9], repo.oids[10]}  # type: ignore[call-overload]


def test_a_build_that_reads_more_than_it_says_is_found_out(kbisect: Run, repo: Repo) -> None:
    """The search begins anew without what was set aside, and the truth is found all the same."""
    found, _, _ = campaign(kbisect, repo, '"$KBISECT_TREE/unused.c"')
    assert found["culprit"] == repo.oids[15]
    assert (found["aside"], found["aside_checked"]) == (0, [])
    events = [json.loads(row) for row in Path(str(found["journal"])).read_text().splitlines()]
    last = [event for event in events if event["event"] == "aside"][-1]
    assert last["oids"] == []
    assert "another" in last["reason"]


def test_ends_that_were_not_built_set_nothing_aside(kbisect: Run, repo: Repo) -> None:
    found, _, _ = campaign(kbisect, repo, "", "--trust-ends")
    assert found["culprit"] == repo.oids[15]
    assert found["aside"] == 0


def test_no_commit_is_built_twice(kbisect: Run, tmp_path: Path) -> None:
    """What the recipe's `keep` names of a build serves later tests too, so two builds confirm: a
    sample of what was set aside, and the bad end without the culprit."""
    real = {4: "used.c", 9: "used.c", 15: "used.h", 20: "used.c", 26: "used.c"}
    touched = [
        (real.get(i, "unused.c"), "culprit" if i == 15 else f"{i}" * 30) for i in range(1, 31)
    ]
    repo = history(tmp_path / "repo", touched)
    path, recipe = tmp_path / "builds", tmp_path / "recipe.toml"
    text = RECIPE.format(builds=path, secret="")
    recipe.write_text(text.replace('image = "image"', 'image = "image"\nkeep = ["image"]'))
    words = ("run", "--json", "--good", repo.oids[0], "--bad", repo.oids[-1], "--recipe", recipe)
    found = document(kbisect("-C", repo.path, *words))
    builds = path.read_text().split()
    assert found["culprit"] == repo.oids[15]
    # Only the bad end twice: as it is, and without the culprit.
    assert len(builds) == len(set(builds)) + 1
    assert builds.count(repo.oids[-1]) == 2
    # The ends, three to halve five, two to confirm.
    assert found["builds"] == len(builds) <= 2 + 3 + 2
    assert not (repo.path / ".git" / "kbisect" / "archive").exists()

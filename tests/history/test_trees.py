# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees: cloned and fetched over file://, recognised by their remotes, and what each contains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kbisect.git import process
from kbisect.git.process import GitFailed
from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history import store, trees
from kbisect.history.containment import trees_with
from kbisect.history.store import Index
from tests.conftest import History, Run, git

BRANCHES = {"mainline": "master", "net": "net", "net-next": "net-next", "wireless": "wireless"}


@pytest.fixture
def servers(nettrees: History, tmp_path: Path) -> dict[str, Path]:
    """A bare repository for each tree, as on git.kernel.org."""
    made = {}
    for tree, branch in BRANCHES.items():
        place = made[tree] = tmp_path / "servers" / f"{tree}.git"
        git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(place))
        tags = ["--tags"] if tree == "mainline" else []
        git(nettrees.path, "push", "--quiet", *tags, str(place), f"{branch}:main")
    return made


def addresses(servers: dict[str, Path]) -> list[str]:
    return [f"--tree={tree}=file://{place}" for tree, place in servers.items()]


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def complaint(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    *_, message, hint = done.stderr.splitlines()
    assert message.startswith("kbisect: ")
    assert hint.startswith("  try: ")
    return message


def advance(nettrees: History, server: Path, tmp_path: Path, subject: str, *, force: bool) -> str:
    """Commit to a server's main branch, behind everybody's back."""
    work = tmp_path / f"work-{len(list(tmp_path.iterdir()))}"
    git(tmp_path, "clone", "--quiet", str(server), str(work))
    if force:
        git(work, "reset", "--quiet", "--hard", "HEAD~1")
    (work / "net" / "new.c").write_text(f"/* {subject} */\n")
    git(work, "add", "net/new.c")
    git(work, "commit", "--quiet", f"--message={subject}")
    git(work, "push", "--quiet", "--force", "origin", "HEAD:main")
    return git(work, "rev-parse", "HEAD").strip()


# --- clone ----------------------------------------------------------------------------------------


def test_clone_makes_one_repository_of_all_trees(
    nettrees: History, servers: dict[str, Path], tmp_path: Path, kbisect: Run
) -> None:
    net, net_next = (f"file://{servers[tree]}" for tree in ("net", "net-next"))
    others = [
        f"--tree=mainline=file://{servers['mainline']}",
        "--tree",
        f"wireless={servers['wireless']}",
    ]
    place = tmp_path / "linux"
    arguments = ["clone", place, "--net", net, "--net-next", net_next, *others, "--json"]
    found = document(kbisect(*arguments))
    assert found["schema"] == "kbisect.clone/1"
    tips = {tree: git(nettrees.path, "rev-parse", name).strip() for tree, name in BRANCHES.items()}
    assert {row["name"]: row["oid"] for row in found["trees"]} == tips
    before: list[str] = []
    for row in found["trees"]:
        assert row["ref"] == f"refs/remotes/{row['name']}/main"
        assert git(place, "rev-parse", row["ref"]).strip() == row["oid"]
        counted = git(place, "rev-list", "--count", row["oid"], *(f"^{oid}" for oid in before))
        assert row["new"] == int(counted)
        before.append(row["oid"])
    assert git(place, "tag").split() == git(nettrees.path, "tag").split()[: len(git(place, "tag"))]
    assert git(place, "status", "--porcelain") == ""
    assert git(place, "rev-parse", "HEAD").strip() == tips["mainline"]
    git(place, "fsck", "--strict", "--connectivity-only")
    assert not place.with_name("linux.partial").exists()
    # Indexed, with every tree known for what it is.
    told = document(kbisect("-C", place, "show", tips["net"], "--json"))
    assert told["trees"] == ["net"]
    assert document(kbisect("-C", place, "index", "--json"))["mode"] == "current"


def test_clone_with_a_reference_copies_no_objects(
    nettrees: History, servers: dict[str, Path], tmp_path: Path, kbisect: Run
) -> None:
    place = tmp_path / "linux"
    options = ["--reference", nettrees.path, "--bare"]
    document(kbisect("clone", place, *addresses(servers), *options, "--json"))
    counts = dict(line.split(": ", 1) for line in git(place, "count-objects", "-v").splitlines())
    assert (counts["count"], counts["in-pack"]) == ("0", "0")
    assert git(place, "rev-list", "--count", "--all")


def test_a_partial_or_shallow_reference_is_refused(
    nettrees: History, servers: dict[str, Path], tmp_path: Path, kbisect: Run
) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=3", f"file://{nettrees.path}", str(shallow))
    done = kbisect("clone", tmp_path / "linux", *addresses(servers), "--reference", shallow)
    assert "shallow" in complaint(done, 128)
    assert not list(tmp_path.glob("linux*"))


def test_an_address_that_leads_nowhere_is_noticed_before_anything_is_fetched(
    servers: dict[str, Path], tmp_path: Path, kbisect: Run
) -> None:
    place = tmp_path / "linux"
    bad = f"--tree=can=file://{tmp_path}/nowhere.git"
    done = kbisect("clone", place, *addresses(servers), bad)
    words = complaint(done, 4)
    assert "can: cannot fetch" in words
    assert "nowhere.git" in words
    assert "fetching" not in done.stderr
    assert not list(tmp_path.glob("linux*"))


def test_a_remote_without_commits_is_refused(
    servers: dict[str, Path], tmp_path: Path, kbisect: Run
) -> None:
    empty = tmp_path / "empty.git"
    git(tmp_path, "init", "--quiet", "--bare", str(empty))
    done = kbisect("clone", tmp_path / "linux", *addresses(servers), f"--tree=can={empty}")
    assert "no default branch" in complaint(done, 4)
    assert not list(tmp_path.glob("linux*"))


def test_a_clone_that_failed_half_way_is_taken_up_again(
    servers: dict[str, Path], tmp_path: Path, kbisect: Run
) -> None:
    place, partial = tmp_path / "linux", tmp_path / "linux.partial"
    # The refs of this one can be read, but not its newest commit.
    broken = servers["wireless"]
    oid = git(broken, "rev-parse", "main").strip()
    git(broken, "repack", "-adq")
    packs = list((broken / "objects" / "pack").iterdir())
    kept = {pack: pack.read_bytes() for pack in packs}
    for pack in packs:
        pack.chmod(0o644)
        pack.write_bytes(b"")
    done = kbisect("clone", place, *addresses(servers))
    assert complaint(done, 4)
    assert not place.exists()
    assert "kept in" in done.stderr
    held = git(partial, "rev-parse", "mainline/main", "net/main", "net-next/main").split()
    for pack, content in kept.items():
        pack.write_bytes(content)
    found = document(kbisect("clone", place, *addresses(servers), "--json"))
    assert [row["oid"] for row in found["trees"]] == [*held, oid]
    # The three that were there are not fetched again.
    assert [row["old"] for row in found["trees"]] == [*held, None]
    assert not partial.exists()


@pytest.mark.parametrize("attempt", range(6))
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill", "interrupt"])
def test_a_clone_cut_off_at_any_instant_leaves_no_half_made_one(
    servers: dict[str, Path], tmp_path: Path, kbisect: Run, how: signal.Signals, attempt: int
) -> None:
    place = tmp_path / "linux"
    with subprocess.Popen(
        [sys.executable, "-m", "kbisect", "clone", str(place), *addresses(servers)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as cut:
        assert cut.stderr is not None
        assert "fetching" in cut.stderr.readline()
        time.sleep(0.04 * attempt)
        os.killpg(cut.pid, how)
        _, words = cut.communicate()
    assert "Traceback" not in words
    if how == signal.SIGINT:
        assert cut.returncode in {130, 0}
    if place.exists():
        # It came to its end, but for the index perhaps.
        git(place, "fsck", "--connectivity-only")
        document(kbisect("-C", place, "index", "--json"))
    else:
        found = document(kbisect("clone", place, *addresses(servers), "--json"))
        assert len(found["trees"]) == len(servers)
    assert not place.with_name("linux.partial").exists()


def test_a_place_that_is_taken_is_left_alone(
    nettrees_copy: History, servers: dict[str, Path], tmp_path: Path, kbisect: Run
) -> None:
    before = sorted(nettrees_copy.path.rglob("*"))
    words = complaint(kbisect("clone", nettrees_copy.path, *addresses(servers)), 2)
    assert "already exists" in words
    assert sorted(nettrees_copy.path.rglob("*")) == before
    foreign = tmp_path / "linux.partial"
    foreign.mkdir()
    (foreign / "notes").write_text("mine\n")
    words = complaint(kbisect("clone", tmp_path / "linux", *addresses(servers)), 2)
    assert "in the way" in words
    assert (foreign / "notes").read_text() == "mine\n"


@pytest.mark.parametrize(
    "option",
    [
        "--tree=nowhere",
        "--tree=a b=x",
        "--tree=../x=y",
        "--tree=net=",
        "--tree=net=--upload-pack=x",
    ],
)
def test_what_is_no_tree(tmp_path: Path, kbisect: Run, option: str) -> None:
    complaint(kbisect("clone", tmp_path / "linux", option), 2)
    assert not list(tmp_path.iterdir())


def test_the_table_of_trees_is_shown(kbisect: Run) -> None:
    shown = kbisect("clone", "--list").stdout
    for tree in ("mainline", "bluetooth-next", "netfilter", "ieee802154", "stable"):
        assert trees.URLS[tree] in shown
    assert all(trees.tree_of_url(url) == tree for tree, url in trees.URLS.items())


# --- sync -----------------------------------------------------------------------------------------


@pytest.fixture
def cloned(servers: dict[str, Path], tmp_path: Path, kbisect: Run) -> Path:
    document(kbisect("clone", tmp_path / "linux", *addresses(servers), "--json"))
    return tmp_path / "linux"


def test_sync_says_what_arrived(
    nettrees: History, servers: dict[str, Path], cloned: Path, tmp_path: Path, kbisect: Run
) -> None:
    old = {tree: git(cloned, "rev-parse", f"{tree}/main").strip() for tree in BRANCHES}
    new = advance(nettrees, servers["net"], tmp_path, "net: one more", force=False)
    other = advance(nettrees, servers["wireless"], tmp_path, "wifi: again", force=True)
    git(servers["mainline"], "tag", "v3.14-rc3", "main")
    found = document(kbisect("-C", cloned, "sync", "--json"))
    rows = {row["name"]: row for row in found["trees"]}
    assert (rows["net"]["old"], rows["net"]["oid"], rows["net"]["new"]) == (old["net"], new, 1)
    assert (rows["wireless"]["oid"], rows["wireless"]["rewritten"]) == (other, True)
    assert (rows["net-next"]["new"], rows["net-next"]["rewritten"]) == (0, False)
    assert "v3.14-rc3" in git(cloned, "tag").split()
    assert document(kbisect("-C", cloned, "show", new, "--json"))["trees"] == ["net"]
    said = kbisect("-C", cloned, "sync").stdout
    assert said.count("nothing new") == len(BRANCHES)


def test_one_tree_that_is_away_does_not_keep_the_others(
    nettrees: History, servers: dict[str, Path], cloned: Path, tmp_path: Path, kbisect: Run
) -> None:
    new = advance(nettrees, servers["net-next"], tmp_path, "net: for next", force=False)
    servers["net"].rename(tmp_path / "away.git")
    done = kbisect("-C", cloned, "sync")
    assert "1 of 4 trees" in complaint(done, 4)
    assert "net-next: 1 commit" in done.stderr
    assert document(kbisect("-C", cloned, "show", new, "--json"))["trees"] == ["net-next"]


def test_a_moved_tag_stays_what_it_is_here(
    nettrees: History, servers: dict[str, Path], cloned: Path, tmp_path: Path, kbisect: Run
) -> None:
    new = advance(nettrees, servers["mainline"], tmp_path, "net: main", force=False)
    git(servers["mainline"], "tag", "--force", "v3.12", "main")
    before = git(cloned, "rev-parse", "v3.12")
    found = document(kbisect("-C", cloned, "sync", "--json"))
    assert found["trees"][0]["oid"] == new
    assert git(cloned, "rev-parse", "v3.12") == before


def test_sync_adds_a_tree(
    nettrees: History, servers: dict[str, Path], cloned: Path, tmp_path: Path, kbisect: Run
) -> None:
    mine = tmp_path / "mine.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=work", str(mine))
    git(nettrees.path, "push", "--quiet", str(mine), "net:work")
    found = document(kbisect("-C", cloned, "sync", f"--tree=mine={mine}", "--json"))
    rows = {row["name"]: row for row in found["trees"]}
    assert rows.keys() == {*BRANCHES, "mine"}
    assert (rows["mine"]["ref"], rows["mine"]["old"]) == ("refs/remotes/mine/work", None)
    # From now on it is one of them.
    again = document(kbisect("-C", cloned, "sync", "--json"))
    assert {row["name"] for row in again["trees"]} == {*BRANCHES, "mine"}
    tip = git(servers["net"], "rev-parse", "main").strip()
    assert "mine" in document(kbisect("-C", cloned, "show", tip, "--json"))["trees"]


def test_a_tree_that_can_not_be_had_is_not_added(
    servers: dict[str, Path], cloned: Path, tmp_path: Path, kbisect: Run
) -> None:
    before = (cloned / ".git" / "config").read_bytes()
    done = kbisect("-C", cloned, "sync", f"--tree=can=file://{tmp_path}/nowhere.git")
    assert "cannot fetch" in complaint(done, 4)
    done = kbisect("-C", cloned, "sync", f"--tree=net=file://{servers['wireless']}")
    assert "the remote net leads to" in complaint(done, 2)
    assert (cloned / ".git" / "config").read_bytes() == before


def test_sync_wants_a_remote_that_is_a_tree(nettrees_copy: History, kbisect: Run) -> None:
    assert "no remote" in complaint(kbisect("-C", nettrees_copy.path, "sync"), 2)


def test_only_clone_and_sync_use_the_network(servers: dict[str, Path], cloned: Path) -> None:
    with pytest.raises(GitFailed, match="transport 'file' not allowed"):
        process.run(cloned, "fetch", f"file://{servers['net']}")


# --- recognition ----------------------------------------------------------------------------------


def point(path: Path, remote: str, url: str, branch: str, at: str) -> None:
    git(path, "remote", "add", remote, url)
    git(path, "update-ref", f"refs/remotes/{remote}/{branch}", at)


def test_remotes_are_taken_for_trees(small: History) -> None:
    korg = "git://git.kernel.org/pub/scm/linux/kernel/git"
    point(small.path, "origin", f"{korg}/torvalds/linux.git", "master", "master")
    point(small.path, "davem", "https://git.kernel.org/pub/scm/x/davem/net-next.git", "main", "net")
    point(small.path, "nf", "https://example.org/fork", "main", "net")
    point(small.path, "korg-stable", f"{korg}/stable/linux-stable.git", "linux-3.0.y", "net")
    point(small.path, "friend", "https://example.org/linux", "main", "net")
    repository = small.repository
    found = trees.taken(repository, repository.refs())
    assert {each.tree: each.ref for each in found} == {
        "mainline": "refs/remotes/origin/master",
        "net-next": "refs/remotes/davem/main",
        "netfilter": "refs/remotes/nf/main",
        "net": "refs/heads/net",
        "linux-3.0.y": "refs/remotes/korg-stable/linux-3.0.y",
    }
    assert {each.tree: each.why for each in found}["net-next"].endswith("remote davem")
    assert {source.tree for source in trees.sources(repository)} == {
        "mainline",
        "net-next",
        "netfilter",
        "stable",
    }


def test_a_tree_whose_remote_was_removed_is_left_out_and_that_is_said_once(small: History) -> None:
    point(small.path, "friend", "https://example.org/linux", "main", "net")
    branch = "refs/remotes/friend/main"
    indexing.update(small.repository, trees={"friend": branch})
    git(small.path, "remote", "remove", "friend")
    for expected in ([f"friend is left out: {branch} is gone"], []):
        said: list[str] = []
        outcome = indexing.update(small.repository, say=said.append)
        assert said == expected
        assert "friend" not in outcome.trees


def test_what_git_config_remembers_wins(small: History) -> None:
    repository = small.repository
    assert trees.recognise(repository, repository.refs())["net"] == "refs/heads/net"
    assert trees.remember(repository, {"net": "refs/heads/master", "mine.x": "refs/heads/net"})
    found = trees.recognise(repository, repository.refs())
    assert (found["net"], found["mine.x"]) == ("refs/heads/master", "refs/heads/net")
    given = Repository.open(small.path, None, ["kbisect.tree.net.ref=refs/heads/net"])
    assert trees.recognise(given, given.refs())["net"] == "refs/heads/net"
    # A ref that is gone is not insisted on.
    trees.remember(repository, {"net": "refs/heads/gone"})
    assert trees.recognise(repository, repository.refs())["net"] == "refs/heads/net"


def test_a_repository_that_can_not_be_written_remembers_nothing(
    small: History, tmp_path: Path
) -> None:
    mount = tmp_path / "read-only"
    mount.mkdir()
    subprocess.run(["mount", "--bind", str(small.path), str(mount)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(mount)], check=True)
    try:
        assert not trees.remember(Repository.open(mount), {"net": "refs/heads/net"})
    finally:
        subprocess.run(["umount", str(mount)], check=True)


# --- which trees contain a commit -----------------------------------------------------------------


def in_trees(path: Path, index: Index) -> None:
    """Compare every commit with git."""
    contents = {
        tree: set(git(path, "rev-list", index.meta.refs[ref]).split())
        for tree, ref in index.meta.trees.items()
    }
    for number, oid in enumerate(index.oids):
        assert trees_with(index, number) == tuple(t for t, held in contents.items() if oid in held)


def test_which_trees_contain_a_commit_is_gits(nettrees: History, nettrees_index: Index) -> None:
    assert len(nettrees_index.meta.trees) > 6
    in_trees(nettrees.path, nettrees_index)


def test_releases_that_do_not_contain_one_another_mislead_nobody(nettrees_copy: History) -> None:
    path = nettrees_copy.path
    for tag, at in (("v3.13-rc2", "wireless"), ("v3.11", "net"), ("v3.14-rc1", "bluetooth")):
        git(path, "tag", "--force", "--annotate", "--message=x", tag, at)
    indexing.update(nettrees_copy.repository)
    in_trees(path, store.load(nettrees_copy.repository.store))


def test_what_was_recognised_is_remembered_and_said(nettrees_copy: History, kbisect: Run) -> None:
    done = kbisect("-C", nettrees_copy.path, "index", "--tree", "vendor=bluetooth")
    assert "vendor = refs/heads/bluetooth, by --tree" in done.stdout
    assert "net = refs/heads/net, by the name of the branch" in done.stdout
    kept = git(nettrees_copy.path, "config", "--get", "kbisect.tree.vendor.ref").strip()
    assert kept == "refs/heads/bluetooth"
    again = json.loads(kbisect("-C", nettrees_copy.path, "index", "--json").stdout)
    assert again["trees"]["vendor"] == "refs/heads/bluetooth"


def test_with_a_store_elsewhere_nothing_is_written_into_the_repository(
    nettrees_copy: History, tmp_path: Path, kbisect: Run
) -> None:
    before = (nettrees_copy.path / ".git" / "config").read_bytes()
    assert kbisect("-C", nettrees_copy.path, "--store", tmp_path / "s", "index").returncode == 0
    assert (nettrees_copy.path / ".git" / "config").read_bytes() == before
    assert not (nettrees_copy.path / ".git" / "kbisect").exists()

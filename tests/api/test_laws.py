# SPDX-License-Identifier: GPL-2.0-or-later
"""The laws of differences on the small tree; `laws` checks them on real releases."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from kbisect.api.comparison import Result, compare
from kbisect.api.findings import Finding
from kbisect.git import blobs
from tests.api.laws import mutated
from tests.api.test_history import HEADER, Tree, _move_callers
from tests.conftest import git


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "linux")


def _compared(tree: Tree, old: str, new: str) -> Result:
    return compare(tree.repository, tree.repository.resolve(old), tree.repository.resolve(new))


def _names(findings: tuple[Finding, ...]) -> set[tuple[str, str | None, str | None]]:
    return {(each.name, each.new_name, each.commit) for each in findings}


def test_a_with_a_is_empty(tree: Tree) -> None:
    assert _compared(tree, "HEAD", "HEAD").findings == ()


def test_backwards_is_the_mirror_with_its_commits(tree: Tree) -> None:
    _, renamed = _move_callers(tree)
    tree.edit(tree.header, ("unsigned int	len;", "unsigned int	len;\n	int	iif;"))
    added = tree.commit("remember the interface")
    forth = _compared(tree, tree.old, added).findings
    back = {each.name: each for each in _compared(tree, added, tree.old).findings}
    assert {each.new_name or each.name for each in forth} == set(back)
    assert back["sk_buff.network_header"].kind == "field-renamed"
    assert back["sk_buff.network_header"].new_name == "sk_buff.nh"
    assert back["sk_buff.network_header"].commit == renamed
    assert (back["sk_buff.iif"].kind, back["sk_buff.iif"].commit) == ("field-removed", added)


def test_across_branches_each_side_answers_for_its_own(tree: Tree) -> None:
    git(tree.path, "checkout", "--quiet", "-b", "stable")
    tree.edit(tree.header, ("unsigned int	len", "unsigned long	len"))
    wider = tree.commit("wider")
    git(tree.path, "checkout", "--quiet", "master")
    tree.edit(tree.header, ("extern struct sk_buff *skb_pad", "extern int skb_pad"))
    padded = tree.commit("pad in place")
    found = {each.name: each for each in _compared(tree, "stable", "master").findings}
    assert (found["sk_buff.len"].kind, found["sk_buff.len"].commit) == ("field-retyped", wider)
    assert (found["skb_pad"].kind, found["skb_pad"].commit) == ("function-signature", padded)


def test_three_versions_compose(tree: Tree) -> None:
    tree.edit(tree.header, ("unsigned int	len;", "unsigned int	len;\n	int	iif;"))
    middle = tree.commit("remember the interface")
    tree.edit(tree.header, ("extern struct sk_buff *skb_pad", "extern int skb_pad"))
    last = tree.commit("pad in place")
    steps = _names(_compared(tree, tree.old, middle).findings)
    steps |= _names(_compared(tree, middle, last).findings)
    assert steps == _names(_compared(tree, tree.old, last).findings)


@pytest.mark.parametrize("names", [("nf_ct", "_nfct"), ("nf_ct", "nf_ct_ref", "ct_ref")])
def test_renamed_more_than_once_is_one_change_with_its_steps(
    tree: Tree, names: tuple[str, ...]
) -> None:
    steps, before = [], "nfct"
    for name in names:
        tree.edit(tree.header, (f"*{before};", f"*{name};"))
        steps.append(tree.commit(f"rename {before} to {name}"))
        before = name
    (found,) = _compared(tree, tree.old, steps[-1]).findings
    assert (found.kind, found.name, found.new_name) == (
        "field-renamed",
        "sk_buff.nfct",
        f"sk_buff.{names[-1]}",
    )
    assert found.steps == tuple(steps)
    assert found.commit == steps[0]  # who takes the old name away
    (back,) = _compared(tree, steps[-1], tree.old).findings
    assert (back.kind, back.new_name, set(back.steps)) == (
        "field-renamed",
        "sk_buff.nfct",
        set(steps),
    )


def test_a_header_moved_twice_is_one_move(tree: Tree) -> None:
    """No declaration keeps its name: only the two commits tell."""
    here = "include/linux/skbuff.h"
    (tree.path / "include" / "net").mkdir()
    members = [("next;", "link;"), ("len;", "size;"), ("iph;", "ip;"), ("raw;", "data;")]
    for there, changes in (
        ("include/net/skb.h", [("sk_buff", "packet"), ("skb_pad", "packet_pad")]),
        ("include/net/skbuff.h", [*members, ("} nh;", "} net;"), ("nfct;", "ct;")]),
    ):
        git(tree.path, "mv", here, there)
        tree.edit(tree.path / there, *changes)
        last, here = tree.commit(f"move it to {there}"), there
    found = _compared(tree, tree.old, last).findings
    assert [(f.kind, f.new_name) for f in found if f.kind.startswith("header")] == [
        ("header-renamed", "include/net/skbuff.h")
    ]


def test_removed_and_restored_otherwise_is_its_net_effect_with_its_steps(tree: Tree) -> None:
    tree.edit(tree.header, ("	unsigned int	len;\n", ""))
    removed = tree.commit("remove len")
    tree.edit(tree.header, ("	} nh;\n", "	} nh;\n	unsigned long	len;\n"))
    restored = tree.commit("restore len, wider")
    (found,) = _compared(tree, tree.old, restored).findings
    assert (found.kind, found.name, found.steps) == (
        "field-retyped",
        "sk_buff.len",
        (removed, restored),
    )


def test_seeded_mutations_are_found(tree: Tree) -> None:
    count, wrong = mutated({"include/linux/skbuff.h": HEADER}, 60)
    assert (count, wrong) == (60, [])


def test_tarballs_are_compared_as_directories_are(tree: Tree, tmp_path: Path) -> None:
    place = tmp_path / "linux-9.tar.gz"
    with tarfile.open(place, "w:gz") as archive:
        archive.add(tree.path / "include", "linux-9/include")
    folders = ("include/net", "include/linux")
    assert blobs.in_place(place, folders).blobs == blobs.in_place(tree.path, folders).blobs
    place.write_bytes(b"no tarball")
    with pytest.raises(Exception, match="cannot read"):
        blobs.in_place(place, folders)

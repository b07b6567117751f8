# SPDX-License-Identifier: GPL-2.0-or-later
"""Through which tree a commit came, told by merges as the kernel writes them."""

from __future__ import annotations

import pytest

from kbisect.history.graph import CommitGraph
from kbisect.history.lineage import lineages, tree_of_merge
from kbisect.history.store import Index
from tests.conftest import History, git

GIT = "git://git.kernel.org/pub/scm/linux/kernel/git"


@pytest.mark.parametrize(
    ("subject", "tree"),
    [
        (f"Merge {GIT}/davem/net", "net"),
        (f"Merge {GIT}/davem/net-next", "net-next"),
        (f"Merge {GIT}/davem/net-2.6.25", "net-next"),
        ("Merge master.kernel.org:/pub/scm/linux/kernel/git/davem/net-2.6", "net"),
        (
            "Merge branch 'master' of master.kernel.org:/pub/scm/linux/kernel/git/davem/net-2.6",
            "net",
        ),
        (
            "Merge branch 'for-davem' of ssh://master.kernel.org/pub/scm/linux/kernel/git/linville/wireless-next-2.6",
            "wireless-next",
        ),
        (
            "Merge tag 'net-6.1-rc5' of git://git.kernel.org/pub/scm/linux/kernel/git/netdev/net",
            "net",
        ),
        (
            "Merge tag 'wireless-next-2023-03-30' of git://git.kernel.org/pub/scm/linux/kernel/git/wireless/wireless-next",
            "wireless-next",
        ),
        (f"Merge branch 'master' of {GIT}/pablo/nf", "netfilter"),
        (f"Merge branch 'master' of {GIT}/bluetooth/bluetooth-next", "bluetooth-next"),
        (f"Merge branch 'master' of {GIT}/torvalds/linux-2.6", "mainline"),
        (f"Merge branch 'usb-linus' of {GIT}/gregkh/usb-2.6", "gregkh/usb-2.6"),
        (
            "Merge branch 'master' of ssh://master.kernel.org/pub/scm/linux/kernel/git/linville/wireless-2.6.26",
            "wireless-next",
        ),
        ("Merge git://github.com/davem330/net", "net"),
        ("Merge branch 'master' of github.com:davem330/net-next", "net-next"),
        ("Merge git://1984.lsi.us.es/net-next", "netfilter-next"),
        ("Merge branch 'batman-adv/next' of git://git.open-mesh.org/linux-merge", "batman-adv"),
        ("Merge remote-tracking branch 'net-next/main'", "net-next"),
        ("Merge remote-tracking branch 'origin/topic' into next", ""),
        ("Merge branch 'master' of /repos/git/net-next-2.6", "net-next"),
        # 2005.
        (
            "Automatic merge of rsync://rsync.kernel.org/pub/scm/linux/kernel/git/davem/net-2.6",
            "net",
        ),
        ("Automatic merge of /spare/repo/netdev-2.6 branch e100", "net"),
        ("/spare/repo/netdev-2.6 branch 'ieee80211'", "net"),
        ("Merge commit master.kernel.org:/pub/scm/linux/kernel/git/davem/net-2.6 of HEAD", "net"),
        (
            "Merge refs/heads/upstream from master.kernel.org:"
            "/pub/scm/linux/kernel/git/jgarzik/netdev-2.6",
            "net",
        ),
        ("Merge with /somewhere/git/linux-2.6/.git", "mainline"),
        ("Merge ../netdev", "net"),
        ("Merge ../work", ""),
        ("Merge ../linus", "mainline"),
        ("Auto merge with /home/somebody/GIT/linus", "mainline"),
        ("Auto-update from upstream", "mainline"),
        ("Merge upstream (approx. 2.6.12-git8) into 'janitor' branch of netdev-2.6.", "mainline"),
        ("Automatic merge of 'for-linus' branch from", ""),
        ("Merge branch 'upstream'", ""),
        ("Merge branch 'fix/asoc' into for-linus", ""),
        ("Merge 3.1-rc1 into usb-linus", ""),
        ("net: merge the queues", ""),
    ],
)
def test_a_merge_names_the_tree_it_pulled(subject: str, tree: str) -> None:
    assert tree_of_merge(subject) == tree


@pytest.mark.parametrize(
    ("ref", "trees"),
    [
        ("net", ("net",)),
        ("net-next", ("net-next",)),
        ("wireless", ("wireless",)),
        ("linux-3.12.y", ("linux-3.12.y",)),
    ],
)
def test_what_has_not_reached_mainline_belongs_to_its_branch(
    nettrees: History, nettrees_index: Index, ref: str, trees: tuple[str, ...]
) -> None:
    tip = git(nettrees.path, "rev-parse", ref).strip()
    assert nettrees_index.lineage_of(nettrees_index.number(tip)) == trees


def test_the_merge_that_brought_a_commit_is_the_first_on_mainline_to_contain_it(
    nettrees: History, nettrees_index: Index
) -> None:
    spine = git(nettrees.path, "rev-list", "--first-parent", "--reverse", "master").split()
    contains = {oid: set(git(nettrees.path, "rev-list", oid).split()) for oid in spine}
    seen = 0
    for oid, landed in nettrees_index.rows(
        "SELECT oid, landed FROM commits WHERE landed IS NOT NULL"
    ):
        assert landed == next(merge for merge in spine if oid in contains[merge])
        seen += 1
    assert seen > 80


def test_the_path_of_trees_follows_the_merges(nettrees: History, nettrees_index: Index) -> None:
    # Bluetooth went into wireless, wireless into net, net into mainline (marks 45, 47 and 49 on).
    brought = git(
        nettrees.path, "rev-list", "--no-merges", f"{nettrees.marks[45]}^1..{nettrees.marks[45]}"
    )
    oids = brought.split()
    assert oids
    for oid in oids:
        lineage = nettrees_index.lineage_of(nettrees_index.number(oid))
        assert lineage == ("net", "wireless", "bluetooth")


def test_mainline_pulled_into_a_tree_and_forwarded_to_it_is_still_mainline() -> None:
    # As in 2005: somebody merged ../linus, and mainline went on from there.
    subjects = {"3": f"Merge {GIT}/davem/net-2.6", "5": "Merge ../linus"}
    parents = {"1": "", "2": "1", "3": "12", "4": "1", "5": "43"}
    oid = {name: name * 40 for name in parents}
    graph = CommitGraph.build(
        (oid[name], int(name), [oid[one] for one in parents[name]]) for name in "54321"
    )
    number = {name: graph.oids.index(oid[name]) for name in parents}
    told = lineages(
        graph, [number["5"]], {number[name]: words for name, words in subjects.items()}, {}
    )
    came = {name: told.paths[told.path[number[name]]] for name in parents}
    assert came["2"] == ("net",)
    assert told.landed[number["2"]] == number["3"]
    assert {came[name] for name in "1345"} == {("mainline",)}

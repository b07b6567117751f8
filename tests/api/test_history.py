# SPDX-License-Identifier: GPL-2.0-or-later
"""A difference with its commits, on a repository made here: a rename, its callers, an accessor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kbisect.api.comparison import compare
from kbisect.api.findings import Finding
from kbisect.api.scope import Scope
from kbisect.git.repository import Repository
from tests.conftest import Run, git

HEADER = """\
#ifndef _LINUX_SKBUFF_H
#define _LINUX_SKBUFF_H
struct sk_buff {
	struct sk_buff	*next;
	union {
		struct iphdr	*iph;
		unsigned char	*raw;
	} nh;
	unsigned int	len;
#ifdef CONFIG_NETFILTER
	void		*nfct;
#endif
};

extern struct sk_buff *skb_pad(struct sk_buff *skb, int pad);
#endif
"""
CALLER = """\
static void f(struct sk_buff *skb)
{
	skb->nh.iph->check = 0;
	use(skb->nh.iph->saddr, 1);
	see(skb->nh.raw, skb);
	see(skb->nh.raw, skb, 2);
	see(skb->nh.raw, skb, 3);
}
"""


class Tree:
    """A small kernel tree; each step is one commit."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header = path / "include" / "linux" / "skbuff.h"
        self.caller = path / "net" / "ipv4" / "ip.c"
        for file in (self.header, self.caller):
            file.parent.mkdir(parents=True)
        git(path, "init", "--quiet")
        self.header.write_text(HEADER)
        self.caller.write_text(CALLER)
        self.old = self.commit("start")

    def commit(self, subject: str) -> str:
        git(self.path, "add", "-A")
        git(self.path, "commit", "--quiet", "--allow-empty", "-m", subject)
        return git(self.path, "rev-parse", "HEAD").strip()

    def edit(self, file: Path, *changes: tuple[str, str]) -> None:
        text = file.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file.write_text(text)

    @property
    def repository(self) -> Repository:
        return Repository.open(self.path)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "linux")


def _by_name(tree: Tree, new: str | None = None, scope: Scope = Scope()) -> dict[str, Finding]:  # noqa: B008
    result = compare(tree.repository, tree.old, new or tree.repository.resolve("HEAD"), scope)
    assert not result.unclassified
    return {finding.name: finding for finding in result.findings}


def _move_callers(tree: Tree) -> tuple[str, str]:
    """Give callers an accessor, then rename the union: what Linux did to `nh` in v2.6.22."""
    tree.edit(
        tree.header, ("#endif\n", ""), ("	void		*nfct;\n", "	void *nfct;\n#endif\n")
    )
    tree.edit(
        tree.header,
        (
            "extern struct",
            "static inline struct iphdr *ip_hdr(const struct sk_buff *skb)\n"
            "{\n	return skb->nh.iph;\n}\nextern struct",
        ),
    )
    tree.header.write_text(tree.header.read_text() + "#endif\n")
    tree.edit(tree.caller, ("skb->nh.iph", "ip_hdr(skb)"))
    accessor = tree.commit("introduce ip_hdr(), remove skb->nh.iph users")
    tree.edit(
        tree.header,
        (
            "	union {\n		struct iphdr	*iph;\n		unsigned char	*raw;\n	} nh;\n",
            "	unsigned char	*network_header;\n",
        ),
        ("return skb->nh.iph", "return (struct iphdr *)skb->network_header"),
    )
    tree.edit(tree.caller, ("skb->nh.raw", "skb->network_header"))
    renamed = tree.commit("kill the union")
    return accessor, renamed


def test_a_union_becomes_a_field_and_its_callers_an_accessor(tree: Tree) -> None:
    accessor, renamed = _move_callers(tree)
    finding = _by_name(tree)["sk_buff.nh"]
    assert finding.kind == "field-renamed"
    assert finding.new_name == "sk_buff.network_header"
    assert finding.commit == renamed
    assert finding.replacements == ("ip_hdr",)
    used = {(row.use, row.became): (row.count, row.commit) for row in finding.callers}
    assert used["nh.iph", "ip_hdr()"] == (2, accessor)
    assert used["nh.raw", "network_header"] == (3, renamed)
    # The oracle: the only commit that changes how often the name occurs in the header.
    picked = git(tree.path, "log", "--format=%H", "-S} nh;", f"{tree.old}..", "--", "include")
    assert picked.split() == [finding.commit]


def test_changes_are_attributed_each_to_its_own_commit(tree: Tree) -> None:
    tree.edit(tree.header, ("extern struct sk_buff *skb_pad", "extern int skb_pad"))
    padded = tree.commit("pad in place")
    tree.commit("nothing")
    tree.edit(tree.header, ("CONFIG_NETFILTER", "CONFIG_NF_CONNTRACK"))
    conditioned = tree.commit("needs conntrack")
    tree.edit(tree.header, ("unsigned int	len;", "unsigned int	len;\n	int	iif;"))
    added = tree.commit("remember the interface")
    found = _by_name(tree)
    assert {name: (item.kind, item.commit) for name, item in found.items()} == {
        "skb_pad": ("function-signature", padded),
        "sk_buff.nfct": ("condition-changed", conditioned),
        "sk_buff.iif": ("field-added", added),
    }
    assert found["sk_buff.nfct"].condition == "CONFIG_NF_CONNTRACK"
    assert set(_by_name(tree, scope=Scope(structs=("sk_buff",)))) == {
        "sk_buff.nfct",
        "sk_buff.iif",
    }


def test_a_name_that_was_given_anew_is_a_rename_and_an_addition(tree: Tree) -> None:
    # Linux kernel commit 18ee49ddb0d2 ("phylib: rename mii_bus::dev to mii_bus::parent") (in
    # v2.6.28), and the new `dev` of the commit behind it.
    tree.edit(
        tree.header, ("unsigned int	len;", "unsigned int	len;\n	struct device *dev;")
    )
    tree.old = tree.commit("start again")
    tree.edit(tree.header, ("struct device *dev;", "struct device *parent;"))
    renamed = tree.commit("rename sk_buff::dev to sk_buff::parent")
    tree.edit(tree.header, ("struct device *parent;", "struct device *parent, dev;"))
    added = tree.commit("give it a device of its own")
    found = [
        (finding.kind, finding.name, finding.new_name, finding.commit)
        for finding in compare(tree.repository, tree.old, added).findings
    ]
    assert sorted(found, key=str) == [
        ("field-added", "sk_buff.dev", None, added),
        ("field-renamed", "sk_buff.dev", "sk_buff.parent", renamed),
    ]


def test_functions_put_elsewhere_tell_what_replaced_a_callback_long_ago(tree: Tree) -> None:
    tree.edit(
        tree.header,
        ("unsigned int	len;", "unsigned int	len;\n	int (*open)(int);"),
        ("extern struct", "struct skb_ops {\n	int (*do_open)(int);\n};\nextern struct"),
    )
    tree.caller.write_text(
        "	skb->open = my_open;\n	skb->len = 0;\n	skb->open = old_open;\n"
    )
    tree.old = tree.commit("both are there")
    tree.caller.write_text("	.do_open = my_open,\n	.do_open = old_open,\n")
    tree.commit("move callers")
    tree.edit(tree.header, ("\n	int (*open)(int);\n#ifdef", "\n#ifdef"))
    removed = tree.commit("kill it")
    finding = _by_name(tree)["sk_buff.open"]
    assert (finding.kind, finding.commit) == ("field-removed", removed)
    assert finding.replacements == ("skb_ops.do_open",)


def test_a_member_that_was_always_there_is_no_heir_by_two_lines(tree: Tree) -> None:
    """Commit 22bedad3ce11 (in v2.6.35): a call that lost mc_count had addr_len after it."""
    tree.caller.write_text("	see(skb->nfct, 1);\n	see(skb->nfct, 2);\n")
    tree.old = tree.commit("two callers")
    tree.caller.write_text("	see(skb->len, 1);\n	see(skb->len, 2);\n")
    tree.edit(tree.header, ("	void		*nfct;\n", ""))
    tree.commit("drop nfct")
    finding = _by_name(tree)["sk_buff.nfct"]
    assert (finding.callers, finding.replacements) == ((), ())
    assert finding.call_sites == 2


def test_removed_and_restored_is_no_change_and_removed_again_is_the_last(tree: Tree) -> None:
    tree.edit(tree.header, ("	unsigned int	len;\n", ""))
    tree.commit("remove len")
    tree.edit(tree.header, ("	} nh;\n", "	} nh;\n	unsigned int	len;\n"))
    restored = tree.commit("restore len")
    assert _by_name(tree, restored) == {}
    tree.edit(tree.header, ("	unsigned int	len;\n", ""))
    again = tree.commit("remove len for good")
    finding = _by_name(tree)["sk_buff.len"]
    assert (finding.kind, finding.commit) == ("field-removed", again)


def test_a_change_on_a_merged_branch_belongs_to_its_commit(tree: Tree) -> None:
    git(tree.path, "checkout", "--quiet", "-b", "topic")
    tree.edit(tree.header, ("unsigned int	len", "unsigned long	len"))
    made = tree.commit("wider")
    git(tree.path, "checkout", "--quiet", "master")
    tree.edit(tree.caller, ("see(skb->nh.raw, skb);", "see(skb);"))
    tree.commit("elsewhere")
    git(tree.path, "merge", "--quiet", "--no-ff", "-m", "Merge topic", "topic")
    finding = _by_name(tree)["sk_buff.len"]
    assert (finding.kind, finding.commit) == ("field-retyped", made)


def test_the_worktree_is_compared_uncommitted_as_it_is(tree: Tree, kbisect: Run) -> None:
    tree.edit(tree.header, ("unsigned int	len;", "unsigned int	length;"))
    done = kbisect("-C", tree.path, "api", "diff", "--worktree", "--json")
    assert done.returncode == 0, done.stderr
    kinds = {change["name"]: change["kind"] for change in json.loads(done.stdout)["changes"]}
    # Nobody committed it, so that it is a rename can only be supposed.
    assert kinds == {"sk_buff.len": "field-removed", "sk_buff.length": "field-added"}


def test_the_command_tells_people_and_programs_the_same(tree: Tree, kbisect: Run) -> None:
    accessor, renamed = _move_callers(tree)
    asked = ("-C", tree.path, "api", "diff", tree.old, "HEAD", "--struct", "sk_buff")
    done = kbisect(*asked, "--json", "--exit-code")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "kbisect.api-diff/1"
    (change,) = document["changes"]
    assert change["name"] == "sk_buff.nh"
    assert change["kind"] == "field-renamed"
    assert change["compatibility"] == "breaking"
    assert change["commit"] == renamed
    assert document["unclassified"] == []
    done = kbisect(*asked)
    assert done.returncode == 0
    assert "struct sk_buff   include/linux/skbuff.h" in done.stdout
    assert f"nh.iph (2 uses): ip_hdr() {accessor[:12]}" in done.stdout
    assert "1 of 1 attributed; 0 spans not understood." in done.stdout
    assert "\x1b" not in done.stdout


def test_two_directories_have_no_history(tree: Tree, tmp_path: Path, kbisect: Run) -> None:
    other = tmp_path / "vendor"
    (other / "include" / "linux").mkdir(parents=True)
    (other / "include" / "linux" / "skbuff.h").write_text(HEADER.replace("pad)", "pad, int x)"))
    done = kbisect("api", "diff", tree.path, other, "--json", "--breaking-only")
    assert done.returncode == 0, done.stderr
    (change,) = json.loads(done.stdout)["changes"]
    assert (change["kind"], change["commit"]) == ("function-signature", None)


def test_a_wrong_question_names_the_next_thing_to_try(tree: Tree, kbisect: Run) -> None:
    for arguments in (("nowhere", "HEAD"), (), ("HEAD", "HEAD", "--worktree")):
        done = kbisect("-C", tree.path, "api", "diff", *arguments)
        assert done.returncode == 2, done.stderr
        assert "try:" in done.stderr
        assert done.stdout == ""

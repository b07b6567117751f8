# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines that still use what went are counted; comments, strings and namesakes are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kbisect.api.comparison import compare
from kbisect.api.findings import UsesLeft
from kbisect.api.leftovers import counted
from kbisect.git.repository import Repository
from tests.conftest import Run, git

HEADER = """\
struct sk_buff {
	void *nh;
	int len;
};
struct other {
	void *nh;
};
#define SKB_OLD 1
extern int skb_pad(struct sk_buff *skb);
"""
NEW_HEADER = """\
struct sk_buff {
	int len;
};
struct other {
	void *nh;
};
"""
DRIVER = """\
#include <linux/nh.h>
/* skb->nh is gone, skb_pad() too */
static int f(struct sk_buff *skb, struct other *o, struct priv *p)
{
	o->nh = 0;
	printk("skb->nh %d skb_pad()", SKB_OLD);
	if (skb->nh)	/* nh */
		use(p->queue->nh);
	p->skb_pad = 0;
	return skb_pad(skb) + skb_pad(
		skb);
}
"""
STRANGER = "static void g(struct priv *p)\n{\n\tp->queue->nh = 0;\n}\n"
OWN = """\
static int skb_pad(struct sk_buff *skb)
{
	return skb->len;
}
static int g(struct sk_buff *skb)
{
	return skb_pad(skb);
}
"""


class _Tree:
    def __init__(self, path: Path) -> None:
        self.path = path
        git(path.parent, "init", "--quiet", str(path))
        self.old = self.commit(
            {
                "include/linux/skbuff.h": HEADER,
                "net/core/a.c": DRIVER,
                "net/core/b.c": STRANGER,
                "drivers/net/own/c.c": OWN,
                "net/Kconfig": "SKB_OLD\n",
            }
        )
        self.new = self.commit({"include/linux/skbuff.h": NEW_HEADER})

    def commit(self, files: dict[str, str]) -> str:
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        git(self.path, "add", ".")
        git(self.path, "commit", "--quiet", "--message", "a change")
        return git(self.path, "rev-parse", "HEAD").strip()

    def left(self, commit: str | None) -> dict[str, UsesLeft | None]:
        repository = Repository.open(self.path)
        findings = compare(repository, self.old, self.new).findings
        return {one.name: one.uses_left for one in counted(repository, commit, findings)}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> _Tree:
    return _Tree(tmp_path_factory.mktemp("leftovers") / "linux")


def test_a_member_counts_by_the_type_of_its_object(tree: _Tree) -> None:
    """One line is skb's, one may be; one is another struct's, and b.c doesn't know the struct."""
    assert tree.left(tree.new)["sk_buff.nh"] == UsesLeft(certain=1, possible=2)


def test_a_function_counts_where_no_other_of_its_name_is_defined(tree: _Tree) -> None:
    assert tree.left(tree.new)["skb_pad"] == UsesLeft(certain=1, possible=1)


def test_a_word_in_a_string_or_in_no_source_is_no_use(tree: _Tree) -> None:
    assert tree.left(tree.new)["SKB_OLD"] == UsesLeft(certain=1, possible=1)


def test_the_worktree_counts_as_it_is_on_disk(tree: _Tree) -> None:
    file = tree.path / "net/core/a.c"
    file.write_text(DRIVER.replace("SKB_OLD", "1"))
    try:
        assert tree.left(None)["SKB_OLD"] == UsesLeft(0, 0)
        assert tree.left(tree.new)["SKB_OLD"] == UsesLeft(1, 1)
    finally:
        file.write_text(DRIVER)


def test_what_stands_in_a_shared_header_again_is_possible_only(tree: _Tree) -> None:
    """Where a header outside the surface has the name, its users may mean that one."""
    git(tree.path, "checkout", "--quiet", "-b", "again")
    again = tree.commit({"include/other/pad.h": "#define SKB_OLD 2\n"})
    git(tree.path, "checkout", "--quiet", "-")
    assert tree.left(again)["SKB_OLD"] == UsesLeft(certain=0, possible=1)


def test_a_difference_says_it_of_its_newer_side_or_of_a_tree_named(
    tree: _Tree, kbisect: Run
) -> None:
    asked = ("-C", tree.path, "api", "diff", tree.old, tree.new)
    said = kbisect(*asked).stdout
    assert "nh  " in said
    assert "; 1 to 2 uses left" in said
    assert "0 of 3 old names are used no more" in said
    gone = tree.commit({"net/core/a.c": "", "drivers/net/own/c.c": ""})
    try:
        done = kbisect(*asked, "--uses-in", gone, "--json")
        left = {each["name"]: each["uses_left"] for each in json.loads(done.stdout)["changes"]}
    finally:
        git(tree.path, "reset", "--quiet", "--hard", tree.new)
    assert left["sk_buff.nh"] == {"certain": 0, "possible": 0}
    assert (
        f"3 of 3 old names are used no more in {gone}." in kbisect(*asked, "--uses-in", gone).stdout
    )

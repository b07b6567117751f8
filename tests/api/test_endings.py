# SPDX-License-Identifier: GPL-2.0-or-later
"""A name that nothing took the place of: said only where the commit that took it shows so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kbisect.api.complaints import read
from kbisect.api.endings import Ending
from kbisect.api.explained import Explanation
from kbisect.api.explanation import Explainer
from kbisect.api.lifetimes import Past
from kbisect.history import index as indexing
from kbisect.history import store
from tests.api.test_history import Tree
from tests.conftest import Run, git

FUNCTION = "extern int skb_age(struct sk_buff *skb);\n"
FIELD = "\tunsigned int\tage;\n"
BEFORE = "static int g(struct sk_buff *skb)\n{\n\tkeep(skb);\n"
AFTER = "\tkeep(skb->len);\n\treturn 0;\n}\n"


def _removed(path: Path, used: str, became: str, more: str = "") -> Tree:
    """Make a tree whose skb_age() and sk_buff.age go, with callers that used and became this."""
    made = Tree(path)
    made.edit(
        made.header,
        ("extern struct", f"{FUNCTION}extern struct"),
        ("\tunsigned int\tlen;\n", f"\tunsigned int\tlen;\n{FIELD}"),
    )
    made.caller.write_text(f"{BEFORE}{used}{AFTER}")
    made.commit("begin")
    git(made.path, "tag", "v2.6.28")
    made.edit(made.header, (FUNCTION, ""), (FIELD, ""))
    made.caller.write_text(f"{more}{BEFORE}{became}{AFTER}")
    made.commit("no more of it")
    git(made.path, "tag", "v2.6.29")
    indexing.update(made.repository)
    return made


def _told(made: Tree, message: str, line: str) -> Explanation:
    past = Past(made.repository, store.load(made.repository.store))
    (told,) = Explainer(past).explain(read(f"a.c:1:2: error: {message}\n    1 | {line}"))
    return told


CALL = "implicit declaration of function 'skb_age'", "n += skb_age(mine) * 2;"
MEMBER = "'struct sk_buff' has no member named 'age'", "n += mine->age * 2;"


@pytest.mark.parametrize("asked", [CALL, MEMBER])
@pytest.mark.parametrize(
    ("used", "became", "ending"),
    [
        ("", "", Ending.UNUSED),
        ("\tif (skb_age(skb) > skb->age)\n\t\treturn 1;\n", "", Ending.DROPPED),
        ("\tuse(skb, skb_age(skb), skb->age);\n", "\tuse(skb, young, jiffies);\n", None),
    ],
)
def test_an_ending_is_told_by_what_became_of_all_uses(
    asked: tuple[str, str], used: str, became: str, ending: Ending | None, tmp_path: Path
) -> None:
    """As of neigh_is_valid (f62435795900), net_alive (17edde520927); not UDP_HTABLE_SIZE."""
    told = _told(_removed(tmp_path / "linux", used, became), *asked)
    assert told.advice.ending is ending
    assert told.advice.write == ""


def test_what_a_file_keeps_for_itself_is_private(tmp_path: Path, kbisect: Run) -> None:
    """As skb_over_panic, static since commit ccb7c7732e2c (in v2.6.35)."""
    own = "static int skb_age(struct sk_buff *skb)\n{\n\treturn 1;\n}\n"
    made = _removed(tmp_path / "linux", "\tuse(skb_age(skb));\n", "\tuse(skb_age(skb));\n", own)
    told = _told(made, *CALL)
    assert (told.advice.ending, told.advice.home) == (Ending.PRIVATE, "net/ipv4/ip.c")
    here = ("-C", made.path, "api", "explain", f"error: {CALL[0]}")
    assert "net/ipv4/ip.c keeps it for itself" in kbisect(*here).stdout
    (row,) = json.loads(kbisect(*here, "--json").stdout)["explanations"]
    assert (row["ending"], row["home"]) == ("private", "net/ipv4/ip.c")

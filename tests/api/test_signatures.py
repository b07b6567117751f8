# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls brought through several changes of a function's parameters, each by its own commit."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.api.complaints import read
from kbisect.api.explained import Explanation
from kbisect.api.explanation import Explainer
from kbisect.api.lifetimes import Past
from kbisect.history import index as indexing
from kbisect.history import store
from tests.api.test_history import Tree
from tests.conftest import git

LINES = "\tmake(one, 1);\n\tmake(two, 2);\n"


def _told(made: Tree, message: str, line: str) -> Explanation:
    past = Past(made.repository, store.load(made.repository.store))
    (told,) = Explainer(past).explain(read(f"a.c:1:2: error: {message}\n    1 | {line}"))
    return told


def test_of_two_commits_the_one_that_brought_the_argument_is_named(tmp_path: Path) -> None:
    """As b4b510290b05 and cd40b7d3983c (both in v2.6.24) did to netlink_kernel_create."""
    made = Tree(tmp_path / "linux")
    made.edit(made.header, ("extern struct", "extern int make(int unit, int n);\nextern struct"))
    made.caller.write_text(LINES)
    made.commit("begin")
    git(made.path, "tag", "v2.6.23")
    made.edit(made.header, ("make(int unit, int n)", "make(int unit, int n, gfp_t how)"))
    made.caller.write_text(LINES.replace(");", ", NULL);"))
    brought = made.commit("say how")
    made.edit(made.header, ("make(int unit, int n,", "make(int unit, long n,"))
    made.commit("a longer number")
    git(made.path, "tag", "v2.6.24")
    indexing.update(made.repository)
    told = _told(made, "too few arguments to function 'make'", "x = make(mine, 3);")
    assert told.finding is not None
    assert told.finding.commit == brought
    assert told.advice.write == "x = make(mine, 3, NULL);"


@pytest.mark.parametrize(("local", "wanted"), [("NULL", "x = create(mine, NULL);"), ("how", "")])
def test_a_call_that_took_another_place_has_the_parameters_of_the_end(
    local: str, wanted: str, tmp_path: Path
) -> None:
    """As of hci_conn_security, which took hci_conn_auth's place and then one argument more."""
    made = Tree(tmp_path / "linux")
    made.edit(made.header, ("extern struct", "extern int make(int unit);\nextern struct"))
    made.caller.write_text("\tmake(one);\n\tmake(two);\n")
    made.commit("begin")
    git(made.path, "tag", "v2.6.23")
    made.edit(made.header, ("make(int unit)", "create(int unit)"))
    made.caller.write_text("\tcreate(one);\n\tcreate(two);\n")
    made.commit("rename make to create")
    made.edit(made.header, ("create(int unit)", "create(int unit, void *how)"))
    made.caller.write_text(f"\tcreate(one, {local});\n\tcreate(two, {local});\n")
    made.commit("say how")
    git(made.path, "tag", "v2.6.24")
    indexing.update(made.repository)
    message = "implicit declaration of function 'make'"
    assert _told(made, message, "x = make(mine);").advice.write == wanted

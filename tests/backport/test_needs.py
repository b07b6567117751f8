# SPDX-License-Identifier: GPL-2.0-or-later
"""What a fix needs on a branch: out of scope too, and never what came after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.backport.candidates import survey
from kbisect.backport.forecast import Forecast, State, forecasts
from kbisect.backport.silent import Absent, declared
from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history import store
from tests.backport.conftest import commit
from tests.conftest import git


def forecast(path: Path, oid: str) -> Forecast:
    """Say what becomes of one candidate on the branch `stable`."""
    repository = Repository.open(path)
    indexing.update(repository, trees={"mainline": "master"}, paths=["net"])
    index = store.load(repository.store)
    here, there = (git(path, "rev-parse", name).strip() for name in ("stable", "master"))
    tried = forecasts(repository, index, survey(repository, index, here, there))
    return next(each for each in tried if each.candidate.oid == oid)


@pytest.mark.parametrize("place", ["net", "net/other"])
def test_a_conflict_out_of_scope_names_who_also_wrote_around(tree: Path, place: str) -> None:
    start = git(tree, "rev-parse", "HEAD").strip()
    commit(tree, "net: unrelated", {"net/b.c": "int b;\n"})
    noted = commit(tree, "net: feature", {f"{place}/c.c": "int c;\n", "NEWS": "1\na feature\n"})
    fix = commit(
        tree,
        f'net: fix it\n\nFixes: {start[:12]} ("net: begin")',
        {"net/a.c": "int fixed;\n", "NEWS": "1\na feature\nand a fix\n"},
    )

    found = forecast(tree, fix)

    assert found.conflicts == ("NEWS",)
    assert found.state is State.CONFLICT
    assert found.prerequisites == ((noted,) if place == "net" else ())


@pytest.mark.parametrize("later", [False, True])
def test_a_name_that_came_after_a_fix_is_not_what_it_needs(tree: Path, later: bool) -> None:
    start = git(tree, "rev-parse", "HEAD").strip()

    def bring() -> str:
        return commit(tree, "net: a helper", {"net/a.h": "int told;\nint helper_of_net(void);\n"})

    brought = "" if later else bring()
    fix = commit(
        tree,
        f'net: fix it\n\nFixes: {start[:12]} ("net: begin")',
        {"net/a.c": "int begin;\nint mended = helper_of_net();\n"},
    )
    if later:
        bring()

    found = forecast(tree, fix)

    assert found.state is State.CLEAN
    assert found.prerequisites == (() if later else (brought,))


def test_a_name_that_a_fix_declares_itself_is_not_what_it_needs(tree: Path) -> None:
    start = git(tree, "rev-parse", "HEAD").strip()
    commit(tree, "net: another's", {"net/a.h": "int told;\nint left_over, length_of_ring;\n"})
    fix = commit(
        tree,
        f'net: fix it\n\nFixes: {start[:12]} ("net: begin")',
        {"net/a.c": "int begin;\nint x, length_of_ring;\nint y = length_of_ring + 1;\n"},
    )
    assert forecast(tree, fix).absent == ()


def test_who_only_uses_a_name_is_not_who_brought_it(tree: Path) -> None:
    start = git(tree, "rev-parse", "HEAD").strip()
    commit(tree, "net: a user", {"net/a.h": "int told;\nint f(void)\n{\n\tcast_it(1);\n}\n"})
    fix = commit(
        tree,
        f'net: fix it\n\nFixes: {start[:12]} ("net: begin")',
        {"net/a.c": "int begin;\nint y = cast_it(2);\n"},
    )
    found = forecast(tree, fix)
    assert found.absent == (Absent("cast_it", None),)
    assert found.prerequisites == ()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("#define MAKE_IT(x) wrapped(x)", {"MAKE_IT"}),
        ("\tuint32_t head, tail[4], *next;", {"head", "tail", "next"}),
        ("\tunsigned int bits:3, more:5;", {"bits", "more"}),
        ("\tint (*open)(struct device *dev);", {"open"}),
        ("struct thing {", {"thing"}),
        ("\tSECOND = FIRST + 1,", {"SECOND"}),
        ("static inline int length_of(const char *text)", {"length_of"}),
        ("\tint local = used(something);", {"local"}),
        ("\treturn value;", set()),
        ("\tcall(first, ORDER);", set()),
        ("\tx = load(y, ORDER);", set()),
    ],
)
def test_what_a_line_declares(line: str, names: set[str]) -> None:
    assert declared(line.encode()) == {name.encode() for name in names}


def test_what_the_rows_above_make_clean_applies_in_its_turn(tree: Path) -> None:
    start = git(tree, "rev-parse", "HEAD").strip()
    fixes = f'Fixes: {start[:12]} ("net: begin")'
    first = commit(tree, f"net: fix one\n\n{fixes}", {"net/a.c": "int fixed;\n"})
    second = commit(tree, f"net: fix two\n\n{fixes}", {"net/a.c": "int fixed_again;\n"})
    found = forecast(tree, second)
    assert (found.state, found.prerequisites) == (State.CLEAN_AFTER, (first,))
    assert found.in_turn
    commit(tree, "net: feature", {"net/a.c": "long feature;\n"})
    third = commit(tree, f"net: fix three\n\n{fixes}", {"net/a.c": "long feature, fixed;\n"})
    found = forecast(tree, third)
    assert found.state is State.CONFLICT
    assert not found.in_turn

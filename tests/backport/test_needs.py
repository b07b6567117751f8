# SPDX-License-Identifier: GPL-2.0-or-later
"""What a fix needs on a branch: out of scope too, and never what came after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.backport.candidates import survey
from kbisect.backport.forecast import Forecast, State, forecasts
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
        return commit(tree, "net: a helper", {"net/a.h": "int told;\nint helper_of_net;\n"})

    brought = "" if later else bring()
    fix = commit(
        tree,
        f'net: fix it\n\nFixes: {start[:12]} ("net: begin")',
        {"net/a.c": "int begin;\nint helper_of_net;\n"},
    )
    if later:
        bring()

    found = forecast(tree, fix)

    assert found.state is State.CLEAN
    assert found.prerequisites == (() if later else (brought,))

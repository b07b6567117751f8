# SPDX-License-Identifier: GPL-2.0-or-later
"""What counts as there: reverts, reverts of reverts, and what is applied again."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.patch import application, loading, rebase, revert, series
from kbisect.patch.application import State
from kbisect.patch.rebase import Fate
from kbisect.patch.standing import Standing
from tests.conftest import History, git
from tests.patch.conftest import commit

A, B, C, D = (digit * 40 for digit in "abcd")
TITLE = "acme: count drops"
UNDO = f'Revert "{TITLE}"\n\nThis reverts commit {A}.\n'


@pytest.mark.parametrize(
    ("texts", "standing"),
    [
        ({A: TITLE}, {A}),
        ({A: TITLE, B: UNDO}, {B}),
        ({A: TITLE, B: f'Revert "{TITLE}"\n\nIt broke.\n'}, {B}),
        # The id is another tree's.
        ({A: TITLE, B: f'Revert "{TITLE}"\n\nThis reverts commit {D}.\n'}, {B}),
        ({A: TITLE, B: UNDO, C: f'Revert "{UNDO[:26]}"\n\nThis reverts commit {B}.\n'}, {A, C}),
        ({A: TITLE, B: UNDO, C: f'Reapply "{TITLE}"\n\nThis reverts commit {B}.\n'}, {A, C}),
        ({A: TITLE, B: UNDO, C: f'Reapply "{TITLE}"\n\nIt was innocent.\n'}, {A, C}),
        # The revert is older than what is looked at.
        ({A: TITLE, C: f'Reapply "{TITLE}"\n\nIt was innocent.\n'}, {A, C}),
        ({A: TITLE, B: UNDO, C: TITLE}, {B, C}),
        ({A: TITLE, B: f"acme: more\n\nBuilds on commit {A}.\n"}, {A, B}),
    ],
)
def test_what_stands(texts: dict[str, str], standing: set[str]) -> None:
    asked = Standing(texts)
    assert {oid for oid in texts if asked.stands(oid)} == standing


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A topic of one commit; main took it, took it back and went on."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    lines = [f"int a{n};\n" for n in range(9)]
    commit(tmp_path, {"a.c": "".join(lines)}, "begin")
    git(tmp_path, "checkout", "--quiet", "-b", "topic")
    lines[4] = "long a4;\n"
    commit(tmp_path, {"a.c": "".join(lines)}, "a: make it long")
    git(tmp_path, "checkout", "--quiet", "main")
    commit(tmp_path, {"b.c": "int b;\n"}, "b: begin")
    git(tmp_path, "cherry-pick", "topic")
    git(tmp_path, "revert", "--no-edit", "HEAD")
    return tmp_path


def test_what_was_reverted_is_put_on_again(tree: Path) -> None:
    repository = History(tree, {}).repository
    old, new, onto = (repository.resolve(name) for name in ("topic~1", "topic", "main"))
    found = rebase.forecast(repository, old, new, onto)
    assert [step.fate for step in found.steps] == [Fate.CLEAN]
    git(tree, "revert", "--no-edit", "main")
    again = rebase.forecast(repository, old, new, repository.resolve("main"))
    assert [step.fate for step in again.steps] == [Fate.UPSTREAM]


def test_what_was_reverted_conflicts_and_is_not_called_there(tree: Path) -> None:
    text = (tree / "a.c").read_text()
    commit(tree, {"a.c": text.replace("int a4", "short a4")}, "a: make it short")
    repository = History(tree, {}).repository
    onto = repository.resolve("main")
    posted = loading.of_commits(repository, "topic")
    [one] = application.forecast(repository, posted, onto).forecasts
    assert (one.state, one.same_as) == (State.CONFLICT, None)
    assert "a: make it short" in {each.subject for each in one.blockers}


@pytest.mark.parametrize(
    ("title", "file", "carried"),
    [
        ("a: make it long", "a.c", True),
        ("a: make it longer", "a.c", True),  # the mail still says which commit it was made from
        ("b: make it long", "b.c", False),
    ],
)
def test_a_patch_whose_lines_changed_since_is_there(
    tmp_path: Path, title: str, file: str, carried: bool
) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path, {file: "int it;\n"}, "begin")
    made = commit(tmp_path, {file: "long it;\n"}, title)
    mail = git(tmp_path, "format-patch", "--stdout", "-1").replace(title, "a: make it long")
    mail = mail.replace("b.c", "c.c")
    commit(tmp_path, {file: "short it;\n"}, "make it short")
    repository = History(tmp_path, {}).repository
    posted = series.read(mail.replace(made, made if file == "a.c" else "1" * 40).encode())
    [one] = application.forecast(repository, posted, repository.resolve("main")).forecasts
    assert one.same_as == (made if carried else None)


def test_a_patch_to_a_file_that_has_another_name_there(tmp_path: Path) -> None:
    """As `git am --3way` takes it: the file is found by what it is like."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    lines = [f"int a{n};\n" for n in range(30)]
    commit(tmp_path, {"fs/a.c": "".join(lines)}, "begin")
    git(tmp_path, "checkout", "--quiet", "-b", "topic")
    commit(tmp_path, {"fs/a.c": "".join([*lines[:4], "long a4;\n", *lines[5:]])}, "a: longer")
    mail = git(tmp_path, "format-patch", "--stdout", "-1")
    git(tmp_path, "checkout", "--quiet", "main")
    git(tmp_path, "mv", "fs", "net")
    commit(tmp_path, {"net/a.c": "".join([*lines, "int more;\n"])}, "move it")
    repository = History(tmp_path, {}).repository
    [one] = application.forecast(
        repository, series.read(mail.encode()), repository.resolve("main")
    ).forecasts
    (tmp_path / "mail").write_text(mail)
    git(tmp_path, "am", "--quiet", "--3way", "mail")
    assert one.state is State.MERGED
    assert one.tree == git(tmp_path, "rev-parse", "HEAD^{tree}").strip()


def test_what_is_there_itself_is_dropped_but_put_on_again_after_a_revert(tree: Path) -> None:
    git(tree, "checkout", "--quiet", "-b", "later", "topic")
    commit(tree, {"c.c": "int c;\n"}, "c: begin")
    repository = History(tree, {}).repository
    old, new, onto = (repository.resolve(name) for name in ("topic~1", "topic", "later"))
    [step] = rebase.forecast(repository, old, new, onto).steps
    assert (step.fate, step.upstream) == (Fate.UPSTREAM, new)
    git(tree, "revert", "--no-edit", "topic")
    [step] = rebase.forecast(repository, old, new, repository.resolve("later")).steps
    assert step.fate is Fate.CLEAN


def test_a_macro_that_another_header_has_too_breaks_nobody(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path, {"old.h": "#define ACME_SLOTS 4\n"}, "begin")
    two = "#define ACME_SLOTS 4\n#define ACME_RINGS 4\n"
    oid = commit(tmp_path, {"new.h": two}, "a header of its own")
    commit(tmp_path, {"a.c": "int slots = ACME_SLOTS;\nint rings = ACME_RINGS;\n"}, "use both")
    repository = History(tmp_path, {}).repository
    found = revert.forecast(repository, oid, repository.resolve("main"), None)
    assert {use.name for use in found.uses} == {"ACME_RINGS"}


def test_a_rebase_names_who_changed_the_lines_it_expects(tree: Path) -> None:
    text = (tree / "a.c").read_text()
    guilty = commit(tree, {"a.c": text.replace("int a4", "short a4")}, "a: make it short")
    last = text.replace("int a4", "short a4").replace("int a8", "short a8")
    commit(tree, {"a.c": last}, "a: far from it")
    repository = History(tree, {}).repository
    old, new, onto = (repository.resolve(name) for name in ("topic~1", "topic", "main"))
    [step] = rebase.forecast(repository, old, new, onto).steps
    assert step.fate is Fate.CONFLICT
    assert step.blockers[0] == (guilty, "a: make it short")
    assert "a: far from it" not in {subject for _, subject in step.blockers}

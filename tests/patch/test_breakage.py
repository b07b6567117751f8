# SPDX-License-Identifier: GPL-2.0-or-later
"""What reverts and moved patches would not compile with: gcc is asked where it can be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kbisect.git.repository import Repository
from kbisect.patch import application, loading, rebase, revert, series
from kbisect.patch.revert import Revert
from kbisect.report import patch_forecast as report
from tests.conftest import git
from tests.patch.conftest import commit

HEADER = "struct demo {\n\tint users;\n};\nint demo_open(struct demo *d);\nint demo_close(int n);\n"
WIDER = HEADER.replace("demo_open(struct demo *d)", "demo_open(struct demo *d, int flags)")
CORE = "int demo_open(struct demo *d)\n{\n\treturn d->users;\n}\n"
INCLUDE = "#include <net/demo.h>\n"


def _user(call: str) -> str:
    return f"{INCLUDE}int first(struct demo *d)\n{{\n\t{call}\n}}\n"


def _tree(top: Path, header: str, sources: dict[str, str], message: str) -> str:
    files = {"include/net/demo.h": header}
    files |= {f"net/demo/{name}": text for name, text in sources.items()}
    return commit(top, files, message)


def _compiles(top: Path, tree: str, place: Path) -> set[str]:
    """Return the sources of a tree object that gcc refuses, and the lines as path:line."""
    place.mkdir()
    scratch = top / ".git" / "kbisect" / "scratch.git"
    archive = subprocess.run(
        ["git", f"--git-dir={scratch}", "archive", tree], capture_output=True, check=True
    )
    subprocess.run(["tar", "x", "-C", str(place)], input=archive.stdout, check=True)
    refused = set()
    for source in sorted(place.rglob("*.c")):
        name = str(source.relative_to(place))
        command = ["gcc", "-fsyntax-only", "-Werror=implicit-function-declaration", "-Iinclude"]
        done = subprocess.run(
            [*command, name], cwd=place, capture_output=True, text=True, check=False
        )
        errors = (line for line in done.stderr.splitlines() if ": error: " in line)
        refused |= {":".join(line.split(":")[:2]) for line in errors}
    return refused


def _reverted(top: Path, oid: str) -> Revert:
    repository = Repository.open(top)
    found = revert.forecast(repository, oid, git(top, "rev-parse", "HEAD").strip(), None)
    assert found.tree is not None
    return found


def _lines(found: Revert) -> set[str]:
    return {f"{use.path}:{use.line}" for use in found.uses}


@pytest.fixture
def top(tmp_path: Path) -> Path:
    place = tmp_path / "tree"
    place.mkdir()
    git(place, "init", "--quiet")
    _tree(place, HEADER, {"core.c": INCLUDE + CORE, "user.c": _user("return demo_open(d);")}, "one")
    return place


def test_later_callers_of_a_new_signature_break(top: Path, tmp_path: Path) -> None:
    core = INCLUDE + CORE.replace("demo *d)", "demo *d, int flags)")
    sources = {"core.c": core, "user.c": _user("return demo_open(d, 0);")}
    wider = _tree(top, WIDER, sources, "demo: flags")
    late = "return demo_open(d,\n\t\t\t 1) + demo_close(2); /* demo_open(d, 2) */"
    by = commit(top, {"net/demo/late.c": _user(late)}, "demo: a later user")
    found = _reverted(top, wider)
    assert _lines(found) == {"net/demo/late.c:4"}
    assert _lines(found) == _compiles(top, found.tree or "", tmp_path / "out")
    assert [(use.name, use.by, use.why) for use in found.uses] == [
        ("demo_open", by, "gets 2 of 1 arguments")
    ]
    assert not found.holds


def test_a_value_that_is_no_longer_returned_breaks_who_uses_it(top: Path, tmp_path: Path) -> None:
    # The commit to be reverted lets demo_reset() return something.
    void = HEADER + "void demo_reset(struct demo *d);\n"
    _tree(top, void, {"core.c": INCLUDE + CORE}, "demo: reset")
    some = void.replace("void demo_reset", "int demo_reset")
    gave = _tree(top, some, {"core.c": INCLUDE + CORE}, "demo: reset says what it did")
    late = {"net/demo/late.c": _user("demo_reset(d);\n\treturn demo_reset(d);")}
    commit(top, late, "demo: a later user")
    found = _reverted(top, gave)
    assert _lines(found) == {"net/demo/late.c:5"}
    assert _lines(found) == _compiles(top, found.tree or "", tmp_path / "out")
    assert [use.why for use in found.uses] == ["returns nothing"]


def test_members_types_and_enumerators_that_go_break_their_uses(top: Path, tmp_path: Path) -> None:
    more = HEADER.replace("\tint users;\n", "\tint users;\n\tint peak;\n")
    more += "enum demo_state {\n\tDEMO_UP,\n};\nstruct demo_stats {\n\tint packets;\n};\n"
    brought = _tree(top, more, {}, "demo: more")
    body = (
        "struct demo_stats s = { 0 };\n\tstruct other { int peak; } o = { 0 };\n"
        "\td->peak = o.peak;\n\treturn d->users + s.packets + DEMO_UP;"
    )
    commit(top, {"net/demo/late.c": _user(body)}, "demo: a later user")
    found = _reverted(top, brought)
    assert {use.name for use in found.uses} >= {"peak", "demo_stats", "DEMO_UP"}
    refused = _compiles(top, found.tree or "", tmp_path / "out")
    assert _lines(found) == refused


def test_what_fits_again_is_not_named(top: Path, tmp_path: Path) -> None:
    """Callers that the commit itself changed, statics of other files, and words in comments."""
    core = INCLUDE + CORE.replace("demo *d)", "demo *d, int flags)")
    sources = {"core.c": core, "user.c": _user("return demo_open(d, 0);")}
    wider = _tree(top, WIDER + "int demo_extra(void);\n", sources, "demo: flags")
    other = "static int demo_extra(void)\n{\n\treturn 0;\n}\n"
    other += "int x(void)\n{\n\treturn demo_extra();\n}\n"
    commit(top, {"net/other.c": other, "net/b.c": "/* demo_open(d, 0) */\n"}, "net: others")
    found = _reverted(top, wider)
    assert found.uses == ()
    assert found.holds
    assert _compiles(top, found.tree or "", tmp_path / "out") == set()


def _with_helper(top: Path) -> tuple[str, str]:
    """Bring names, then a commit that uses them; return the commit before, and the user."""
    before = git(top, "rev-parse", "HEAD").strip()
    more = HEADER.replace("\tint users;\n", "\tint users;\n\tint peak;\n")
    more += "#define DEMO_LIMIT 8\nint demo_helper(struct demo *d);\nstruct demo_stats;\n"
    commit(top, {"include/net/demo.h": more}, "demo: more")
    body = (
        "struct demo_stats *own_stats;\n\tint own_count = 0;\n\n"
        "\t/* demo_words() */\n\town_count = own_helper(d, DEMO_LIMIT);\n"
        "\td->peak = demo_helper(d) + own_count;\n\treturn demo_close(d->users);"
    )
    own = "static int own_helper(struct demo *d, int n)\n{\n\treturn n;\n}\n\n"
    text = _user(body).replace(INCLUDE, INCLUDE + own)
    commit(top, {"net/demo/user.c": text}, "demo: use it")
    return before, git(top, "rev-parse", "HEAD").strip()


MISSING = {"demo_stats", "DEMO_LIMIT", "peak", "demo_helper"}


def test_a_patch_names_what_an_older_tree_lacks(top: Path) -> None:
    before, user = _with_helper(top)
    repository = Repository.open(top)
    parent = repository.commit(user).parents[0]
    posted = loading.of_commits(repository, user)
    [found] = application.forecast(repository, posted, before).forecasts
    assert found.state is application.State.CLEAN
    assert set(found.lacks) == MISSING
    [alright] = application.forecast(repository, posted, parent).forecasts
    assert alright.lacks == ()


def test_a_mail_from_the_list_names_what_an_older_tree_lacks(top: Path) -> None:
    """Nobody says what it was made on: only what stands nowhere in the tree is named."""
    before, user = _with_helper(top)
    commit(top, {"Makefile": "ccflags-y += -DDEMO_LIMIT=8\n"}, "demo: by the compiler")
    raw = git(top, "format-patch", "--stdout", "--no-base", "-1", user).encode()
    posted = series.read(raw.split(b"\n", 1)[1])
    assert posted.base is None
    repository = Repository.open(top)
    [found] = application.forecast(repository, posted, before).forecasts
    assert set(found.lacks) == MISSING


def test_the_earlier_patches_of_a_series_bring_what_later_ones_use(top: Path) -> None:
    before, user = _with_helper(top)
    repository = Repository.open(top)
    posted = loading.of_commits(repository, f"{before}..{user}")
    found = application.forecast(repository, posted, before).forecasts
    assert [each.lacks for each in found] == [(), ()]


def test_a_rebase_names_what_its_place_lacks(top: Path) -> None:
    before, user = _with_helper(top)
    git(top, "checkout", "--quiet", "--detach", before)
    older = commit(top, {"net/other.c": "int x;\n"}, "net: elsewhere")
    repository = Repository.open(top)
    [step] = rebase.forecast(repository, repository.commit(user).parents[0], user, older).steps
    assert step.fate is rebase.Fate.CLEAN
    assert set(step.lacks) == MISSING


def _renaming(top: Path, header: str, name: str, other: str) -> series.Series:
    """Return a mail that renames something in the header and in user.c, and nowhere else."""
    base = git(top, "rev-parse", "HEAD").strip()
    user = (top / "net/demo/user.c").read_text().replace(name, other)
    files = {"include/net/demo.h": header.replace(name, other), "net/demo/user.c": user}
    oid = commit(top, files, "demo: another name")
    raw = git(top, "format-patch", "--stdout", "--no-base", "-1", oid).encode()
    git(top, "reset", "--quiet", "--hard", base)
    return series.read(raw.split(b"\n", 1)[1])


@pytest.mark.parametrize(
    ("name", "other", "late"),
    [
        ("demo_close", "demo_shut", "return demo_close(d->users);"),
        ("users", "count", "return d->users;"),
        ("DEMO_MAX", "DEMO_LIMIT", "return DEMO_MAX;"),
    ],
)
def test_a_patch_names_who_still_uses_what_it_renames(
    top: Path, tmp_path: Path, name: str, other: str, late: str
) -> None:
    header = HEADER + "#define DEMO_MAX 8\n"
    body = "return demo_close(d->users + DEMO_MAX);"
    _tree(top, header, {"core.c": INCLUDE, "user.c": _user(body)}, "demo: more")
    commit(top, {"net/demo/late.c": _user(f"/* {name} */\n\t{late}")}, "demo: a later user")
    posted = _renaming(top, header, name, other)
    repository = Repository.open(top)
    outcome = application.forecast(repository, posted, git(top, "rev-parse", "HEAD").strip())
    assert outcome.holds
    lines = {f"{each.path}:{each.line}" for each in outcome.broken}
    assert lines == {"net/demo/late.c:5"}
    assert lines == _compiles(top, outcome.tree, tmp_path / "out")
    assert {(each.name, each.why) for each in outcome.broken} == {(name, "is gone")}
    said = report.text(outcome, "HEAD", None)
    assert f"would break: 1 use of {name}\n  net/demo/late.c:5: {late}\n" in said


def test_a_series_that_takes_its_users_along_leaves_nobody_behind(top: Path) -> None:
    base = git(top, "rev-parse", "HEAD").strip()
    _tree(top, HEADER.replace("demo_open", "demo_begin"), {}, "demo: another name")
    core = {"core.c": INCLUDE + CORE.replace("demo_open", "demo_begin")}
    moved = core | {"user.c": _user("return demo_begin(d);")}
    last = commit(top, {f"net/demo/{name}": text for name, text in moved.items()}, "demo: use it")
    repository = Repository.open(top)
    whole = loading.of_commits(repository, f"{base}..{last}")
    assert application.forecast(repository, whole, base).broken == ()
    half = loading.of_commits(repository, f"{last}^")
    assert {each.path for each in application.forecast(repository, half, base).broken} >= {
        "net/demo/user.c"
    }

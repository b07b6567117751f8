# SPDX-License-Identifier: GPL-2.0-or-later
"""Would it apply: git apply, git am, git revert and git cherry-pick are asked the same."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from kbisect.errors import UsageError
from kbisect.git.application import Applier
from kbisect.patch import application, branch, loading, rebase, revert, series
from kbisect.patch.application import State
from kbisect.patch.rebase import Fate
from kbisect.report import patch_forecast
from tests.conftest import History, git, marks_in, planted_table
from tests.patch.conftest import commit


def _checkout(history: History, revision: str, place: Path) -> Path:
    place.mkdir()
    archive = subprocess.run(
        ["git", "-C", str(history.path), "archive", revision], capture_output=True, check=True
    )
    subprocess.run(["tar", "x", "-C", str(place)], input=archive.stdout, check=True)
    git(place, "init", "--quiet")
    return place


@pytest.mark.parametrize("release", ["v3.11", "v3.12", "v3.13", "linux-3.12.y"])
def test_git_apply_check_says_the_same_of_every_commit(
    nettrees: History, tmp_path: Path, release: str
) -> None:
    repository = nettrees.repository
    place = _checkout(nettrees, release, tmp_path / "tree")
    tree = repository.commit(repository.resolve(release)).tree
    applier = Applier(repository)
    oids = git(nettrees.path, "rev-list", "--no-merges", "master").split()
    verdicts = set()
    for oid in oids[::3]:
        found = loading.of_commits(repository, oid)
        diff = found.patches[0].mail.diff
        ours = applier.apply(tree, diff).tree is not None
        theirs = subprocess.run(
            ["git", "apply", "--check", "-"],
            cwd=place,
            input=diff,
            capture_output=True,
            check=False,
        )
        assert ours == (theirs.returncode == 0), oid
        verdicts.add(ours)
    assert verdicts == {True, False}


def test_a_commit_on_its_parent_gives_its_own_tree(nettrees: History) -> None:
    repository = nettrees.repository
    applier = Applier(repository)
    for mark in (12, 42, 48, 73, 80, 83, 188):
        oid = nettrees.marks[mark]
        found = application.forecast(
            repository,
            loading.of_commits(repository, oid),
            repository.resolve(f"{oid}^"),
            applier,
        )
        assert [each.state for each in found.forecasts] == [State.CLEAN]
        assert found.tree == repository.commit(oid).tree


def test_what_is_there_is_named(nettrees: History) -> None:
    repository = nettrees.repository
    upstream = loading.of_commits(repository, nettrees.marks[99])
    [one] = application.forecast(repository, upstream, repository.resolve("linux-3.12.y")).forecasts
    assert one.state is State.ALREADY
    assert one.same_as == nettrees.marks[105]


def test_what_the_patch_was_made_on_is_never_in_the_way(nettrees: History) -> None:
    """On an older tree a patch lacks commits; none of those that both have can be to blame."""
    repository = nettrees.repository
    conflicts = 0
    for release in ("v3.11", "v3.12"):
        onto = repository.resolve(release)
        for oid in git(nettrees.path, "rev-list", "--no-merges", f"{release}..master").split():
            patch = loading.of_commits(repository, oid)
            [one] = application.forecast(repository, patch, onto).forecasts
            conflicts += one.state is State.CONFLICT
            for blocker in one.blockers:
                assert not repository.is_ancestor(blocker.oid, f"{oid}^"), (oid, blocker)
    assert conflicts


def test_a_file_of_format_patch_says_what_it_was_made_on(nettrees: History) -> None:
    """Its first line names its commit; where that is here, it blames as the commit does."""
    repository = nettrees.repository
    onto, compared = repository.resolve("v3.12"), 0
    for oid in git(nettrees.path, "rev-list", "--no-merges", "v3.12..master").split():
        raw = git(nettrees.path, "format-patch", "--stdout", "-1", oid).encode()
        posted = series.read(raw)
        assert repository.find(posted.base or "") == repository.resolve(f"{oid}^")
        [one] = application.forecast(repository, posted, onto).forecasts
        [other] = application.forecast(
            repository, loading.of_commits(repository, oid), onto
        ).forecasts
        assert one.blockers == other.blockers
        compared += one.state is State.CONFLICT
    assert compared


def test_a_range_was_made_where_it_left(nettrees: History) -> None:
    """Of `stable..topic` that is the fork, not what the stable branch became meanwhile."""
    repository = nettrees.repository
    [fork] = repository.merge_bases(repository.resolve("linux-3.12.y"), nettrees.marks[51])
    assert fork != repository.resolve("linux-3.12.y")
    assert loading.of_commits(repository, f"linux-3.12.y..{nettrees.marks[51]}").base == fork


def test_a_conflict_names_the_commit_in_the_way(nettrees: History) -> None:
    """As the fixture's caption has it: :120 can't do without :51."""
    repository = nettrees.repository
    before = repository.resolve(f"{nettrees.marks[51]}^")
    rename = loading.of_commits(repository, nettrees.marks[51])
    after = application.forecast(repository, rename, before)
    assert after.holds
    # The other way round, a patch made before it on a tree that has it:
    old = commit_on(nettrees, before)
    [one] = application.forecast(repository, old, nettrees.marks[51]).forecasts
    assert one.state is State.CONFLICT
    assert nettrees.marks[51] in {blocker.oid for blocker in one.blockers}
    assert one.conflicts[0][0] == "net/core/dev.c"


def commit_on(history: History, before: str) -> series.Series:
    """Return a patch that changes a line which :51 changes too."""
    text = git(history.path, "show", f"{before}:net/core/dev.c")
    line = next(line for line in text.splitlines() if "rxhash" in line)
    number = text.splitlines().index(line) + 1
    context = text.splitlines()[number : number + 2]
    diff = (
        f"--- a/net/core/dev.c\n+++ b/net/core/dev.c\n@@ -{number},3 +{number},3 @@\n"
        f"-{line}\n+{line} /* rx */\n" + "".join(f" {each}\n" for each in context)
    )
    return series.read(f"From: a@example.org\nSubject: [PATCH] x\n\n---\n{diff}".encode())


def test_a_hunk_some_lines_off_is_said(office: History, tmp_path: Path) -> None:
    repository = office.repository
    text = "--- a/lib/a.c\n+++ b/lib/a.c\n@@ -40,2 +40,3 @@\n int a0;\n+int b;\n int a1;\n"
    posted = series.read(f"From: a@example.org\nSubject: [PATCH] x\n\n{text}".encode())
    [one] = application.forecast(repository, posted, office.marks[2]).forecasts
    assert (one.state, one.how) == (State.CLEAN, "1 hunk at other lines")


def test_other_blanks_and_other_context_are_no_clean_patch(office: History) -> None:
    repository = office.repository
    blanks = ("int a0;", "int  a1;", "but for blanks")
    context = ("int zz;", "int a1;", "with 1 line of context")
    for first, second, how in (blanks, context):
        text = (
            f"--- a/lib/a.c\n+++ b/lib/a.c\n@@ -1,4 +1,5 @@\n {first}\n {second}\n"
            "+int b;\n int a2;\n int a3;\n"
        )
        posted = series.read(f"From: a@example.org\nSubject: [PATCH] x\n\n{text}".encode())
        [one] = application.forecast(repository, posted, office.marks[2]).forecasts
        assert (one.state, one.how) == (State.FUZZ, how)


def test_a_branch_is_what_git_am_makes(nettrees_copy: History, tmp_path: Path) -> None:
    history = nettrees_copy
    repository = history.repository
    mbox = tmp_path / "x.mbox"
    marks = [history.marks[mark] for mark in (42, 53)]
    onto = repository.resolve(f"{marks[0]}^")
    mbox.write_text("".join(git(history.path, "format-patch", "--stdout", "-1", m) for m in marks))
    posted = series.read(mbox.read_bytes())
    applier = Applier(repository)
    outcome = application.forecast(repository, posted, onto, applier)
    assert outcome.holds
    tip = branch.make(repository, applier, posted, outcome, "try")
    git(history.path, "checkout", "--quiet", "--detach", onto)
    git(history.path, "am", "--quiet", str(mbox))
    form = "--format=%T%n%an <%ae>%n%ad%n%B"
    theirs = git(history.path, "log", "-2", form, "HEAD")
    assert git(history.path, "log", "-2", form, "try") == theirs
    assert git(history.path, "rev-parse", "try").strip() == tip
    git(history.path, "fsck", "--connectivity-only")


def test_no_branch_where_one_patch_fails(nettrees_copy: History) -> None:
    history = nettrees_copy
    repository = history.repository
    oids = [history.marks[mark] for mark in (42, 65)]
    raw = "".join(git(history.path, "format-patch", "--stdout", "-1", oid) for oid in oids)
    posted = series.read(raw.encode())
    applier = Applier(repository)
    outcome = application.forecast(repository, posted, repository.resolve("v3.11"), applier)
    assert not outcome.holds
    before = git(history.path, "for-each-ref") + git(history.path, "count-objects", "-v")
    with pytest.raises(UsageError, match="no branch made"):
        branch.make(repository, applier, posted, outcome, "try")
    assert git(history.path, "for-each-ref") + git(history.path, "count-objects", "-v") == before


def test_a_branch_that_exists_is_never_moved(nettrees_copy: History) -> None:
    history = nettrees_copy
    repository = history.repository
    posted = loading.of_commits(repository, history.marks[42])
    applier = Applier(repository)
    onto = repository.resolve(f"{history.marks[42]}^")
    outcome = application.forecast(repository, posted, onto, applier)
    for name, words in (("net", "exists"), ("..", "no name for a branch")):
        with pytest.raises(UsageError, match=words):
            branch.make(repository, applier, posted, outcome, name)


# --- reverts --------------------------------------------------------------------------------------


def test_git_revert_says_the_same(nettrees_copy: History) -> None:
    history = nettrees_copy
    repository = history.repository
    git(history.path, "checkout", "--quiet", "--detach", "master")
    states = set()
    for oid in git(history.path, "rev-list", "--no-merges", "-60", "master").split()[::4]:
        ours = revert.forecast(repository, oid, repository.resolve("master"), None)
        done = subprocess.run(
            ["git", "-C", str(history.path), "revert", "--no-edit", oid],
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            assert ours.tree == git(history.path, "rev-parse", "HEAD^{tree}").strip()
        else:
            # git also refuses what changes nothing.
            assert ours.tree is None or ours.changes_nothing
        states.add(done.returncode == 0)
        git(history.path, "reset", "--quiet", "--hard", "master")
    assert states == {True, False}


def test_a_revert_names_what_would_break(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, {"net/a.c": "int a(void)\n{\n\treturn 1;\n}\n"}, "begin")
    helper = {"net/b.c": "int demo_helper(void)\n{\n\treturn 2;\n}\n"}
    brought = commit(tmp_path, helper, "net: add demo_helper()")
    text = "int a(void)\n{\n\treturn demo_helper();\n}\n"
    user = commit(tmp_path, {"net/a.c": text}, "net: use it")
    repository = History(tmp_path, {}).repository
    found = revert.forecast(repository, brought, user, None)
    assert found.tree is not None
    assert not found.holds
    [use] = found.uses
    assert (use.name, use.path, use.line, use.by) == ("demo_helper", "net/a.c", 3, user)


def test_a_revert_knows_who_follows(nettrees: History) -> None:
    from kbisect.history import store

    repository = nettrees.repository
    index = store.load(repository.store)
    found = revert.forecast(repository, nettrees.marks[99], repository.resolve("master"), index)
    assert nettrees.marks[143] in {each.oid for each in found.later if each.kind == "fixes"}


# --- rebases --------------------------------------------------------------------------------------


def test_what_went_upstream_is_dropped(nettrees: History) -> None:
    """The stable branch moved onto mainline: the caption says what is there already."""
    repository = nettrees.repository
    base = repository.resolve("v3.12")
    tip, master = (repository.resolve(name) for name in ("linux-3.12.y", "master"))
    found = rebase.forecast(repository, base, tip, master)
    fates = {step.oid: step for step in found.steps}
    wanted = 0
    for row in planted_table("Already there"):
        # :136 names another commit of the same patch; :178 has no marker that counts.
        for mark in marks_in(row[1]):
            step = fates.get(nettrees.marks[mark])
            if step is not None and step.fate is Fate.UPSTREAM:
                assert step.upstream in {nettrees.marks[m] for m in marks_in(row[0])}
                wanted += 1
    assert wanted >= 15
    releases = [step for step in found.steps if step.subject.startswith("Linux 3.12.")]
    assert {step.fate for step in releases} == {Fate.CONFLICT}
    assert all(step.conflicts == ("Makefile",) for step in releases)


def test_a_rebase_gives_what_git_rebase_gives(nettrees_copy: History) -> None:
    history = nettrees_copy
    repository = history.repository
    old, new = (repository.resolve(name) for name in ("net-next~3", "net-next"))
    onto = repository.resolve("net")
    found = rebase.forecast(repository, old, new, onto)
    assert found.holds
    rebase.make(repository, found, "moved")
    git(history.path, "checkout", "--quiet", "--detach", new)
    git(history.path, "rebase", "--quiet", "--onto", onto, old)
    form = "--format=%T%n%an%n%ad%n%B"
    ours = git(history.path, "log", form, "net..moved")
    assert ours == git(history.path, "log", form, "net..HEAD")


def test_ranges_that_cannot_move_are_refused(nettrees: History) -> None:
    repository = nettrees.repository
    old, new = repository.resolve("v3.11"), repository.resolve("v3.12")
    with pytest.raises(UsageError, match="holds a merge"):
        rebase.forecast(repository, old, new, new)
    with pytest.raises(UsageError, match="no commits"):
        rebase.forecast(repository, new, old, new)


def test_what_a_mail_from_the_list_was_made_of_is_never_in_the_way(tmp_path: Path) -> None:
    """It names no base, but its index lines name the blobs; a line gone long before comes back."""
    git(tmp_path, "init", "--quiet")
    lines = [f"int line_{n};\n" for n in range(30)]
    commit(tmp_path, {"net/a.c": "".join(["int fresh;\n", *lines])}, "begin")
    commit(tmp_path, {"net/a.c": "".join(lines)}, "net: drop fresh")
    lines[10:10] = ["int fresh;\n"]
    commit(tmp_path, {"net/a.c": "".join(lines)}, "net: bring fresh back")
    changed = "".join(lines).replace("int fresh;\n", "int fresh = 1;\n")
    commit(tmp_path, {"net/a.c": changed}, "net: set it")
    raw = git(tmp_path, "format-patch", "--stdout", "-1").encode().split(b"\n", 1)[1]
    posted = series.read(raw)
    assert posted.base is None
    git(tmp_path, "reset", "--quiet", "--hard", "HEAD~1")
    near = "".join(lines).replace("int line_10;\n", "int other_10;\n")
    blocker = commit(tmp_path, {"net/a.c": near.replace("int line_9;\n", "")}, "net: around it")
    [found] = application.forecast(History(tmp_path, {}).repository, posted, blocker).forecasts
    assert found.state is State.CONFLICT
    assert [each.oid for each in found.blockers] == [blocker]


def test_a_patch_has_the_same_in_its_way_alone_and_among_others(nettrees: History) -> None:
    repository = nettrees.repository
    onto, compared = repository.resolve("v3.12"), 0
    oids = git(nettrees.path, "rev-list", "--no-merges", "v3.12..master").split()[:40]
    mails = {
        oid: git(nettrees.path, "format-patch", "--stdout", "-1", oid).encode() for oid in oids
    }
    for first, oid in pairwise(oids):
        [alone] = application.forecast(repository, series.read(mails[oid]), onto).forecasts
        if alone.state is not State.CONFLICT:
            continue
        both = series.read(mails[first] + mails[oid])
        after = application.forecast(repository, both, onto).forecasts[1]
        if after.conflicts == alone.conflicts:
            assert after.blockers == alone.blockers
            compared += 1
    assert compared


def test_a_conflict_without_anybody_in_the_way_says_what_it_wants() -> None:
    conflict = application.Forecast("x", State.CONFLICT, None, "", (("a.c", 3),))
    assert list(patch_forecast.lines(conflict))[-1].endswith("it wants what it was made on")

# SPDX-License-Identifier: GPL-2.0-or-later
"""The stable branch of the fixture, fix by fix.

What is expected stands in the fixture's caption, which was checked with `git cherry-pick`; here git
is asked again whether each candidate applies.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from kbisect.backport.candidates import Survey, survey
from kbisect.backport.fixes import Candidate, Reason, Standing, Strength
from kbisect.backport.forecast import Forecast, State, forecasts
from kbisect.backport.notices import wants
from kbisect.backport.relations import with_coming
from kbisect.backport.wishes import Wishes
from kbisect.errors import UsageError
from kbisect.history.store import Index
from kbisect.report.backport import column
from tests.conftest import History, Run, git, marks_in, planted_table


@pytest.fixture(scope="module")
def surveyed(nettrees: History, nettrees_index: Index) -> Survey:
    branch = git(nettrees.path, "rev-parse", "linux-3.12.y").strip()
    upstream = git(nettrees.path, "rev-parse", "master").strip()
    return survey(nettrees.repository, nettrees_index, branch, upstream)


@pytest.fixture(scope="module")
def tried(nettrees: History, nettrees_index: Index, surveyed: Survey) -> dict[str, Forecast]:
    found = forecasts(nettrees.repository, nettrees_index, surveyed)
    return {one.candidate.oid: one for one in found}


def test_every_missing_fix_is_listed_and_nothing_else(nettrees: History, surveyed: Survey) -> None:
    planted = {
        nettrees.marks[marks_in(row[0])[0]] for row in planted_table("Missing, to be listed")
    }
    assert {candidate.oid for candidate in surveyed.candidates} == planted


def test_what_is_there_already_is_known_in_every_form(nettrees: History, surveyed: Survey) -> None:
    expected = {}
    for row in planted_table("Already there"):
        if "outside the scope" in row[2]:
            continue
        for mark in marks_in(row[0]):
            expected[nettrees.marks[mark]] = nettrees.marks[marks_in(row[1])[0]]
    assert {match.oid: match.on_branch for match in surveyed.already} == expected


def test_what_is_set_aside_says_why(nettrees: History, surveyed: Survey) -> None:
    standing = {item.oid: item.standing for item in surveyed.excluded}
    expected = {
        145: Standing.EXCLUDED,
        146: Standing.UNAFFECTED,
        147: Standing.REVERTED,
        112: Standing.REVERTED,
        150: Standing.OPT_OUT,
        206: Standing.NOT_YET,
        212: Standing.NOT_YET,
    }
    assert {mark: standing.get(nettrees.marks[mark]) for mark in expected} == expected
    assert all(item.why for item in surveyed.excluded)


def test_applies_is_what_git_cherry_pick_says(
    nettrees: History, surveyed: Survey, tried: dict[str, Forecast], tmp_path: Path
) -> None:
    worktree = tmp_path / "worktree"
    git(nettrees.path, "worktree", "add", "--quiet", "--detach", str(worktree), surveyed.branch)
    try:
        for oid, forecast in tried.items():
            done = subprocess.run(
                ["git", "-C", str(worktree), "cherry-pick", oid], capture_output=True, check=False
            )
            assert (done.returncode == 0) == (not forecast.conflicts), forecast.candidate.subject
            git(worktree, "reset", "--quiet", "--hard", surveyed.branch)
    finally:
        git(nettrees.path, "worktree", "remove", "--force", str(worktree))


@pytest.mark.parametrize(
    ("mark", "state", "needs"),
    [
        (132, State.CLEAN_AFTER, [77]),
        (157, State.CLEAN_AFTER, [125]),
        (168, State.CLEAN_AFTER, [143]),
        (120, State.CONFLICT, [51]),
        (121, State.CONFLICT, [65]),
        (114, State.CLEAN, []),
    ],
)
def test_prerequisites_are_proved_by_replay(
    nettrees: History, tried: dict[str, Forecast], mark: int, state: State, needs: list[int]
) -> None:
    forecast = tried[nettrees.marks[mark]]
    assert forecast.state is state
    assert list(forecast.prerequisites) == [nettrees.marks[need] for need in needs]


def test_a_weak_reason_looks_weak(nettrees: History, surveyed: Survey) -> None:
    by_oid = {candidate.oid: candidate for candidate in surveyed.candidates}
    prose = by_oid[nettrees.marks[144]]
    assert prose.strength is not Strength.STRONG
    assert [reason.weak for reason in prose.reasons] == [True]
    repaired = by_oid[nettrees.marks[148]]
    assert any(reason.weak for reason in repaired.reasons)


def test_a_follow_up_is_named(nettrees: History, surveyed: Survey) -> None:
    by_oid = {candidate.oid: candidate for candidate in surveyed.candidates}
    assert by_oid[nettrees.marks[125]].followups == (nettrees.marks[157],)


def test_a_target_that_is_only_a_candidate_is_not_said_to_be_here(
    nettrees: History, tried: dict[str, Forecast]
) -> None:
    forecast = tried[nettrees.marks[157]]
    assert forecast.candidate.coming == (nettrees.marks[125],)
    assert not forecast.candidate.here
    assert column(forecast).endswith(" ]")
    here = [column(each) for each in tried.values() if each.candidate.here]
    assert here
    assert all(mark.endswith("R]") for mark in here)


def test_who_mends_only_what_is_not_to_be_taken_is_weak_itself() -> None:
    def fix(oid: str, *targets: str, strength: Strength = Strength.STRONG) -> Candidate:
        reasons = tuple(Reason("fixes", f"Fixes: {target}", target) for target in targets)
        return Candidate(oid, "", None, strength, reasons, (), (), ())

    found = with_coming(
        [
            fix("doubted", "here", strength=Strength.WEAK),
            fix("its fix", "doubted"),
            fix("that one's", "its fix"),
            fix("of both", "here", "doubted"),
            fix("of a good one", "of both"),
        ]
    )

    weak = [each.oid for each in found if each.strength is Strength.WEAK]
    assert weak == ["doubted", "its fix", "that one's"]
    assert found[1].doubt == "mends what isn't to be taken: doubted"


def test_paths_narrow_the_list(nettrees: History, nettrees_index: Index, surveyed: Survey) -> None:
    narrow = survey(
        nettrees.repository,
        nettrees_index,
        surveyed.branch,
        surveyed.upstream,
        Wishes(paths=["net/bluetooth/"]),
    )
    touching = set(
        git(nettrees.path, "log", "--format=%H", "master", "--", "net/bluetooth").split()
    )
    expected = [c.oid for c in surveyed.candidates if c.oid in touching]
    assert [c.oid for c in narrow.candidates] == expected
    assert expected


def test_nothing_is_written_into_the_repository(nettrees: History, kbisect: Run) -> None:
    objects = nettrees.path / ".git" / "objects"
    before = sorted(objects.rglob("*"))
    assert kbisect("-C", nettrees.path, "backport", "list", "linux-3.12.y").returncode == 0
    assert sorted(objects.rglob("*")) == before
    assert git(nettrees.path, "status", "--porcelain") == ""


def test_json_and_exit_code(nettrees: History, kbisect: Run) -> None:
    done = kbisect("-C", nettrees.path, "backport", "list", "linux-3.12.y", "--json", "--exit-code")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["schema"] == "kbisect.backport-list/1"
    assert {"oid", "subject", "strength", "state", "reasons", "prerequisites", "followups"} <= set(
        found["candidates"][0]
    )
    assert {"oid", "as", "evidence"} <= set(found["already"][0])


def test_a_branch_that_contains_upstream_is_an_error(
    nettrees: History, nettrees_index: Index
) -> None:
    tip = git(nettrees.path, "rev-parse", "net-next").strip()
    base = git(nettrees.path, "rev-parse", "v3.12^{commit}").strip()
    with pytest.raises(UsageError, match="contains all of upstream"):
        survey(nettrees.repository, nettrees_index, tip, base)


@pytest.mark.parametrize(
    ("note", "base", "wanted"),
    [
        (None, "v3.12", True),
        ("v3.11+", "v3.12", True),
        ("v3.13+", "v3.12", False),
        ("[2.6.32+]", "v3.12", True),
        (">= 5.4", "v5.3", False),
        ("5.4.x", "v5.4", True),
        ("5.4.x", "v5.10", False),
        ("v5.4..v5.10", "v5.10", True),
        ("v5.4..v5.10", "v5.15", False),
        ("3.2.y, 3.4.y", "v3.4", True),
        ("2.6.32", "v2.6.33", False),
        ("after -rc3", "v3.12", True),
        ("please take this", "v3.12", True),
        ("3.2 and later", "v3.4", True),
    ],
)
def test_versions_that_a_notice_asks_for(note: str | None, base: str, wanted: bool) -> None:
    assert wants(note, base) is wanted


def test_what_a_branch_takes_later_is_not_elsewhere(
    nettrees: History, nettrees_index: Index
) -> None:
    fork = git(nettrees.path, "merge-base", "linux-3.12.y", "master").strip()
    upstream = git(nettrees.path, "rev-parse", "master").strip()
    found = survey(nettrees.repository, nettrees_index, fork, upstream)
    own = f"{fork}..linux-3.12.y"
    later = git(nettrees.path, "log", "--format=%B", own)
    others = git(nettrees.path, "log", "--all", "--not", "linux-3.12.y", "--format=%B")
    taken = [each for each in found.candidates if each.oid in later and each.oid not in others]
    assert len(taken) > 5
    assert not any(each.elsewhere for each in taken)

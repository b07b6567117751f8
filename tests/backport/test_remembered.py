# SPDX-License-Identifier: GPL-2.0-or-later
"""What a list has found out, the next question about it needn't."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kbisect.backport import forecast, remembered
from kbisect.backport.candidates import Survey, survey
from kbisect.backport.fixes import Strength
from kbisect.git.repository import Repository
from kbisect.history.store import Index
from tests.conftest import History, Run, git


@pytest.fixture
def surveyed(nettrees: History, nettrees_index: Index) -> Survey:
    branch, upstream = (
        git(nettrees.path, "rev-parse", name).strip() for name in ("linux-3.12.y", "master")
    )
    return survey(nettrees.repository, nettrees_index, branch, upstream)


@pytest.fixture
def repository(nettrees: History, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The fixture's repository with a store that remembers nothing yet."""
    return Repository.open(nettrees.path, tmp_path_factory.mktemp("store"))


def test_the_second_answer_is_the_first_without_a_pick(
    repository: Repository,
    nettrees_index: Index,
    surveyed: Survey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = remembered.forecasts(repository, nettrees_index, surveyed)
    assert first == list(forecast.forecasts(repository, nettrees_index, surveyed))
    monkeypatch.setattr(forecast, "forecasts", None)
    assert remembered.forecasts(repository, nettrees_index, surveyed) == first


def test_another_question_is_answered_anew(
    repository: Repository, nettrees_index: Index, surveyed: Survey
) -> None:
    remembered.forecasts(repository, nettrees_index, surveyed)
    weak = replace(surveyed.candidates[0], strength=Strength.WEAK)
    for candidates in (surveyed.candidates[1:], (weak, *surveyed.candidates[1:])):
        kept = remembered.Remembered(repository.store, nettrees_index, surveyed, candidates)
        assert kept.get() is None


@pytest.mark.parametrize("damage", [b"", b"[", b"[]", b'[["clean", [], []]]', b"{}"])
def test_a_damaged_file_is_worked_out_again(
    repository: Repository, nettrees_index: Index, surveyed: Survey, damage: bytes
) -> None:
    first = remembered.forecasts(repository, nettrees_index, surveyed)
    (kept,) = (repository.store / "backport" / "forecasts").iterdir()
    kept.write_bytes(damage)
    assert remembered.forecasts(repository, nettrees_index, surveyed) == first


def test_only_the_last_runs_are_kept(
    repository: Repository,
    nettrees_index: Index,
    surveyed: Survey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remembered, "_MOST", 2)
    for candidate in surveyed.candidates[:4]:
        remembered.forecasts(repository, nettrees_index, surveyed, [candidate])
    assert len(list((repository.store / "backport" / "forecasts").iterdir())) == 2


def test_explain_says_what_the_list_says(nettrees: History, kbisect: Run) -> None:
    def asked(*words: str) -> dict[str, object]:
        done = kbisect("-C", nettrees.path, "backport", *words, "linux-3.12.y", "--json")
        return dict(json.loads(done.stdout))

    listed = asked("list")["candidates"]
    assert isinstance(listed, list)
    for row in listed[-3:]:
        assert asked("explain", row["oid"])["candidate"] == row

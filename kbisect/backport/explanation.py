# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole reasoning for one commit: why it should be taken, or why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kbisect.backport.candidates import Survey
from kbisect.backport.fixes import Candidate, Excluded
from kbisect.backport.forecast import Forecast
from kbisect.backport.remembered import Remembered, forecasts
from kbisect.git.repository import Repository
from kbisect.history.identity import Match, Removal
from kbisect.history.store import Index


class Verdict(StrEnum):
    """What a commit is to a branch."""

    CANDIDATE = "candidate"
    IN_BASE = "in base"
    ALREADY = "already there"
    SET_ASIDE = "set aside"
    NOT_UPSTREAM = "not upstream"
    OUT_OF_SCOPE = "out of scope"
    UNMARKED = "no candidate"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One commit beside one branch; what doesn't apply is None."""

    oid: str
    subject: str
    verdict: Verdict
    why: str
    forecast: Forecast | None = None
    match: Match | None = None
    excluded: Excluded | None = None
    removal: Removal | None = None


def explain(repository: Repository, index: Index, surveyed: Survey, oid: str) -> Explanation:
    """Say what a commit is to the branch of a survey.

    Raises
    ------
    UsageError
        The commit came after the index was made.
    """
    number = index.number(oid)
    subject = repository.commit(oid).subject
    removal = next((each for each in surveyed.removals if each.oid == oid), None)
    before = [each for each in surveyed.candidates if index.number(each.oid) <= number]
    if before and before[-1].oid == oid:
        forecast = _forecast(repository, index, surveyed, before)
        why = "; ".join(reason.text for reason in before[-1].reasons)
        return Explanation(oid, subject, Verdict.CANDIDATE, why, forecast, removal=removal)
    match = next((each for each in surveyed.already if each.oid == oid), None)
    if match:
        why = f"as {match.on_branch[:12]}, by {match.evidence}"
        return Explanation(oid, subject, Verdict.ALREADY, why, match=match)
    excluded = next((each for each in surveyed.excluded if each.oid == oid), None)
    if excluded:
        why = f"{excluded.standing.value}: {excluded.why}"
        return Explanation(oid, subject, Verdict.SET_ASIDE, why, excluded=excluded, removal=removal)
    verdict, why = _otherwise(index, surveyed, oid, number)
    return Explanation(oid, subject, verdict, why, removal=removal)


def _forecast(
    repository: Repository, index: Index, surveyed: Survey, before: Sequence[Candidate]
) -> Forecast:
    """Forecast the last of some candidates: as the list did, or behind those of the same files."""
    listed = Remembered(repository.store, index, surveyed, surveyed.candidates).get()
    if listed is not None:
        return listed[len(before) - 1]
    files = set(before[-1].files)
    near = [each for each in before if files & {*each.files}]
    return forecasts(repository, index, surveyed, near)[-1]


def _otherwise(index: Index, surveyed: Survey, oid: str, number: int) -> tuple[Verdict, str]:
    on_branch, upstream = (
        bool(index.graph.ancestors([index.number(tip)])[number])
        for tip in (surveyed.branch, surveyed.upstream)
    )
    if on_branch and upstream:
        return Verdict.IN_BASE, "the branch grew from it"
    if on_branch:
        return Verdict.ALREADY, "it is a commit of the branch itself"
    if not upstream:
        return Verdict.NOT_UPSTREAM, "upstream doesn't contain it"
    if len(index.graph.parents_of(number)) > 1:
        return Verdict.OUT_OF_SCOPE, "it is a merge: ask for the commits that it brought"
    if not index.rows("SELECT 1 FROM commits WHERE oid = ?", [oid]):
        return Verdict.OUT_OF_SCOPE, "it touches nothing in the index's scope"
    return (
        Verdict.UNMARKED,
        "its message has no Fixes, blame, revert or Cc: stable that reaches the branch",
    )

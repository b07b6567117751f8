# SPDX-License-Identifier: GPL-2.0-or-later
"""The API changes of a series: in a tree that takes it, or by the commits that carry it already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kbisect.api import comparison, surface
from kbisect.api.findings import Finding
from kbisect.api.headers import Headers, sides
from kbisect.api.scope import Scope
from kbisect.git import patches
from kbisect.git.application import Applier
from kbisect.git.blobs import Files
from kbisect.git.repository import Repository
from kbisect.git.snapshot import Snapshot
from kbisect.patch.application import Forecast, Outcome
from kbisect.patch.series import Series

CARRIERS = "the commits that carry it"
"""Instead of a tree's name."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a series does to the API.

    Attributes
    ----------
    findings : changes of declarations in public headers
    where : the tree they were compared in, or `CARRIERS`; None where they could not be
    """

    findings: tuple[Finding, ...]
    where: str | None


def of_series(
    repository: Repository, applier: Applier, series: Series, outcomes: Mapping[str, Outcome]
) -> Changes:
    """Compare the public headers that a series touches, before and after it.

    Parameters
    ----------
    outcomes : tree → how the series applies to it; the first that takes it is asked
    """
    headers = public(series)
    for tree, outcome in outcomes.items():
        if outcome.holds:
            whole = (outcome.onto, outcome.tree)
            return Changes(tuple(_between(applier.gitdir, whole, headers)), tree)
    for outcome in outcomes.values():
        carried = [_carried(repository, each) for each in outcome.forecasts]
        ends = [each for each in carried if each is not None]
        if len(ends) == len(carried):
            found = (one for pair in ends for one in _between(repository.gitdir, pair, headers))
            return Changes(tuple(found), CARRIERS)
    return Changes((), None)


def _carried(repository: Repository, forecast: Forecast) -> tuple[str, str] | None:
    """Return the commit before, and the one that carries a patch; None where that is unknown."""
    if forecast.same_as is None:
        return None
    parents = repository.commit(forecast.same_as).parents
    return (parents[0], forecast.same_as) if parents else None


def public(series: Series) -> set[str]:
    """Return the headers of the API that a series touches."""
    return {path for path in series.paths if surface.is_public(path)}


def _between(gitdir: Path, ends: tuple[str, str], headers: set[str]) -> Iterator[Finding]:
    if not headers:
        return
    old, new = ends
    whole = patches.between(gitdir, old, new)
    changed = [file for file in whole.files if file.path in headers]
    before = _files(gitdir, old, {file.path: file.old_blob for file in changed})
    after = _files(gitdir, new, {file.path: file.new_blob for file in changed})
    known = Headers(None, {**before.loaded, **after.loaded})
    # The patch itself is the history: what its callers do tells a rename from a removal.
    yield from comparison.along(
        *sides(before, after, known, Scope()), known, [whole], Scope()
    ).findings


def _files(gitdir: Path, oid: str, blobs: Mapping[str, str]) -> Files:
    found = Snapshot(gitdir, oid).read(blobs)
    return Files(
        {path: blobs[path] for path in found},
        {blobs[path]: content for path, content in found.items()},
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""Forecasts of an earlier run, kept below `<store>/backport/forecasts/`.

Whoever reads a list asks next to have it as mails, or as a branch: the same thousand picks once
more. What they say rests on the index, the two tips and the candidates alone, so nothing here goes
stale. What can't be read or written is worked out again: it is never an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kbisect.backport import forecast
from kbisect.backport.candidates import Survey
from kbisect.backport.fixes import Candidate
from kbisect.backport.forecast import Forecast, State
from kbisect.backport.silent import Absent
from kbisect.git.repository import Repository
from kbisect.history.store import Index

_RULES = 5
"""Counts up whenever the same survey would give other forecasts."""
_MOST = 32
"""Runs that are kept; each takes some 0.3 MB for a thousand candidates."""


class Remembered:
    """The forecasts of some candidates of one survey."""

    def __init__(
        self, store: Path, index: Index, surveyed: Survey, candidates: Sequence[Candidate]
    ) -> None:
        self._candidates = candidates
        tried = [[each.oid, each.strength, each.named] for each in candidates]
        asked = [_RULES, index.meta.files, surveyed.branch, surveyed.upstream, tried]
        name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]
        self._path = store / "backport" / "forecasts" / f"{name}.json"

    def get(self) -> list[Forecast] | None:
        """Return what was found, None when it wasn't asked before."""
        try:
            rows = json.loads(self._path.read_bytes())
            found = [
                Forecast(
                    candidate,
                    State(state),
                    tuple(prerequisites),
                    tuple(conflicts),
                    tuple(blockers),
                    tuple(Absent(*each) for each in absent),
                    in_turn,
                )
                for candidate, (
                    state,
                    (prerequisites, conflicts, blockers),
                    absent,
                    in_turn,
                ) in zip(self._candidates, rows, strict=True)
            ]
            os.utime(self._path)
        except (OSError, ValueError, TypeError):
            return None
        return found

    def put(self, tried: Sequence[Forecast]) -> None:
        """Keep what was found, in one step, and of earlier runs the last."""
        rows = [
            [
                each.state,
                [each.prerequisites, each.conflicts, each.blockers],
                [[absent.name, absent.commit] for absent in each.absent],
                each.in_turn,
            ]
            for each in tried
        ]
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(rows, file, separators=(",", ":"))
            Path(beside).replace(self._path)
            # Also what was left half written.
            by_age = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
            for old in by_age[:-_MOST]:
                old.unlink()
        except OSError:
            return


def forecasts(
    repository: Repository,
    index: Index,
    surveyed: Survey,
    chosen: Sequence[Candidate] | None = None,
) -> list[Forecast]:
    """Try the candidates of a survey (or some of them) as `forecast.forecasts`, or remember it."""
    candidates = surveyed.candidates if chosen is None else chosen
    kept = Remembered(repository.store, index, surveyed, candidates)
    found = kept.get()
    if found is None:
        found = list(forecast.forecasts(repository, index, surveyed, candidates))
        kept.put(found)
    return found

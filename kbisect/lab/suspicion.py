# SPDX-License-Identifier: GPL-2.0-or-later
"""Which candidates are suspected: by the index's scope, and by paths that the user named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kbisect.bisect import priors, traits
from kbisect.bisect.candidates import Candidates
from kbisect.git.repository import Repository
from kbisect.history import store
from kbisect.history.graph import Mask

_RECORDS = """
SELECT c.subsystem, count(*), count(b.target) FROM commits c
LEFT JOIN (
    SELECT DISTINCT l.target FROM links l JOIN commits f ON f.oid = l.oid
    WHERE l.kind IN ('fixes', 'blames') AND f.commit_time < $1
) b ON b.target = c.oid
WHERE c.commit_time < $1 GROUP BY ALL
"""
_LOOKS = """
SELECT c.oid, c.subject, c.subsystem, (SELECT count(*) FROM changes h WHERE h.oid = c.oid)
FROM commits c WHERE c.oid IN (SELECT unnest(?))
"""


def in_scope(repository: Repository, candidates: Candidates) -> Mask | None:
    """Mark the candidates that the index holds as in scope; None without an index."""
    try:
        rows = store.load(repository.store).rows("SELECT oid FROM commits")
    except (store.NoIndex, store.IndexDamaged):
        return None
    # A candidate that came after the index was made counts as outside: suspected less, not never.
    return _marked(candidates, [oid for (oid,) in rows])


def looks(repository: Repository, candidates: Candidates) -> list[traits.Look | None]:
    """Return what the index tells of each candidate, by number; None of what it doesn't hold.

    The record of a subsystem counts only culprits that were known when the bad end was made: a fix
    that came later would tell the answer.
    """
    found: list[traits.Look | None] = [None] * len(candidates)
    try:
        index = store.load(repository.store)
    except (store.NoIndex, store.IndexDamaged):
        return found
    now = int(candidates.graph.times[-1])
    totals = index.rows(_RECORDS, [now])
    common = sum(row[2] for row in totals) / max(1, sum(row[1] for row in totals))
    records = {name: traits.record(bad, all_, common) for name, all_, bad in totals}
    oids = list(candidates.number)
    for oid, subject, subsystem, files in index.rows(_LOOKS, [oids]):
        look = traits.Look(subject, files, records.get(subsystem, 1.0))
        found[candidates.number[oid]] = look
    return found


def weigh(
    repository: Repository,
    candidates: Candidates,
    suspected: Mask | None = None,
    traced: Mask | None = None,
) -> priors.Prior:
    """Return the default prior: paths named, files of a trace, scope, the look of commits."""
    factors = traits.factors(looks(repository, candidates))
    scoped = in_scope(repository, candidates)
    return priors.weigh(len(candidates), scoped, suspected, traced, factors)


def touching(
    repository: Repository,
    candidates: Candidates,
    bad: str,
    goods: Sequence[str],
    paths: Sequence[str],
) -> Mask:
    """Mark the candidates, merges not among them, that change one of these paths."""
    asked = "".join(f"{line}\n" for line in (bad, *(f"^{good}" for good in goods), "--", *paths))
    arguments = ("rev-list", "--no-merges", "--full-history", "--stdin")
    with repository.stream(*arguments, stdin=[asked.encode()]) as lines:
        return _marked(candidates, [line.decode("ascii").strip() for line in lines])


def _marked(candidates: Candidates, oids: Sequence[str]) -> Mask:
    found = np.zeros(len(candidates), np.bool_)
    for oid in oids:
        index = candidates.number.get(oid)
        if index is not None:
            found[index] = True
    return found

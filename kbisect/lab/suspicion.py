# SPDX-License-Identifier: GPL-2.0-or-later
"""Which candidates are suspected: by the index's scope, and by paths that the user named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kbisect.bisect.candidates import Candidates
from kbisect.git.repository import Repository
from kbisect.history import store
from kbisect.history.graph import Mask


def in_scope(repository: Repository, candidates: Candidates) -> Mask | None:
    """Mark the candidates that the index holds as in scope; None without an index."""
    try:
        rows = store.load(repository.store).rows("SELECT oid FROM commits")
    except (store.NoIndex, store.IndexDamaged):
        return None
    # A candidate that came after the index was made counts as outside: suspected less, not never.
    return _marked(candidates, [oid for (oid,) in rows])


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

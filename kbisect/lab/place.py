# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a step runs: the repository and the store, here or on a worker with a clone of its own."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kbisect.errors import MachineLost
from kbisect.git.process import GitFailed
from kbisect.git.repository import Repository
from kbisect.git.worktree import Scratch
from kbisect.lab import slots

CLONE, STORE = "KBISECT_CLONE", "KBISECT_STORE"
"""In a Dask worker's environment: its own clone, and its own store if that isn't in the clone."""
_preparing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Place:
    """A repository and a store. Travels to a worker, so it holds plain values only.

    Attributes
    ----------
    since : of the campaign, so that another one looks at the references anew
    checkout : whether steps run in a worktree
    """

    repository: Path
    store: Path
    since: float
    checkout: bool = True

    def here(self) -> Place:
        """Return the place on the machine that this runs on."""
        clone = os.environ.get(CLONE)
        if clone is None:
            return self
        repository = Repository.open(clone, os.environ.get(STORE))
        return Place(repository.gitdir, repository.store, self.since, self.checkout)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it isn't where the campaign keeps its files."""
        return CLONE in os.environ

    @property
    def prefix(self) -> str:
        """What the names of its slots begin with: several machines may share a store."""
        return f"{socket.gethostname()}-" if self.is_elsewhere else ""

    def scratch(self, *oids: str) -> Scratch:
        """Return its scratch repository, which has these commits.

        Raises
        ------
        MachineLost
            This machine's clone lacks one; nothing is known of the commit.
        """
        with _preparing:  # threads of one process would write the same files
            scratch = _scratch(self)
        for oid in oids:
            if not _has(self, oid):
                raise MachineLost(
                    f"the clone {self.repository} of this worker lacks {oid[:12]}",
                    hint="fetch there what is fetched here: kbisect sync, or git fetch --all",
                )
        return scratch


def clean(place: Place) -> None:
    """On a worker with a clone of its own, remove what its slots held."""
    here = place.here()
    if here.is_elsewhere:
        slots.clean(Repository.open(here.repository, here.store))


@lru_cache(maxsize=4)
def _scratch(place: Place) -> Scratch:
    return Scratch.prepare(Repository.open(place.repository, place.store))


def _has(place: Place, oid: str) -> bool:
    if not place.is_elsewhere:
        return True
    try:
        return Repository.open(place.repository, place.store).find(oid) is not None
    except GitFailed:
        return False

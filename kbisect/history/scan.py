# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole of the new history at a glance: the graph, and where in it the scope changes.

While git walks, the ids of the folders in scope are read, commit by commit. They tell which
commits need to be looked at, and which merges are like which of their parents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kbisect.git.commits import differing_paths
from kbisect.git.folders import Folders
from kbisect.git.repository import Repository
from kbisect.git.walks import Walk, walk
from kbisect.history.graph import CommitGraph, Ints, Mask
from kbisect.history.oids import Oids
from kbisect.history.scope import Scope

_MAKEFILE = "Makefile"


class Scan:
    """New commits, and the ids of the scope's paths at each.

    Parameters
    ----------
    scope : what counts
    before : the graph that is known, or None
    tips, old_tips : what the tips contain and the old ones don't is new
    count : called now and then with the number of commits walked

    Attributes
    ----------
    graph : CommitGraph, what is known and what is new
    first : number of the first new commit
    merges : numbers of the new merges
    """

    def __init__(
        self,
        repository: Repository,
        scope: Scope,
        before: CommitGraph | None,
        tips: Sequence[str],
        old_tips: Sequence[str],
        count: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._repository = repository
        self._scope = scope
        self._paths = list(dict.fromkeys((*scope.git_paths, _MAKEFILE)))
        self._folders = Folders(repository, self._paths)
        walked = 0

        def see(part: Walk) -> None:
            nonlocal walked
            self._folders.give(part.trees)
            walked += len(part.oids)
            count(walked)

        try:
            found = walk(repository, tips, old_tips, watch=see)
            self.first = len(before) if before else 0
            self.graph, order = CommitGraph.grown(
                before, found.oids, found.times, found.counts, found.parents
            )
            self._start = self.graph.start[self.first :]
            self.merges = _where(np.diff(self._start) > 1, self.first)
            # The old commits that new ones stand on are compared with, too.
            above = self.graph.parents[self._start[0] :]
            self._footing = np.unique(above[above < self.first])
            assert isinstance(self.graph.oids, Oids)
            self._folders.give(self.graph.oids.raw[self._footing], b"^{tree}")
            ids = self._folders.ids()
        finally:
            self._folders.close()
        # Rows: the new commits, their footing, and "nothing", with which a root is compared.
        nothing = np.zeros((1, len(self._paths)), np.int32)
        self._ids = np.concatenate((ids[: len(order)][order], ids[len(order) :], nothing))

    def changing(self) -> Ints:
        """Return the new commits, merges apart, that change something where the scope is.

        That is a folder of the scope; whether it is a file that counts, only their difference says.
        """
        places = [at for at, path in enumerate(self._paths) if path in self._scope.git_paths]
        numbers, own, above = self._plain()
        differs = (self._ids[own][:, places] != self._ids[above][:, places]).any(axis=1)
        found: Ints = numbers[differs]
        return found

    def makefiles(self) -> list[tuple[int, str]]:
        """Return the new commits, merges apart, that change the top Makefile, with its blob."""
        place = self._paths.index(_MAKEFILE)
        ids = self._ids[:, place]
        numbers, own, above = self._plain()
        differs = (ids[own] != ids[above]) & (ids[own] > 0)
        versions = ids[own[differs]].tolist()
        oids = (self._folders.oid(place, version) for version in versions)
        return list(zip(numbers[differs].tolist(), oids, strict=True))

    def sides(self) -> dict[int, list[bool]]:
        """Tell for each new merge, per parent, whether the scope is the same there."""
        own = self.merges - self.first
        counts = np.diff(self._start)[own]
        ends = np.cumsum(counts)
        nth = np.arange(counts.sum()) - np.repeat(ends - counts, counts)
        above = self.graph.parents[np.repeat(self._start[own], counts) + nth]
        alike = self._alike(np.repeat(own, counts), self._rows(above)).tolist()
        return {
            merge: alike[end - count : end]
            for merge, end, count in zip(
                self.merges.tolist(), ends.tolist(), counts.tolist(), strict=True
            )
        }

    def _rows(self, numbers: Ints) -> Ints:
        """Return where the ids of some commits stand."""
        behind = len(self.graph) - self.first + np.searchsorted(self._footing, numbers)
        rows: Ints = np.where(numbers < self.first, behind, numbers - self.first)
        return rows

    def _plain(self) -> tuple[Ints, Ints, Ints]:
        """Return the new commits that are no merges: numbers, rows, and the rows of their parents.

        The row of a root's parent is that of "nothing".
        """
        counts = np.diff(self._start)
        own = _where(counts < 2)
        above = np.full(len(own), len(self._ids) - 1, np.int32)
        child = counts[own] == 1
        above[child] = self._rows(self.graph.parents[self._start[own[child]]])
        return _where(counts < 2, self.first), own, above

    def _alike(self, left: Ints, right: Ints) -> Mask:
        """Tell whether the scope is the same in rows of ids: by folder, and only then by file."""
        whole = len(self._scope.folders)
        same: Mask = (self._ids[left, :whole] == self._ids[right, :whole]).all(axis=1)
        # The folders behind these hold more than the scope: there a difference may not count.
        for place, folder in list(enumerate(self._scope.git_paths))[whole:]:
            ours, theirs = self._ids[left, place], self._ids[right, place]
            at = np.flatnonzero(same & (ours != theirs))
            pairs = [
                (self._folders.oid(place, one), self._folders.oid(place, other))
                for one, other in zip(ours[at].tolist(), theirs[at].tolist(), strict=True)
            ]
            both = sorted({pair for pair in pairs if all(pair)})
            apart = differing_paths(self._repository, both) if both else {}
            counts = {
                pair: any(self._scope.contains(f"{folder}/{name}") for name in names)
                for pair, names in apart.items()
            }
            same[at] = [not counts.get(pair, True) for pair in pairs]
        return same


def _where(mask: Mask, first: int = 0) -> Ints:
    """Return the numbers of what is marked, when numbers begin with `first`."""
    return (np.flatnonzero(mask) + first).astype(np.int32)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What git is asked for an index: everything about the commits that a scan has found.

A commit's difference from its parent needs no other commit, so many are read by several processes,
each with a git of its own. Meanwhile what needs no message can be worked out here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future
from functools import cached_property, partial
from itertools import chain

from kbisect.git import commits as stream
from kbisect.git.aside import Aside
from kbisect.git.background import begun
from kbisect.git.repository import Repository
from kbisect.history import reader
from kbisect.history.graph import CommitGraph, Ints
from kbisect.history.oids import Oids
from kbisect.history.reader import Job
from kbisect.history.releases import Release
from kbisect.history.scan import Scan
from kbisect.history.scope import Scope
from kbisect.history.tables import Part

# More than these and the disk is the limit.
_MOST_READERS = 4
# A process takes longer to start than so many commits to read.
_FEW = 2000
_BLOCK = 500


class Harvest:
    """Reads the new commits of a scan; begins at once.

    Parameters
    ----------
    scope : what counts
    count_lines : whether lines are counted too
    """

    def __init__(
        self, repository: Repository, scan: Scan, scope: Scope, *, count_lines: bool
    ) -> None:
        # Newest first, as git packs them.
        wanted = _oids(scan.graph, scan.changing()[::-1])
        count = min(len(os.sched_getaffinity(0)), _MOST_READERS, len(wanted) // _FEW) or 1
        # Lines of old commits take longer to count, so then each reader has some of every age;
        # else each has a stretch, for which it reads few versions of MAINTAINERS.
        block = _BLOCK if count_lines else len(wanted) // count + 1
        blocks = [wanted[at : at + block] for at in range(0, len(wanted), block)]
        shares = [list(chain.from_iterable(blocks[first::count])) for first in range(count)]
        jobs = [Job(repository, oids, scope, count_lines) for oids in shares]
        self._releases: Future[Sequence[Release]] = Future()
        self._aside = [Aside() for _ in jobs] if count > 1 else []
        releases = self._releases.result
        self._parts = [
            begun(partial(reader.part_by, aside, job, releases))
            for aside, job in zip(self._aside, jobs, strict=False)
        ] or [begun(partial(reader.part, jobs[0], releases))]
        self._titles = begun(partial(_titles, repository, scan.graph, scan.merges))

    def judge_by(self, releases: Sequence[Release]) -> None:
        """Say at which releases MAINTAINERS tells a commit's subsystem; no part is done before."""
        self._releases.set_result(releases)

    @property
    def titles(self) -> dict[int, str]:
        """Subject of each merge."""
        return self._titles.result()

    @cached_property
    def parts(self) -> list[Part]:
        """The commits in scope, merges apart."""
        return [part.result() for part in self._parts]

    def close(self) -> None:
        """Let go of what is still being read."""
        self._releases.cancel()
        for each in self._aside:
            each.close()


def _oids(graph: CommitGraph, numbers: Ints) -> list[str]:
    assert isinstance(graph.oids, Oids)
    return list(Oids(graph.oids.raw[numbers]))


def _titles(repository: Repository, graph: CommitGraph, merges: Ints) -> dict[int, str]:
    if not len(merges):
        return {}
    told = stream.subjects(repository, _oids(graph, merges))
    return {merge: subject for merge, (_, subject) in zip(merges.tolist(), told, strict=True)}

# SPDX-License-Identifier: GPL-2.0-or-later
"""The commits of a range, and those that can still be the culprit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kbisect.bisect.state import Answer
from kbisect.bisect.verdict import Verdict
from kbisect.errors import UsageError
from kbisect.history.graph import CommitGraph, Mask


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the bad end contains and no good end does.

    Attributes
    ----------
    graph : CommitGraph of exactly these commits
    number : oid to its number in the graph
    parents : each commit's parents, those outside the range too
    """

    graph: CommitGraph
    number: dict[str, int]
    parents: Sequence[Sequence[str]]

    @classmethod
    def build(
        cls, rows: Iterable[tuple[str, int, Sequence[str]]], first_parent: bool = False
    ) -> Candidates:
        """Build from (oid, time, parent oids), children before parents."""
        listed = [
            (oid, time, parents[:1] if first_parent else parents) for oid, time, parents in rows
        ]
        graph = CommitGraph.build(listed)
        parents = [row[2] for row in reversed(listed)]
        return cls(graph, {oid: i for i, oid in enumerate(graph.oids)}, parents)

    def __len__(self) -> int:
        return len(self.graph)

    def suspects(self, answers: Iterable[Answer]) -> Mask:
        """Mark what can still be the culprit.

        A bad commit leaves its own ancestors, a good one removes its; a skipped commit stays, for
        nothing is known of it. Commits outside the range have nothing to say about it, since the
        range was made from the ends.

        Returns
        -------
        bool[N]

        Raises
        ------
        UsageError
            The answers contradict each other: nothing is left.
        """
        left = np.ones(len(self), np.bool_)
        bads: list[int] = []
        goods: list[int] = []
        for oid, verdict in answers:
            if oid in self.number and verdict is not Verdict.SKIP:
                (bads if verdict is Verdict.BAD else goods).append(self.number[oid])
        for bad in dict.fromkeys(bads):
            left &= self.graph.ancestors([bad])
        left &= ~self.graph.ancestors(goods)
        if not left.any():
            raise UsageError(
                "the answers contradict each other: a commit called good contains all that is bad",
                hint="take the wrong one back: kbisect bisect log, then kbisect bisect undo",
            )
        return left

    def named(self, suspects: Mask) -> tuple[str, ...]:
        """Return the oids of marked commits, parents first."""
        return tuple(self.graph.oids[i] for i in np.flatnonzero(suspects).tolist())

# SPDX-License-Identifier: GPL-2.0-or-later
"""Which upstream fixes a branch misses, each with its reasons, and which it needs not take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kbisect.backport.carried import Sayings, carried, facts, sayings
from kbisect.backport.fixes import Candidate, Excluded, Standing
from kbisect.backport.judging import Judge
from kbisect.backport.neighbours import base_release, elsewhere, grown_on, in_trees
from kbisect.backport.relations import (
    passed_over,
    strangers,
    with_coming,
    with_followups,
    with_postings,
)
from kbisect.backport.wishes import Wishes
from kbisect.errors import UsageError
from kbisect.git.blobs import at_commit
from kbisect.git.repository import Repository
from kbisect.history.graph import Mask
from kbisect.history.identity import Fact, Match, Removal
from kbisect.history.messages import LinkKind
from kbisect.history.store import Index

_TAGGED = 0.05
"""Share of commits with `Fixes:` or `Cc: stable` from which on a history tags its fixes: of the
net tree to 2011 0.2 % do, of DPDK and the kernel of today 20 to 40 %."""

_NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True)
class Survey:
    """A branch beside upstream.

    Attributes
    ----------
    branch, upstream : oids of the two tips
    base : the newest mainline release that the branch contains
    candidates : in upstream's order
    already : on the branch in another form
    removals : what the branch took and took back
    excluded : in upstream's order
    missing : bool[N], upstream's commits that the branch has in no form
    examined : upstream's commits in scope that were looked at
    outside : upstream's other commits that the branch lacks, merges apart
    looked_in : folders that count; empty means the network's
    tags : whether this history marks its fixes as a rule
    """

    branch: str
    upstream: str
    base: str | None
    candidates: tuple[Candidate, ...]
    already: tuple[Match, ...]
    removals: tuple[Removal, ...]
    excluded: tuple[Excluded, ...]
    missing: Mask
    examined: int
    outside: int
    looked_in: tuple[str, ...]
    tags: bool


def survey(
    repository: Repository,
    index: Index,
    branch: str,
    upstream: str,
    wishes: Wishes = _NO_WISHES,
) -> Survey:
    """Look through upstream for fixes that a branch misses.

    Parameters
    ----------
    branch, upstream : oids

    Raises
    ------
    UsageError
        The two have no common history, or upstream has nothing that the branch lacks.
    """
    graph = index.graph
    here = graph.ancestors([index.number(branch)])
    there = graph.ancestors([index.number(upstream)])
    _require_sides(here, there)
    touched = _files(index)
    inside = _below(touched, wishes.paths)
    said = sayings(index)
    own, ahead = facts(index, here & ~there, touched), facts(index, there & ~here, touched)
    has = carried(repository, index, said, here, own, ahead)
    judge = Judge(index, said, has, wishes, base_release(index, here), _tags(ahead, said))
    judge.elsewhere = elsewhere(index, said, here | grown_on(graph, index.number(branch), there))

    candidates: list[Candidate] = []
    excluded: list[Excluded] = []
    open_ = [fact for fact in ahead if fact.oid not in has.matches and fact.oid in inside]
    for fact in open_:
        verdict = judge.verdict(fact, touched[fact.oid])
        if isinstance(verdict, Candidate):
            has.coming.add(fact.oid)
            candidates.append(verdict)
        elif verdict is not None:
            excluded.append(verdict)
    for fact in facts(index, in_trees(index) & ~here & ~there, touched):
        if fact.oid in has.matches or fact.oid not in inside:
            continue
        if isinstance(judge.verdict(fact, touched[fact.oid]), Candidate):
            tree = " > ".join(index.lineage_of(index.number(fact.oid))) or "another branch"
            why = f"only in {tree} so far"
            excluded.append(Excluded(fact.oid, fact.subject, Standing.NOT_YET, why))
    names = lru_cache(1)(lambda: _names(repository, branch))
    candidates = with_coming(strangers(passed_over(candidates, has), names))
    missing = there & ~here
    examined = sum(fact.oid in inside for fact in ahead)
    single = np.diff(graph.start) < 2
    outside = int(np.count_nonzero(missing & single)) - examined
    matched = [index.number(oid) for oid in has.matches if index.oids.number(oid) is not None]
    missing[matched] = False
    return Survey(
        branch=branch,
        upstream=upstream,
        base=judge.base,
        candidates=with_followups(with_postings(candidates, index, missing)),
        already=tuple(found for found in has.matches.values() if found.oid in inside),
        removals=tuple(gone for gone in has.removals.values() if gone.oid in inside),
        excluded=tuple(excluded),
        missing=missing,
        examined=examined,
        outside=outside,
        looked_in=tuple(wishes.paths or index.meta.scope),
        tags=judge.tags,
    )


def _require_sides(here: Mask, there: Mask) -> None:
    if not (here & there).any():
        raise UsageError(
            "the branch and upstream have no common history",
            hint="name the upstream that the branch grew from with --upstream",
        )
    if not (there & ~here).any():
        raise UsageError(
            "the branch contains all of upstream", hint="swap them, or fetch upstream first"
        )


def _names(repository: Repository, branch: str) -> frozenset[str]:
    """Return the names of a branch's files, without folders: a file may have been moved."""
    return frozenset(path.rpartition("/")[2] for path in at_commit(repository, branch).blobs)


def _files(index: Index) -> dict[str, tuple[str, ...]]:
    """Return the files in scope that each commit changes."""
    found: dict[str, list[str]] = {}
    for oid, path in index.rows("SELECT oid, path FROM changes"):
        found.setdefault(oid, []).append(path)
    return {oid: tuple(files) for oid, files in found.items()}


def _below(touched: Mapping[str, Sequence[str]], paths: Sequence[str]) -> set[str]:
    """Return the commits that touch `paths`."""
    folders = tuple(path.strip("/") + "/" for path in paths)
    inside = {
        oid
        for oid, files in touched.items()
        if not folders or any(f"{path}/".startswith(folders) for path in files)
    }
    if paths and not inside:
        raise UsageError(
            f"no indexed commit touches {', '.join(paths)}",
            hint="name paths of upstream, inside the index's scope: --path drivers/net",
        )
    return inside


def _tags(ahead: Sequence[Fact], said: Sayings) -> bool:
    marks = {LinkKind.FIXES, LinkKind.STABLE}
    tagged = sum(any(link.kind in marks for link in said.get(fact.oid, ())) for fact in ahead)
    return tagged >= _TAGGED * len(ahead)

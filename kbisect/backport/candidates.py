# SPDX-License-Identifier: GPL-2.0-or-later
"""Which upstream fixes a branch misses, each with its reasons, and which it needs not take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kbisect.backport.carried import Carried, Sayings, carried, facts, sayings
from kbisect.backport.fixes import Candidate, Excluded, Standing, Strength
from kbisect.backport.judging import Judge
from kbisect.backport.neighbours import base_release, elsewhere, grown_on, in_trees
from kbisect.backport.postings import posted_before
from kbisect.backport.wishes import Wishes
from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.history.graph import Mask
from kbisect.history.identity import Fact, Match, Removal
from kbisect.history.messages import LinkKind
from kbisect.history.store import Index

_TAGGED = 0.05
"""Share of commits with `Fixes:` or `Cc: stable` from which on a history tags its fixes: of the
net tree to 2011 0.2 % do, of DPDK and the kernel of today 20 to 40 %."""

_LEFT_OUT = 0.25
"""Fixes left out for each one taken, up to which a branch is said to take nearly every fix."""
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
    candidates = _passed_over(candidates, has)
    missing = there & ~here
    matched = [index.number(oid) for oid in has.matches if index.oids.number(oid) is not None]
    missing[matched] = False
    return Survey(
        branch=branch,
        upstream=upstream,
        base=judge.base,
        candidates=_with_followups(_with_postings(candidates, index, missing)),
        already=tuple(found for found in has.matches.values() if found.oid in inside),
        removals=tuple(gone for gone in has.removals.values() if gone.oid in inside),
        excluded=tuple(excluded),
        missing=missing,
        examined=sum(fact.oid in inside for fact in ahead),
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


def _passed_over(candidates: Sequence[Candidate], has: Carried) -> list[Candidate]:
    """Doubt what a branch that takes nearly every fix left out when it took later ones."""
    number = has.index.number
    left = {each.oid for each in candidates if has.passed_over(number(each.oid))}
    taken = sum(has.passed_over(number(oid)) for oid in has.matches if has.index.oids.number(oid))
    if len(left) > _LEFT_OUT * taken:
        return list(candidates)
    why = "passed over: the branch has taken many later fixes"
    named = {each.oid for each in candidates if any(r.kind == "named" for r in each.reasons)}
    return [
        replace(each, strength=Strength.WEAK, doubt=each.doubt or why)
        if each.oid in left - named
        else each
        for each in candidates
    ]


def _with_postings(candidates: Sequence[Candidate], index: Index, missing: Mask) -> list[Candidate]:
    """Add to each candidate what was posted before it and is torn from it."""
    before = posted_before(index)
    coming = {each.oid for each in candidates}
    torn = {
        each.oid: tuple(
            oid
            for oid in before.get(each.oid, ())
            if oid not in coming and missing[index.number(oid)]
        )
        for each in candidates
    }
    return [
        replace(each, posting=torn[each.oid]) if torn[each.oid] else each for each in candidates
    ]


def _with_followups(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Add to each candidate those that mend it."""
    later: dict[str, list[str]] = {}
    for candidate in candidates:
        for target in dict.fromkeys(candidate.targets):
            later.setdefault(target, []).append(candidate.oid)
    return tuple(
        replace(candidate, followups=tuple(later.get(candidate.oid, ())))
        for candidate in candidates
    )

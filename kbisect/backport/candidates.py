# SPDX-License-Identifier: GPL-2.0-or-later
"""Which upstream fixes a branch misses, each with its reasons, and which it needs not take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from kbisect.backport.notices import wants
from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.history import identity
from kbisect.history.graph import Mask
from kbisect.history.identity import Fact, Match
from kbisect.history.messages import LinkKind, plain_subject
from kbisect.history.store import Index


class Strength(StrEnum):
    """How sure it is that the branch wants it."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"


class Standing(StrEnum):
    """Why an upstream commit with a fix's marks is no candidate."""

    UNAFFECTED = "unaffected"
    EXCLUDED = "excluded by version"
    REVERTED = "reverted upstream"
    OPT_OUT = "opt-out"
    NOT_YET = "not in mainline yet"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, with the trailer or sentence it rests on.

    Attributes
    ----------
    kind : fixes, blames, reverts, stable
    text : as written
    target : the commit it is about, None for a stable notice
    weak : prose, or an id that had to be repaired
    """

    kind: str
    text: str
    target: str | None = None
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """An upstream commit that the branch misses."""

    oid: str
    subject: str
    release: str | None
    strength: Strength
    reasons: tuple[Reason, ...]
    named: tuple[str, ...]
    """Prerequisites that its message names and the branch lacks."""
    followups: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def tagged(self) -> bool:
        """Whether its author asked for stable."""
        return any(reason.kind == "stable" for reason in self.reasons)

    @property
    def targets(self) -> tuple[str, ...]:
        """The commits it mends and the branch has."""
        return tuple(reason.target for reason in self.reasons if reason.target)


@dataclass(frozen=True, slots=True)
class Excluded:
    """An upstream commit that looks like a fix and is none for this branch."""

    oid: str
    subject: str
    standing: Standing
    why: str


@dataclass(frozen=True, slots=True)
class Survey:
    """A branch beside upstream.

    Attributes
    ----------
    branch, upstream : oids of the two tips
    base : the newest mainline release that the branch contains
    candidates : in upstream's order
    already : on the branch in another form
    excluded : in upstream's order
    missing : bool[N], upstream's commits that the branch has in no form
    examined : upstream's commits in scope that were looked at
    """

    branch: str
    upstream: str
    base: str | None
    candidates: tuple[Candidate, ...]
    already: tuple[Match, ...]
    excluded: tuple[Excluded, ...]
    missing: Mask
    examined: int


@dataclass(frozen=True, slots=True)
class _Said:
    kind: LinkKind
    form: str
    text: str
    target: str | None
    how: str | None
    note: str | None


@dataclass(slots=True)
class _Branch:
    """What the branch has: its own ancestry, and upstream's commits in another form."""

    contains: Mask
    index: Index
    matches: dict[str, Match]
    taken_out: set[str] = field(default_factory=set)
    coming: set[str] = field(default_factory=set)

    def has(self, oid: str) -> bool:
        """Whether it has a commit now, or will with the candidates so far."""
        if oid in self.taken_out:
            return False
        number = self.index.oids.number(oid)
        inside = number is not None and bool(self.contains[number])
        return inside or oid in self.matches or oid in self.coming


def survey(
    repository: Repository, index: Index, branch: str, upstream: str, paths: Sequence[str] = ()
) -> Survey:
    """Look through upstream for fixes that a branch misses.

    Parameters
    ----------
    branch, upstream : oids
    paths : upstream's paths that count; empty means the index's whole scope

    Raises
    ------
    UsageError
        The two have no common history, or upstream has nothing that the branch lacks.
    """
    graph = index.graph
    here = graph.ancestors([index.number(branch)])
    there = graph.ancestors([index.number(upstream)])
    if not (here & there).any():
        raise UsageError(
            "the branch and upstream have no common history",
            hint="name the upstream that the branch grew from with --upstream",
        )
    if not (there & ~here).any():
        raise UsageError(
            "the branch contains all of upstream", hint="swap them, or fetch upstream first"
        )
    said = _said(index)
    own, ahead = _facts(index, here & ~there), _facts(index, there & ~here)
    has = _Branch(here, index, {})
    has.matches, has.taken_out = _on_branch(index, own, ahead, said)
    base = _base(index, here)
    elsewhere = _facts(index, _in_trees(index) & ~here & ~there)
    inside = _files(index, paths)
    if paths and not inside:
        raise UsageError(
            f"no indexed commit touches {', '.join(paths)}",
            hint="name paths of upstream, inside the index's scope: --path drivers/net",
        )

    candidates: list[Candidate] = []
    excluded: list[Excluded] = []
    undone = _undone(said, {fact.oid for fact in ahead})
    for fact in ahead:
        if fact.oid in has.matches or fact.oid not in inside:
            continue
        verdict = _judge(index, fact, inside[fact.oid], said.get(fact.oid, ()), has, base, undone)
        if isinstance(verdict, Candidate):
            has.coming.add(fact.oid)
            candidates.append(verdict)
        elif verdict is not None:
            excluded.append(verdict)
    for fact in elsewhere:
        if fact.oid in has.matches or fact.oid not in inside:
            continue
        verdict = _judge(index, fact, inside[fact.oid], said.get(fact.oid, ()), has, base, undone)
        if isinstance(verdict, Candidate):
            tree = " > ".join(index.lineage_of(index.number(fact.oid))) or "another branch"
            excluded.append(
                Excluded(fact.oid, fact.subject, Standing.NOT_YET, f"only in {tree} so far")
            )
    missing = there & ~here
    matched = [index.number(oid) for oid in has.matches if index.oids.number(oid) is not None]
    missing[matched] = False
    return Survey(
        branch=branch,
        upstream=upstream,
        base=base,
        candidates=_with_followups(candidates, said),
        already=tuple(found for found in has.matches.values() if found.oid in inside),
        excluded=tuple(excluded),
        missing=missing,
        examined=sum(fact.oid in inside for fact in ahead),
    )


def _said(index: Index) -> dict[str, list[_Said]]:
    found: dict[str, list[_Said]] = {}
    for oid, kind, form, text, target, how, note in index.rows(
        "SELECT oid, kind, form, text, target, how, subject FROM links"
    ):
        found.setdefault(oid, []).append(_Said(LinkKind(kind), form, text, target, how, note))
    return found


def _facts(index: Index, where: Mask) -> list[Fact]:
    """Return the commits in scope at the marked places, oldest first."""
    rows = index.rows("SELECT number, oid, subject, author_email, author_time FROM commits")
    numbers = np.array([row[0] for row in rows], np.int64)
    picked = sorted(rows[at] for at in np.flatnonzero(where[numbers]))
    return [Fact(oid, plain_subject(subject), mail, time) for _, oid, subject, mail, time in picked]


def _in_trees(index: Index) -> Mask:
    """Mark what the known trees contain, stable branches apart."""
    tips = [
        index.number(index.meta.refs[ref])
        for tree, ref in index.meta.trees.items()
        if not tree.endswith(".y") and ref in index.meta.refs
    ]
    return index.graph.ancestors(tips)


def _files(index: Index, paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the files in scope that each commit changes, for commits that touch `paths`."""
    folders = tuple(path.strip("/") + "/" for path in paths)
    found: dict[str, list[str]] = {}
    for oid, path in index.rows("SELECT oid, path FROM changes"):
        found.setdefault(oid, []).append(path)
    return {
        oid: tuple(files)
        for oid, files in found.items()
        if not folders or any(f"{path}/".startswith(folders) for path in files)
    }


def _base(index: Index, here: Mask) -> str | None:
    """Return the newest mainline release that the branch contains."""
    rows = index.rows("SELECT name, oid FROM releases WHERE mainline ORDER BY position DESC")
    return next((name for name, oid in rows if here[index.number(oid)]), None)


def _on_branch(
    index: Index, own: Sequence[Fact], ahead: Sequence[Fact], said: Mapping[str, Sequence[_Said]]
) -> tuple[dict[str, Match], set[str]]:
    """Return upstream's commits that the branch has in another form, and what it took out again."""
    markers = {
        fact.oid: [
            (link.target, link.form)
            for link in said.get(fact.oid, ())
            if link.kind is LinkKind.UPSTREAM and link.target
        ]
        for fact in own
    }
    matches = identity.match(own, ahead, {oid: named for oid, named in markers.items() if named})
    carried: dict[str, list[str]] = {}
    for oid, found in matches.items():
        carried.setdefault(found.on_branch, []).append(oid)
    # What upstream's own reverts take back: a branch that reverts the same has them in effect.
    reverts = {
        link.target: fact.oid
        for fact in ahead
        for link in said.get(fact.oid, ())
        if link.kind is LinkKind.REVERTS and link.target
    }
    taken_out: set[str] = set()
    for fact in own:
        for link in said.get(fact.oid, ()):
            if link.target is None or link.kind not in {LinkKind.REVERTS, LinkKind.REAPPLIES}:
                continue
            for oid in carried.get(link.target, [link.target]):
                if link.kind is LinkKind.REAPPLIES:
                    taken_out.discard(oid)
                    continue
                taken_out.add(oid)
                upstream = reverts.get(oid)
                if upstream:
                    evidence = f"the branch reverts the same: {oid[:12]}"
                    matches.setdefault(upstream, Match(upstream, fact.oid, evidence))
    for oid in taken_out:
        matches.pop(oid, None)
    return matches, taken_out


def _undone(said: Mapping[str, Sequence[_Said]], ahead: set[str]) -> dict[str, str]:
    """Return upstream's commits that upstream reverted, and by which commit, as it stands now."""
    reverted: dict[str, str] = {}
    # A revert that was itself reverted, or re-applied over, takes nothing back.
    for oid in ahead:
        for link in said.get(oid, ()):
            if link.kind is LinkKind.REVERTS and link.target:
                reverted[link.target] = oid
    return {target: by for target, by in reverted.items() if by not in reverted}


def _judge(
    index: Index,
    fact: Fact,
    files: tuple[str, ...],
    links: Sequence[_Said],
    has: _Branch,
    base: str | None,
    undone: Mapping[str, str],
) -> Candidate | Excluded | None:
    """Say what an upstream commit is to the branch; None if nothing marks it as a fix."""
    mends = {LinkKind.FIXES: "fixes", LinkKind.BLAMES: "blames", LinkKind.REVERTS: "reverts"}
    reasons: list[Reason] = []
    absent: list[str] = []
    notices = [link for link in links if link.kind is LinkKind.STABLE]
    for link in links:
        if link.kind in mends and link.target:
            weak = link.kind is LinkKind.BLAMES or link.how in {"repaired", "release"}
            if has.has(link.target):
                reasons.append(Reason(mends[link.kind], link.text, link.target, weak))
            elif link.kind is not LinkKind.BLAMES or notices:
                absent.append(link.target)
    if not reasons and not absent and not notices:
        return None
    if any(link.form == "opt-out" for link in notices):
        return Excluded(fact.oid, fact.subject, Standing.OPT_OUT, notices[0].text)
    if fact.oid in undone:
        by = undone[fact.oid]
        return Excluded(fact.oid, fact.subject, Standing.REVERTED, f"by {by[:12]}")
    if not reasons and absent:
        names = ", ".join(oid[:12] for oid in absent)
        return Excluded(fact.oid, fact.subject, Standing.UNAFFECTED, f"{names} is not here")
    asked = [link for link in notices if base is None or wants(link.note, base)]
    if notices and not asked:
        return Excluded(fact.oid, fact.subject, Standing.EXCLUDED, notices[0].text)
    reasons.extend(Reason("stable", link.text) for link in asked)
    number = index.number(fact.oid)
    return Candidate(
        oid=fact.oid,
        subject=fact.subject,
        release=index.release_of(number),
        strength=_strength(reasons),
        reasons=tuple(reasons),
        named=tuple(
            link.target
            for link in links
            if link.kind is LinkKind.PREREQUISITE and link.target and not has.has(link.target)
        ),
        followups=(),
        files=files,
    )


def _strength(reasons: Sequence[Reason]) -> Strength:
    firm = [reason for reason in reasons if not reason.weak]
    if any(reason.kind != "stable" for reason in firm):
        return Strength.STRONG
    # A notice alone names no culprit: the branch may never have had the bug.
    return Strength.MEDIUM


def _with_followups(
    candidates: Sequence[Candidate], said: Mapping[str, Sequence[_Said]]
) -> tuple[Candidate, ...]:
    """Add to each candidate those that mend it."""
    from dataclasses import replace

    later: dict[str, list[str]] = {}
    for candidate in candidates:
        for target in candidate.targets:
            later.setdefault(target, []).append(candidate.oid)
    return tuple(
        replace(candidate, followups=tuple(later.get(candidate.oid, ())))
        for candidate in candidates
    )

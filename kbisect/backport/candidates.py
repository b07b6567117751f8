# SPDX-License-Identifier: GPL-2.0-or-later
"""Which upstream fixes a branch misses, each with its reasons, and which it needs not take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kbisect.backport.built import compiled
from kbisect.backport.carried import Carried, Said, Sayings, carried, facts, sayings
from kbisect.backport.ignored import Ignored
from kbisect.backport.neighbours import base_release, elsewhere, grown_on, in_trees
from kbisect.backport.notices import wants
from kbisect.backport.postings import posted_before
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
    IGNORED = "ignored"
    FOREIGN = "foreign"
    NOT_BUILT = "not built here"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, with the trailer or sentence it rests on.

    Attributes
    ----------
    kind : fixes, blames, reverts, stable, named
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
    """An upstream commit that the branch misses.

    Attributes
    ----------
    release : the first that contains it
    named : prerequisites that its message names and the branch lacks
    followups : candidates that mend it
    posting : patches posted before it in one series, neither here nor candidates: it may need them
    elsewhere : whether another branch of the repository carries it
    doubt : why the branch may not want it after all: it took it back, or passed it over
    """

    oid: str
    subject: str
    release: str | None
    strength: Strength
    reasons: tuple[Reason, ...]
    named: tuple[str, ...]
    followups: tuple[str, ...]
    files: tuple[str, ...]
    elsewhere: bool = False
    doubt: str | None = None
    posting: tuple[str, ...] = ()

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


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says beside the history.

    Attributes
    ----------
    paths : upstream's paths that count; empty means the index's whole scope
    named : oid → why, commits that are candidates whatever their messages say
    ignored : oid → Ignored
    built : files that a finished build compiled, None where nobody says
    """

    paths: Sequence[str] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, Ignored] = field(default_factory=dict)
    built: frozenset[str] | None = None


def survey(
    repository: Repository,
    index: Index,
    branch: str,
    upstream: str,
    wishes: Wishes = Wishes(),
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
    judge = _Judge(index, said, has, wishes, base_release(index, here), _tags(ahead, said))
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


_MENDS = {LinkKind.FIXES: "fixes", LinkKind.BLAMES: "blames", LinkKind.REVERTS: "reverts"}


class _Judge:
    """Says what an upstream commit is to the branch."""

    def __init__(
        self,
        index: Index,
        said: Sayings,
        has: Carried,
        wishes: Wishes,
        base: str | None,
        tags: bool,
    ) -> None:
        self._index = index
        self._said = said
        self._has = has
        self._wishes = wishes
        self.base = base
        self.tags = tags
        self.elsewhere: set[str] = set()

    def verdict(self, fact: Fact, files: tuple[str, ...]) -> Candidate | Excluded | None:
        """Judge one commit; None if nothing marks it as a fix."""
        links = self._said.get(fact.oid, ())
        reasons: list[Reason] = []
        absent: list[str] = []
        unknown: list[str] = []
        notices = [link for link in links if link.kind is LinkKind.STABLE]
        reverted = {link.target for link in links if link.kind is LinkKind.REVERTS}
        for link in links:
            if link.kind not in _MENDS:
                continue
            if link.target is None:
                if link.kind is LinkKind.FIXES and link.how == "unknown":
                    unknown.append(link.text)
                continue
            weak = link.kind is LinkKind.BLAMES or link.how in {"repaired", "release"}
            # Who takes a commit back has nothing to do where that never was.
            deeper = link.target not in reverted
            mended = self._has.mended(link.target) if deeper or self._has.has(link.target) else None
            if mended:
                reasons.append(Reason(_MENDS[link.kind], link.text, mended, weak))
            elif link.kind is not LinkKind.BLAMES or notices:
                absent.append(link.target)
        named = self._wishes.named.get(fact.oid)
        if not (reasons or absent or unknown or notices or named):
            return None
        why_not = self._why_not(fact, files, notices, reasons, absent, unknown)
        if why_not and (not named or why_not.standing is Standing.IGNORED):
            return why_not
        reasons.extend(Reason("stable", link.text) for link in self._asking(notices))
        if named:
            reasons.append(Reason("named", named))
        number = self._index.number(fact.oid)
        doubt = None if named else self._taken_out(fact.oid)
        return Candidate(
            oid=fact.oid,
            subject=fact.subject,
            release=self._index.release_of(number),
            strength=Strength.WEAK if doubt else self._strength(reasons),
            reasons=tuple(reasons),
            named=tuple(
                link.target
                for link in links
                if link.kind is LinkKind.PREREQUISITE
                and link.target
                and not self._has.has(link.target)
            ),
            followups=(),
            files=files,
            elsewhere=fact.oid in self.elsewhere,
            doubt=doubt,
        )

    def _why_not(
        self,
        fact: Fact,
        files: Sequence[str],
        notices: Sequence[Said],
        reasons: Sequence[Reason],
        absent: Sequence[str],
        unknown: Sequence[str],
    ) -> Excluded | None:
        def because(standing: Standing, why: str) -> Excluded:
            return Excluded(fact.oid, fact.subject, standing, why)

        ignored = self._wishes.ignored.get(fact.oid)
        if ignored:
            until = f", until {ignored.until}" if ignored.until else ""
            return because(Standing.IGNORED, f"{ignored.reason}{until}")
        if any(link.form == "opt-out" for link in notices):
            return because(Standing.OPT_OUT, notices[0].text)
        by = self._has.undone.get(fact.oid)
        if by:
            here = self._taken_out(fact.oid)
            return because(Standing.REVERTED, f"by {by[:12]}" + (f"; {here}" if here else ""))
        if not reasons and absent:
            names = ", ".join(oid[:12] for oid in absent)
            return because(Standing.UNAFFECTED, f"{names} is not here")
        if not reasons and unknown and not notices:
            return because(Standing.FOREIGN, f"{unknown[0]}: no such commit in this repository")
        if notices and not self._asking(notices):
            return because(Standing.EXCLUDED, notices[0].text)
        if self._wishes.built is not None and not compiled(files, self._wishes.built):
            return because(Standing.NOT_BUILT, f"{files[0]} was not compiled")
        return None

    def _asking(self, notices: Iterable[Said]) -> list[Said]:
        return [link for link in notices if self.base is None or wants(link.note, self.base)]

    def _taken_out(self, oid: str) -> str | None:
        gone = self._has.removals.get(oid)
        return f"taken as {gone.on_branch[:12]}, reverted here by {gone.by[:12]}" if gone else None

    def _strength(self, reasons: Sequence[Reason]) -> Strength:
        firm = [reason for reason in reasons if not reason.weak]
        if any(reason.kind not in {"stable", "named"} for reason in firm):
            return Strength.STRONG
        if firm or not self.tags:
            # A notice alone names no culprit: the branch may never have had the bug.
            return Strength.MEDIUM
        return Strength.WEAK


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

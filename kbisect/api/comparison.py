# SPDX-License-Identifier: GPL-2.0-or-later
"""The API difference of two versions of a repository, with the commits that made it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from kbisect.api import attribution, cache, context, difference, evidence, renames, surface
from kbisect.api.attribution import Timeline
from kbisect.api.declarations import Declaration, Gap, What
from kbisect.api.difference import Side
from kbisect.api.evidence import Callers, Change, Interest, Touch
from kbisect.api.findings import Finding
from kbisect.api.headers import Headers, sides
from kbisect.api.renames import Evidence, Key, Pair, Surroundings
from kbisect.git import blobs, patches
from kbisect.git.blobs import Files
from kbisect.git.patches import CommitPatch
from kbisect.git.repository import Repository

# Where callers are looked for, and headers.
FOLDERS = ("net", "drivers/net", "include")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for: structs, headers, other names; all of the surface when all are empty."""

    structs: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[tuple[str, ...], ...]:
        """All of it, in one order."""
        return (tuple(sorted(self.structs)), self.headers, self.names)

    def holds(self, finding: Finding) -> bool:
        """Whether a finding was asked for."""
        if self.structs:
            names = {finding.struct, finding.new.owner if finding.new is not None else None}
            if not names & set(self.structs):
                return False
        if self.names and not any(
            declaration is not None and declaration.name in self.names
            for declaration in (finding.old, finding.new)
        ):
            return False
        if self.headers:
            return any(self._named(path) for path in (finding.header, finding.new_header or ""))
        return True

    def _named(self, path: str) -> bool:
        return any(
            path == asked or path.endswith("/" + asked.removeprefix("include/"))
            for asked in self.headers
        )

    def keeps(self, declaration: Declaration) -> bool:
        """Whether a declaration could take part in a finding that was asked for."""
        if declaration.what is What.MACRO and "." in declaration.type:
            return True  # it may be what a field is called by
        if self.names and declaration.name not in self.names:
            return False
        return not self.structs or (declaration.owner or declaration.name) in self.structs

    def spans(self, gaps: Iterable[Gap], sides: Iterable[Side]) -> Iterator[Gap]:
        """Keep the spans that could hide a finding that was asked for."""
        homes = {
            found.header
            for side in sides
            for name in self.structs
            for found in side.by_key.get(("tag", name), ())
        }
        for gap in gaps:
            if (not self.structs or gap.header in homes) and (
                not self.headers or self._named(gap.header)
            ):
                yield gap


@dataclass(frozen=True, slots=True)
class Result:
    """The changes found, and the spans of either side that were not understood.

    `attributed` says whether there was a history to ask who made them.
    """

    findings: tuple[Finding, ...]
    unclassified: tuple[Gap, ...]
    attributed: bool


def compare(
    repository: Repository,
    old: str,
    new: str | None,
    scope: Scope = Scope(),
    release: Callable[[str], str | None] = lambda oid: None,
) -> Result:
    """Compare two commits, or a commit with the worktree.

    Parameters
    ----------
    repository : Repository
    old, new : str
        Oids of commits; a `new` of None is the worktree with its uncommitted changes.
    scope : Scope
    release : callable
        Returns the first release that contains a commit, by its oid.
    """
    kept = cache.Differences(repository.store, old, new, *scope.asked)
    known = kept.get() if new is not None else None
    if known is None:
        result = _compare_commits(repository, old, new, scope)
        if new is not None:
            kept.put(result.findings, result.unclassified)
        known = result.findings, result.unclassified
    findings = tuple(
        replace(finding, release=release(finding.commit)) if finding.commit else finding
        for finding in known[0]
    )
    return Result(findings, known[1], attributed=True)


def _compare_commits(repository: Repository, old: str, new: str | None, scope: Scope) -> Result:
    tip = new or repository.head()
    with ExitStack() as stack:
        histories = []
        for first, last in ((old, tip), (tip, old)):
            commits: Iterator[CommitPatch] = iter(())
            if first is not None and last is not None and first != last:
                reading = patches.reading(repository, first, last, FOLDERS)
                commits = stack.enter_context(reading)
            histories.append(commits)
            if first is None or last is None or repository.is_ancestor(first, last):
                break  # what the one side lacks, commits of the other made
        before = blobs.at_commit(repository, old, surface.FOLDERS)
        after = (
            blobs.in_worktree(repository, surface.FOLDERS)
            if new is None
            else blobs.at_commit(repository, new, surface.FOLDERS)
        )
        headers = Headers(repository, {**before.loaded, **after.loaded})
        pasts = [_History(headers, commits) for commits in histories]
        return between(sides(before, after, headers), scope, *pasts)


def compare_files(before: Files, after: Files, scope: Scope = Scope()) -> Result:
    """Compare two trees that have no history: nothing is attributed, renames are guesses."""
    headers = Headers(None, {**before.loaded, **after.loaded})
    return between(sides(before, after, headers), scope)


def along(
    old: Side, new: Side, headers: Headers, commits: Iterable[CommitPatch], scope: Scope
) -> Result:
    """Compare two sides whose commits the caller has at hand."""
    return between((old, new), scope, _History(headers, iter(commits)))


def between(
    sides: tuple[Side, Side],
    scope: Scope,
    ahead: _History | None = None,
    back: _History | None = None,
) -> Result:
    """Compare two sides.

    Parameters
    ----------
    sides : old and new
    ahead, back : the commits that only the new side has, and those that only the old one has
    """
    old, new = sides
    spans = tuple(scope.spans(difference.gaps(old, new), sides))
    judged = _judge(old, new, scope, ahead)
    if back is not None:
        judged = _against(old, new, scope, judged, _judge(new, old, scope, back))
    return Result(tuple(_ordered(judged.findings)), spans, attributed=ahead is not None)


@dataclass(frozen=True, slots=True)
class _Judged:
    """Findings, and by what pairs and moves of headers they were found."""

    findings: list[Finding]
    pairs: Mapping[Key, Pair]
    moved: Mapping[str, str]


def _judge(old: Side, new: Side, scope: Scope, history: _History | None) -> _Judged:
    removed, added = difference.unmatched(old, new)
    wanted = [declaration for declaration in removed if scope.keeps(declaration)]
    line, callers = Timeline(), Callers()
    if history is not None:
        bare = [finding for finding in difference.compare(old, new) if scope.holds(finding)]
        if not bare:
            return _Judged([], {}, {})
        line, callers = history.read(bare, wanted, _with_members(new, added))
    moved = attribution.header_moves(delta.touch for delta in line.deltas)
    pairs = _proven(old, new, wanted, added, line, callers)
    found = [f for f in difference.compare(old, new, pairs, moved) if scope.holds(f)]
    if history is not None:
        found = [context.with_history(finding, line, callers, new) for finding in found]
    return _Judged(found, pairs, moved)


def _against(old: Side, new: Side, scope: Scope, forth: _Judged, undone: _Judged) -> _Judged:
    """Add what commits did that only the old side has: seen from there it is undone.

    Parameters
    ----------
    forth : what the new side's own commits explain
    undone : the comparison of new with old, by the old side's own commits
    """
    gone = {declaration.key for declaration in difference.unmatched(old, new)[0]}
    pairs = {
        pair.new.key: replace(pair, old=pair.new, new=pair.old)
        for pair in undone.pairs.values()
        if pair.is_fact and pair.new.key in gone
    }
    moved = {target: path for path, target in undone.moved.items()} | dict(forth.moved)
    facts = {key: pair for key, pair in forth.pairs.items() if pair.is_fact}
    taken = {pair.new.key for pair in facts.values()}
    pairs = {k: p for k, p in pairs.items() if p.new.key not in taken} | facts
    mine = {ends(finding): finding for finding in forth.findings}
    theirs = {ends(finding)[::-1]: finding for finding in undone.findings}
    # Of two that became one, going back, one is a rename and the other came by itself.
    theirs |= {(None, one): f for (_, one), f in theirs.items() if (None, one) not in theirs}
    found = []
    for finding in difference.compare(old, new, pairs, moved):
        if not scope.holds(finding):
            continue
        own, other = mine.get(ends(finding)), theirs.get(ends(finding))
        if own is not None and (own.commit or other is None):
            found.append(own)
        elif other is not None:
            found.append(replace(finding, commit=other.commit, steps=other.steps[::-1]))
        else:
            found.append(finding)
    return _Judged(found, pairs, moved)


def ends(finding: Finding) -> tuple[Key | None, Key | None]:
    """Return what a finding is about on either side, None where there is nothing."""
    if finding.old is None and finding.new is None:  # a header
        came = finding.kind == "header-added"
        old, new = (None, finding.header) if came else (finding.header, finding.new_name)
        return (
            None if old is None else ("header", old),
            None if new is None else ("header", new),
        )
    return (
        None if finding.old is None else finding.old.key,
        None if finding.new is None else finding.new.key,
    )


def _proven(
    old: Side,
    new: Side,
    removed: Sequence[Declaration],
    added: Sequence[Declaration],
    line: Timeline,
    callers: Callers,
) -> dict[Key, Pair]:
    """Pair structs first: their fields are then the fields of one struct."""
    members = _members(old), _members(new)

    def pairs(
        went: Sequence[Declaration], came: Sequence[Declaration], structs: Mapping[str, str]
    ) -> dict[Key, Pair]:
        siblings = {
            declaration.key: side.siblings(declaration.key)
            for side, listed in ((old, went), (new, came))
            for declaration in listed
            if declaration.what is What.FIELD
        }
        steps = attribution.steps(
            line,
            {declaration.key: declaration for declaration in went},
            {declaration.key: declaration for declaration in came},
        )
        proof = Evidence(steps, callers.names(), callers.alike, callers.totals(), callers.assigned)
        return renames.pairs(went, came, proof, Surroundings(siblings, *members, structs))

    tags = pairs(
        [found for found in removed if found.key[0] == "tag"],
        [found for found in added if found.key[0] == "tag"],
        {},
    )
    structs = {pair.old.name: pair.new.name for pair in tags.values() if pair.is_fact}
    went = [found for found in removed if found.key[0] != "tag"]
    came = [found for found in added if found.key[0] != "tag"]
    # A field may have moved into a struct that is all new.
    fresh = {found.name for found in added if found.key[0] == "tag"} - set(structs.values())
    came += [found for name in sorted(fresh) for found in new.fields.get(name, ())]
    for one, other in structs.items():
        mine, yours = members[0].get(one, frozenset()), members[1].get(other, frozenset())
        went += [found for found in old.fields.get(one, ()) if found.name not in yours]
        came += [found for found in new.fields.get(other, ()) if found.name not in mine]
    return tags | pairs(went, came, structs)


def _with_members(side: Side, added: Sequence[Declaration]) -> list[Declaration]:
    """Return what was added with the fields of structs that are all new."""
    listed = list(added)
    for found in added:
        if found.key[0] == "tag":
            listed += side.fields.get(found.name, ())
    return listed


def _members(side: Side) -> dict[str, frozenset[str]]:
    return {
        owner: frozenset(declaration.name for declaration in listed)
        for owner, listed in side.fields.items()
    }


class _History:
    """The commits between two versions, read once."""

    def __init__(self, headers: Headers, commits: Iterator[CommitPatch]) -> None:
        self.headers, self.commits = headers, commits

    def read(
        self,
        findings: Sequence[Finding],
        removed: Sequence[Declaration],
        added: Sequence[Declaration],
    ) -> tuple[Timeline, Callers]:
        """Return the versions of the headers in question, and what callers became."""
        paths = {path for f in findings for path in (f.header, f.new_header) if path}
        paths |= {d.header for f in findings for d in (f.old, f.new) if d is not None}
        interest = Interest(removed)
        words = interest.words | {d.name.rsplit(".", 1)[-1].encode() for d in added}
        words |= {d.name.encode() for f in findings for d in (f.old, f.new) if d is not None}
        callers = Callers()
        assignments = evidence.Assignments(removed, added)
        touches: list[Touch] = []
        for commit in self.commits:
            oid = commit.oid

            def tell(key: Key, use: evidence.Use, alike: bool, oid: str = oid) -> None:
                callers.add(key, use, alike, oid)

            for file in commit.files:
                private = file.path.endswith(".h") and not surface.is_public(file.path)
                for hunk in file.hunks:
                    if hunk.removed and hunk.added:
                        evidence.read_hunk(interest, hunk.removed, hunk.added, tell)
                    if hunk.added and private:
                        evidence.hidden_in(interest, file.path, hunk.added, oid, callers)
                    assignments.read(hunk.removed, hunk.added)
                if surface.is_public(file.path) and (file.path in paths or _mentions(file, words)):
                    changes = tuple(
                        Change(hunk.old_start, hunk.new_start, hunk.removed, hunk.added)
                        for hunk in file.hunks
                    )
                    touches.append(
                        Touch(oid, commit.subject, file.path, file.old_blob, file.new_blob, changes)
                    )
            assignments.end(callers)
        self.headers.load(
            oid
            for touch in touches
            for oid in (touch.old_blob, touch.new_blob)
            if oid != patches.NO_BLOB
        )
        return attribution.timeline(touches, self.headers.differing), callers


def _mentions(file: patches.FilePatch, words: set[bytes]) -> bool:
    return any(
        words & set(re.findall(rb"[A-Za-z_]\w*", b"\n".join((*hunk.removed, *hunk.added))))
        for hunk in file.hunks
    )


_RANKS = ("removed", "renamed", "moved", "changed", "signature", "retyped", "added")


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Sort by header and struct, then what breaks most callers first."""

    def rank(finding: Finding) -> tuple[object, ...]:
        verb = finding.kind.rsplit("-", 1)[-1]
        declaration = finding.old or finding.new
        return (
            finding.header,
            finding.struct or "",
            0 if verb in ("removed", "renamed", "moved") else 2 if verb == "added" else 1,
            -finding.call_sites,
            declaration.line if declaration is not None else 0,
            finding.name,
        )

    return sorted(findings, key=rank)

# SPDX-License-Identifier: GPL-2.0-or-later
"""The API difference of two versions of a repository, with the commits that made it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from kbisect.api import (
    attribution,
    cache,
    chunks,
    difference,
    evidence,
    extraction,
    renames,
    surface,
)
from kbisect.api.attribution import Timeline
from kbisect.api.chunks import Pieces
from kbisect.api.declarations import Declaration, Gap, Header, What
from kbisect.api.difference import Side
from kbisect.api.evidence import Callers, Change, Interest, Touch
from kbisect.api.findings import CallerChange, Caution, Finding
from kbisect.api.renames import Evidence, Key, Pair, Surroundings
from kbisect.git import blobs, patches
from kbisect.git.blobs import Files
from kbisect.git.patches import CommitPatch
from kbisect.git.repository import Repository

# Where callers are looked for, and headers.
FOLDERS = ("net", "drivers/net", "include")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for: structs and headers by name; all of the surface when both are empty."""

    structs: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()

    def holds(self, finding: Finding) -> bool:
        """Whether a finding was asked for."""
        if self.structs:
            names = {finding.struct, finding.new.owner if finding.new is not None else None}
            if not names & set(self.structs):
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


class Headers:
    """Headers by path and blob, each blob read and extracted once."""

    def __init__(self, repository: Repository | None, loaded: Mapping[str, bytes]) -> None:
        self._repository = repository
        self._content = dict(loaded)
        self._known: dict[tuple[str, str], Header] = {}
        self._pieces: dict[str, Pieces] = {}
        self._kept = cache.Blobs(repository.store) if repository is not None else None
        self._loose = frozenset(loaded)

    def load(self, oids: Iterable[str]) -> None:
        """Read the blobs that will be asked for, in one go."""
        wanted = sorted({oid for oid in oids if oid not in self._content})
        if wanted and self._repository is not None:
            self._content |= blobs.read(self._repository, wanted)

    def content(self, oid: str) -> bytes:
        """Return a blob's content."""
        if oid not in self._content:
            self.load([oid])
        return self._content[oid]

    def __call__(self, path: str, oid: str) -> Header:
        """Return what the header declares."""
        at = (path, oid)
        if at not in self._known:
            self._known[at] = extraction.extract(path, self._cut(oid))
        return self._known[at]

    def differing(self, touch: Touch) -> tuple[list[Declaration], list[Declaration]]:
        """Return what a commit's header declares before and after, as far as that differs."""
        return extraction.differing(
            touch.path, self._cut(touch.old_blob), self._cut(touch.new_blob)
        )

    def _cut(self, oid: str) -> Pieces:
        if oid not in self._pieces:
            source = b"" if oid == patches.NO_BLOB else self.content(oid)
            self._pieces[oid] = chunks.cut(source)
        return self._pieces[oid]

    def versions(self, paths: Mapping[str, str]) -> list[Header]:
        """Return the headers of one version, path to oid; these are kept for the next time."""
        found: list[Header] = []
        fresh: dict[str, Header] = {}
        for path, oid in paths.items():
            header = self._kept.get(path, oid) if self._kept is not None else None
            if header is None:
                header = self(path, oid)
                if oid not in self._loose:
                    fresh[oid] = header
            self._known[path, oid] = header
            found.append(header)
        if self._kept is not None:
            self._kept.add(fresh.items())
        return found


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
    kept = cache.Differences(repository.store, old, new, sorted(scope.structs), scope.headers)
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
        commits: Iterator[CommitPatch] = iter(())
        if tip is not None and tip != old:
            commits = stack.enter_context(patches.reading(repository, old, tip, FOLDERS))
        before = blobs.at_commit(repository, old, surface.FOLDERS)
        after = (
            blobs.in_worktree(repository, surface.FOLDERS)
            if new is None
            else blobs.at_commit(repository, new, surface.FOLDERS)
        )
        headers = Headers(repository, {**before.loaded, **after.loaded})
        return _compare(_sides(before, after, headers), scope, _History(headers, commits))


def compare_files(before: Files, after: Files, scope: Scope = Scope()) -> Result:
    """Compare two trees that have no history: nothing is attributed, renames are guesses."""
    headers = Headers(None, {**before.loaded, **after.loaded})
    return _compare(_sides(before, after, headers), scope, None)


def _sides(before: Files, after: Files, headers: Headers) -> tuple[Side, Side]:
    """Read what differs, and what else declares a name that seems to have come or gone."""
    old = {path: oid for path, oid in before.blobs.items() if surface.is_public(path)}
    new = {path: oid for path, oid in after.blobs.items() if surface.is_public(path)}
    same = {path: oid for path, oid in old.items() if new.get(path) == oid}
    headers.load([*old.values(), *new.values()])
    one = headers.versions({path: oid for path, oid in old.items() if path not in same})
    other = headers.versions({path: oid for path, oid in new.items() if path not in same})
    removed, added = difference.unmatched(Side.of(one), Side.of(other))
    names = {
        declaration.name.encode()
        for declaration in (*removed, *added)
        if declaration.what is not What.FIELD
    }
    mentioned = {
        path: oid
        for path, oid in same.items()
        if names & set(re.findall(rb"\w+", headers.content(oid)))
    }
    shared = headers.versions(mentioned)
    return Side.of([*one, *shared]), Side.of([*other, *shared])


def _compare(
    sides: tuple[Side, Side],
    scope: Scope,
    history: _History | None,
) -> Result:
    old, new = sides
    spans = tuple(scope.spans(difference.gaps(old, new), sides))
    removed, added = difference.unmatched(old, new)
    if history is None:
        wanted = [declaration for declaration in removed if scope.keeps(declaration)]
        pairs = _proven(old, new, wanted, added, Timeline(), Callers())
        found = [f for f in difference.compare(old, new, pairs) if scope.holds(f)]
        return Result(tuple(_ordered(found)), spans, attributed=False)
    bare = [finding for finding in difference.compare(old, new) if scope.holds(finding)]
    if not bare:
        return Result((), spans, attributed=True)
    wanted = [declaration for declaration in removed if scope.keeps(declaration)]
    line, callers = history.read(bare, wanted, _with_members(new, added))
    moved = attribution.header_moves(delta.touch for delta in line.deltas)
    pairs = _proven(old, new, wanted, added, line, callers)
    found = []
    for finding in difference.compare(old, new, pairs, moved):
        if scope.holds(finding):
            found.append(_with_history(finding, line, callers, new))
    return Result(tuple(_ordered(found)), spans, attributed=True)


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
        proof = Evidence(steps, callers.names(), callers.assigned)
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

            def tell(key: Key, use: evidence.Use, oid: str = oid) -> None:
                callers.add(key, use, oid)

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


def _with_history(
    finding: Finding,
    line: Timeline,
    callers: Callers,
    new: Side,
) -> Finding:
    commit = attribution.commit_of(finding, line)
    finding = replace(finding, commit=commit, steps=attribution.steps_of(finding, line))
    if finding.old is not None:
        counts = callers.counts.get(finding.old.key, {})
        if counts and not finding.kind.endswith(("-added", "-retyped", "-signature")):
            finding = _with_callers(finding, counts, new)
    if finding.old is not None:
        hidden = callers.hidden.get((finding.old.key, commit or ""))
        if hidden is not None and finding.kind.endswith("-removed"):
            finding = replace(
                finding,
                kind=finding.kind.replace("-removed", "-moved"),
                new_header=hidden,
                signals=("moved to a private header in the same commit",),
            )
    caution = _caution(finding, line, new)
    return replace(finding, caution=caution) if caution is not None else finding


def _with_callers(
    finding: Finding, counts: Mapping[evidence.Use, Mapping[str, int]], new: Side
) -> Finding:
    rows = evidence.top({use: Counter(by) for use, by in counts.items()})
    total = sum(sum(by.values()) for by in counts.values())
    owner = finding.struct
    known = []
    for use, count, commit in rows:
        name = use.became.removesuffix("()")
        if name == use.use:  # reached another way: told by the move itself
            continue
        if ("name", name) in new.by_key or ("field", f"{owner}.{name}") in new.by_key:
            known.append(CallerChange(use.use, use.became, count, commit))
    listed = [row for row in known if row.count >= max(2, 0.02 * total)]
    own = finding.new_name.rsplit(".", 1)[-1] if finding.new_name else None
    names = dict.fromkeys(name for row in listed if (name := row.became.removesuffix("()")) != own)
    return replace(
        finding,
        call_sites=total,
        callers=tuple(listed),
        replacements=tuple(names) or finding.replacements,
    )


def _caution(finding: Finding, line: Timeline, new: Side) -> Caution | None:
    """Say when a pointer became something that is one only in some configurations."""
    old, now = finding.old, finding.new
    if old is None or now is None or now.what is not What.FIELD or "*" in now.type:
        return None
    variants = new.by_key.get(("name", now.type), ())
    if not ("*" in old.type or old.type == "union") or not variants:
        return None
    for variant in variants:
        if variant.what is What.TYPEDEF and variant.parameters is None and "*" not in variant.type:
            commit = attribution.commit_of(
                Finding(
                    "typedef-added",
                    variant.name,
                    finding.compatibility,
                    variant.header,
                    new=variant,
                ),
                line,
            )
            where = " && ".join(variant.condition)
            words = f"{now.type} is {variant.type}" + (f" where {where}" if where else "")
            return Caution(f"not a drop-in: {words}", commit)
    return None


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

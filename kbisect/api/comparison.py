# SPDX-License-Identifier: GPL-2.0-or-later
"""The API difference of two versions of a repository, with the commits that made it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from kbisect.api import attribution, cache, chains, context, difference, renames, symbols
from kbisect.api.attribution import Timeline
from kbisect.api.commits import Commits
from kbisect.api.declarations import Declaration, Gap, What
from kbisect.api.evidence import Callers
from kbisect.api.findings import Finding
from kbisect.api.garbage import uncollected
from kbisect.api.headers import Headers, sides
from kbisect.api.proof import Evidence, Key, Pair, Surroundings
from kbisect.api.scope import ALL, Scope
from kbisect.api.sides import Side, unmatched
from kbisect.git import blobs, patches
from kbisect.git.blobs import Files
from kbisect.git.patches import CommitPatch
from kbisect.git.repository import Repository

# What a name that was given to something else looks like.
_ANEW = ("-retyped", "-signature", "kind-changed")
# Where callers are looked for, and headers.
FOLDERS = ("net", "drivers/net", "include")


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
    scope: Scope = ALL,
    release: Callable[[str], str | None] = lambda oid: None,
    tell: Callable[[int], None] = lambda count: None,
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
    tell : callable
        Is told how many commits have been read, now and then.
    """
    kept = cache.Differences(repository.store, old, new, *scope.asked)
    known = kept.get() if new is not None else None
    if known is None:
        result = _compare_commits(repository, old, new, scope, tell)
        if new is not None:
            kept.put(result.findings, result.unclassified)
        known = result.findings, result.unclassified
    findings = tuple(
        replace(finding, release=release(finding.commit)) if finding.commit else finding
        for finding in known[0]
    )
    return Result(findings, known[1], attributed=True)


def _compare_commits(
    repository: Repository, old: str, new: str | None, scope: Scope, tell: Callable[[int], None]
) -> Result:
    tip = new or repository.head()
    folders = (*FOLDERS, *scope.surface.paths)
    with ExitStack() as stack:
        stack.enter_context(uncollected())
        histories = []
        for first, last in ((old, tip), (tip, old)):
            commits: Iterator[CommitPatch] = iter(())
            if first is not None and last is not None and first != last:
                reading = patches.reading(repository, first, last, folders)
                commits = _counted(stack.enter_context(reading), tell)
            histories.append(commits)
            if first is None or last is None or repository.is_ancestor(first, last):
                break  # what the one side lacks, commits of the other made
        before = blobs.at_commit(repository, old, scope.surface.folders)
        after = (
            blobs.in_worktree(repository, scope.surface.folders)
            if new is None
            else blobs.at_commit(repository, new, scope.surface.folders)
        )
        headers = Headers(repository, {**before.loaded, **after.loaded})
        pasts = [Commits(headers, commits, scope.surface) for commits in histories]
        both = sides(before, after, headers, scope)
        found = between(both, scope, *pasts)
        if not scope.is_all or old == new:
            return found
        mine, yours = (_exported(repository, commit) for commit in (old, new))
        history = list(pasts[0].exports)
        for past in pasts[1:]:  # seen from the old side, its own commits are undone
            history += [replace(export, came=not export.came) for export in past.exports]
        inline = symbols.inline(both[1].by_key.values())
        told = symbols.compare(mine, yours, found.findings, history, inline)
        return replace(found, findings=tuple(told))


def _counted(commits: Iterable[CommitPatch], tell: Callable[[int], None]) -> Iterator[CommitPatch]:
    for number, commit in enumerate(commits, 1):
        yield commit
        if not number % 100:
            tell(number)


def _exported(repository: Repository, commit: str | None) -> dict[str, Declaration]:
    return symbols.declared(blobs.lines_with(repository, commit, symbols.WORDS, symbols.FOLDERS))


def compare_files(before: Files, after: Files, scope: Scope = ALL) -> Result:
    """Compare two trees that have no history: nothing is attributed, renames are guesses."""
    headers = Headers(None, {**before.loaded, **after.loaded})
    return between(sides(before, after, headers, scope), scope)


def along(
    old: Side, new: Side, headers: Headers, commits: Iterable[CommitPatch], scope: Scope
) -> Result:
    """Compare two sides whose commits the caller has at hand."""
    return between((old, new), scope, Commits(headers, iter(commits)))


def between(
    sides: tuple[Side, Side],
    scope: Scope,
    ahead: Commits | None = None,
    back: Commits | None = None,
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


def _judge(old: Side, new: Side, scope: Scope, history: Commits | None) -> _Judged:
    removed, added = unmatched(old, new)
    wanted = [declaration for declaration in removed if scope.keeps(declaration)]
    line, callers = Timeline(), Callers()
    if history is not None:
        bare = [finding for finding in difference.compare(old, new) if scope.holds(finding)]
        if not bare:
            return _Judged([], {}, {})
        line, callers = history.read(bare, wanted, _with_members(new, added))
        for finding in bare:
            one, other = finding.old, finding.new
            if one is None or other is None or not finding.kind.endswith(_ANEW):
                continue
            if one.key == other.key and attribution.reused(one, line):
                wanted.append(one)
                added.append(other)
    moved = attribution.header_moves(delta.touch for delta in line.deltas)
    pairs = _proven(old, new, wanted, added, line, callers)
    found = [f for f in difference.compare(old, new, pairs, moved) if scope.holds(f)]
    if history is not None:
        found = [
            context.with_history(finding, line, callers, old, new, _way(finding, pairs))
            for finding in found
        ]
    return _Judged(found, pairs, moved)


def _way(finding: Finding, pairs: Mapping[Key, Pair]) -> tuple[Declaration, ...]:
    pair = pairs.get(finding.old.key) if finding.old is not None else None
    return pair.way if pair is not None and pair.is_fact else ()


def _against(old: Side, new: Side, scope: Scope, forth: _Judged, undone: _Judged) -> _Judged:
    """Add what commits did that only the old side has: seen from there it is undone.

    Parameters
    ----------
    forth : what the new side's own commits explain
    undone : the comparison of new with old, by the old side's own commits
    """
    gone = {declaration.key for declaration in unmatched(old, new)[0]}
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
    between = list(chains.passing(line, old, new))
    turned, totals = callers.names(), callers.totals()

    def pairs(
        went: Sequence[Declaration],
        came: Sequence[Declaration],
        structs: Mapping[str, str],
        *,
        tags_only: bool,
    ) -> dict[Key, Pair]:
        siblings = {
            declaration.key: side.siblings(declaration.key)
            for side, listed in ((old, went), (new, came))
            for declaration in listed
            if declaration.what is What.FIELD
        }
        around = Surroundings(siblings, *members, structs)

        def judged(olds: Sequence[Declaration], news: Sequence[Declaration]) -> dict[Key, Pair]:
            steps = attribution.steps(
                line,
                {declaration.key: declaration for declaration in olds},
                {declaration.key: declaration for declaration in news},
            )
            proof = Evidence(steps, turned, callers.alike, totals, callers.assigned)
            return renames.pairs(olds, news, proof, around)

        found = judged(went, came)
        facts = {key: pair.new.key for key, pair in found.items() if pair.is_fact}
        left = [one for one in went if one.key not in facts]
        free = [one for one in came if one.key not in set(facts.values())]
        stops = [one for one in between if (one.key[0] == "tag") is tags_only]
        if left and free and stops:
            links = judged([*left, *stops], [*free, *stops])
            found |= chains.joined(left, stops, links)
        return found

    tags = pairs(
        [found for found in removed if found.key[0] == "tag"],
        [found for found in added if found.key[0] == "tag"],
        {},
        tags_only=True,
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
    return tags | pairs(went, came, structs, tags_only=False)


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

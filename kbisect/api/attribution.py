# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commit made a change: the headers' versions walked through commit by commit. Pure.

A commit made a change when its version of the header is the first that has it and no later one
takes it back. Branches that were merged stand one after the other here, in an order in which no
commit precedes its ancestors.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kbisect.api.declarations import Declaration
from kbisect.api.evidence import Change, Touch
from kbisect.api.findings import Compatibility, Finding
from kbisect.api.proof import Key, Step

_EMPTY = "0" * 40
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Delta:
    """What one commit changed in one header: by key, the variants before and after."""

    number: int
    touch: Touch
    before: Mapping[Key, tuple[Declaration, ...]]
    after: Mapping[Key, tuple[Declaration, ...]]


@dataclass(slots=True)
class Timeline:
    """The deltas of a range, oldest first, and where to find a key or a header in them."""

    deltas: list[Delta] = field(default_factory=list)
    by_key: dict[Key, list[Delta]] = field(default_factory=dict)
    by_path: dict[str, list[Delta]] = field(default_factory=dict)

    def add(self, delta: Delta) -> None:
        """Append the next delta."""
        self.deltas.append(delta)
        self.by_path.setdefault(delta.touch.path, []).append(delta)
        for key in {**delta.before, **delta.after}:
            self.by_key.setdefault(key, []).append(delta)


def timeline(
    touches: Iterable[Touch],
    differing: Callable[[Touch], tuple[Sequence[Declaration], Sequence[Declaration]]],
) -> Timeline:
    """Turn touched headers into deltas.

    Parameters
    ----------
    touches : Touch, oldest first
    differing : callable
        Returns what the header declares before and after, as far as that differs.
    """
    result = Timeline()
    for touch in touches:
        before, after = map(_variants, differing(touch))
        gone = {
            key: found for key, found in before.items() if _seen(found) != _seen(after.get(key))
        }
        came = {
            key: found for key, found in after.items() if _seen(found) != _seen(before.get(key))
        }
        result.add(Delta(len(result.deltas), touch, gone, came))
    return result


def _variants(declarations: Iterable[Declaration]) -> dict[Key, tuple[Declaration, ...]]:
    found: dict[Key, tuple[Declaration, ...]] = {}
    for declaration in declarations:
        found[declaration.key] = (*found.get(declaration.key, ()), declaration)
    return found


def _seen(variants: Iterable[Declaration] | None) -> frozenset[object] | None:
    if variants is None:
        return None
    return frozenset((variant.signature, variant.condition) for variant in variants)


def steps(
    line: Timeline, removed: Mapping[Key, Declaration], added: Mapping[Key, Declaration]
) -> list[Step]:
    """Return every removed × added pair that met in one commit."""
    by_commit: dict[str, list[Delta]] = {}
    for delta in line.deltas:
        by_commit.setdefault(delta.touch.commit, []).append(delta)
    found = []
    for deltas in by_commit.values():
        went = [
            (delta, variants[0])
            for delta in deltas
            for key, variants in delta.before.items()
            if key in removed and key not in delta.after
        ]
        came = [
            (delta, variants[0])
            for delta in deltas
            for key, variants in delta.after.items()
            if key in added and key not in delta.before
        ]
        if len(went) * len(came) > 40_000:
            continue
        places: dict[int, dict[Key, tuple[int, int, int]]] = {}
        for delta in deltas:
            places[id(delta)] = _places(delta, removed, added)
        for old_delta, old in went:
            for new_delta, new in came:
                same_hunk = aligned = False
                if old_delta is new_delta:
                    here = places[id(old_delta)]
                    one, other = here.get(old.key), here.get(new.key)
                    same_hunk = one is not None and other is not None and one[0] == other[0]
                    aligned = same_hunk and one == other
                found.append(
                    Step(
                        removed[old.key],
                        added[new.key],
                        old_delta.touch.commit,
                        old_delta.touch.subject,
                        same_hunk,
                        aligned,
                    )
                )
    return found


def _places(
    delta: Delta, removed: Mapping[Key, Declaration], added: Mapping[Key, Declaration]
) -> dict[Key, tuple[int, int, int]]:
    """Return by key (hunk, order among its sort in the hunk, how many there are)."""
    result: dict[Key, tuple[int, int, int]] = {}
    changes = delta.touch.changes
    for side, keep, other, at in (
        (delta.before, removed, delta.after, _old_lines),
        (delta.after, added, delta.before, _new_lines),
    ):
        inside: dict[tuple[int, str], list[Declaration]] = {}
        for key, variants in side.items():
            if key in other or key not in keep:
                continue
            for number, change in enumerate(changes):
                first, count = at(change)
                if first <= variants[0].line < first + count:
                    inside.setdefault((number, key[0]), []).append(variants[0])
                    break
        for (number, _), listed in inside.items():
            listed.sort(key=lambda declaration: declaration.line)
            for order, declaration in enumerate(listed):
                result[declaration.key] = (number, order, len(listed))
    return result


def _old_lines(change: Change) -> tuple[int, int]:
    return change.old_start, len(change.removed)


def _new_lines(change: Change) -> tuple[int, int]:
    return change.new_start, len(change.added)


def commit_of(finding: Finding, line: Timeline) -> str | None:
    """Return the oid of the commit that made a change, None when the range doesn't tell."""
    if finding.old is None and finding.new is None:
        return _header_commit(finding, line)
    old, new = finding.old, finding.new
    if old is None or new is None:
        declaration = old or new
        assert declaration is not None
        return _presence(declaration, line, appears=old is None)
    verb = finding.kind.rsplit("-", 1)[-1]
    if old.key != new.key and verb in ("renamed", "moved"):
        return _presence(old, line, appears=False) or _presence(new, line, appears=True)
    if verb == "moved":
        return _left(old, line)
    if finding.kind == "condition-changed":
        return _departed(old, line, lambda variant: variant.condition)
    # Several commits may change a declaration in turn: what must be written now is the last one's.
    harmless = finding.compatibility is Compatibility.ANNOTATION_ONLY
    if not harmless and (arrived := _arrived(new, line)) is not None:
        return arrived
    return _departed(old, line, lambda variant: variant.signature) or (
        _departed(new, line, lambda variant: variant.signature, old.signature)
        or _presence(old, line, appears=False)
        # It went, and another took its name later.
        or _departed(old, line, lambda variant: variant.signature, gone=True)
    )


def _header_commit(finding: Finding, line: Timeline) -> str | None:
    found = None
    appears = finding.kind == "header-added"
    for delta in line.by_path.get(finding.header, ()):
        came, went = delta.touch.old_blob == _EMPTY, delta.touch.new_blob == _EMPTY
        if (came if appears else went) and found is None:
            found = delta.touch.commit
        elif went if appears else came:
            found = None
    return found


def _presence(declaration: Declaration, line: Timeline, *, appears: bool) -> str | None:
    """Return the commit from which on a key is there, or isn't, in any header."""
    key = declaration.key
    found: str | None = None
    where: set[str] = set() if appears else {declaration.header}
    for commit, deltas in _by_commit(line.by_key.get(key, ())):
        was = bool(where)
        for delta in deltas:
            if key in delta.after:
                where.add(delta.touch.path)
            else:
                where.discard(delta.touch.path)
        if bool(where) is appears and was is not appears:
            found = commit
        elif bool(where) is not appears:
            found = None
    return found


def reused(declaration: Declaration, line: Timeline) -> bool:
    """Whether one commit took a name away and another gave it to something else."""
    key = declaration.key
    where, went = {declaration.header}, ""
    for commit, deltas in _by_commit(line.by_key.get(key, ())):
        for delta in deltas:
            if key in delta.after:
                where.add(delta.touch.path)
            else:
                where.discard(delta.touch.path)
        if where and went and went != commit:
            return True
        if not where:
            went = commit
    return False


def _left(declaration: Declaration, line: Timeline) -> str | None:
    found = None
    for delta in line.by_key.get(declaration.key, ()):
        if delta.touch.path != declaration.header:
            continue
        gone = declaration.key not in delta.after
        found = (found or delta.touch.commit) if gone else None
    return found


def _arrived(declaration: Declaration, line: Timeline) -> str | None:
    """Return the commit from which on a declaration looks as it does at last."""
    last, key = declaration.signature, declaration.key
    found = None
    for delta in line.by_key.get(key, ()):
        before = {variant.signature for variant in delta.before.get(key, ())}
        after = {variant.signature for variant in delta.after.get(key, ())}
        if last in after and last not in before and before:
            found = found or delta.touch.commit
        elif last in before and last not in after:
            found = None
    return found


def _departed(
    declaration: Declaration,
    line: Timeline,
    view: Callable[[Declaration], object],
    first: object = None,
    *,
    gone: bool = False,
) -> str | None:
    """Return the commit from which on a declaration no longer looks as it did at first."""
    first = view(declaration) if first is None else first
    key = declaration.key
    found = None
    for delta in line.by_key.get(key, ()):
        before = {view(variant) for variant in delta.before.get(key, ())}
        after = {view(variant) for variant in delta.after.get(key, ())}
        if first in before and first not in after and (after or gone):
            found = found or delta.touch.commit
        elif first in after and first not in before:
            found = None
    return found


def steps_of(finding: Finding, line: Timeline, way: Iterable[Declaration] = ()) -> tuple[str, ...]:
    """Return the oids of all commits that changed either declaration, oldest first.

    `way` are the names that it had in between.
    """
    keys = {found.key for found in (finding.old, finding.new, *way) if found is not None}
    seen = {id(delta): delta for key in keys for delta in line.by_key.get(key, ())}
    ordered = sorted(seen.values(), key=lambda delta: delta.number)
    return tuple(dict.fromkeys(delta.touch.commit for delta in ordered))


def header_moves(touches: Iterable[Touch]) -> dict[str, str]:
    """Return the headers that one commit took away and put elsewhere: old path to new.

    Names change on such a move, so words are compared, not lines.
    """
    by_commit: dict[str, tuple[list[Touch], list[Touch]]] = {}
    for touch in touches:
        went, came = by_commit.setdefault(touch.commit, ([], []))
        if touch.new_blob == _EMPTY:
            went.append(touch)
        elif touch.old_blob == _EMPTY:
            came.append(touch)
    moves: dict[str, str] = {}
    for went, came in by_commit.values():
        new_words = [(_words(touch, removed=False), touch.path) for touch in came]
        for touch in went:
            mine = _words(touch, removed=True)
            alike = [
                (2 * (mine & yours).total() / ((mine.total() + yours.total()) or 1), path)
                for yours, path in new_words
            ]
            if alike and max(alike)[0] >= _ALIKE:
                moves[touch.path] = max(alike)[1]
    return {path: _last(path, moves) for path in moves}


def _last(path: str, moves: Mapping[str, str]) -> str:
    """Return where a header that was moved more than once stands at last."""
    seen = {path}
    while (target := moves.get(path)) is not None and target not in seen:
        seen.add(target)
        path = target
    return path


def _words(touch: Touch, *, removed: bool) -> Counter[bytes]:
    lines = (change.removed if removed else change.added for change in touch.changes)
    text = b"\n".join(line for listed in lines for line in listed).lower()
    return Counter(re.findall(rb"[a-z0-9]+", text))


def _by_commit(deltas: Sequence[Delta]) -> Iterable[tuple[str, list[Delta]]]:
    group: list[Delta] = []
    for delta in deltas:
        if group and delta.touch.commit != group[-1].touch.commit:
            yield group[0].touch.commit, group
            group = []
        group.append(delta)
    if group:
        yield group[0].touch.commit, group

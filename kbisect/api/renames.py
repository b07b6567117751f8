# SPDX-License-Identifier: GPL-2.0-or-later
"""Which removed declaration became which added one: pairs judged, the best kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kbisect.api.declarations import Declaration, What
from kbisect.api.proof import Evidence, Key, Pair, Step, Surroundings, judge, last_name

# May become one another: a function and the macro that takes its place.
_FAMILIES = {
    What.FIELD: "field",
    What.FUNCTION: "call",
    What.MACRO: "call",
    What.ENUMERATOR: "constant",
    What.STRUCT: "aggregate",
    What.UNION: "aggregate",
    What.ENUM: "enum",
    What.TYPEDEF: "typedef",
}
_FEW = 3
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z")


def family(declaration: Declaration) -> str:
    """Return the sort of things that a declaration can be renamed to."""
    found = _FAMILIES[declaration.what]
    if declaration.what is What.MACRO and _PATH.match(declaration.type):
        return "field"  # `#define fl4_fwmark nl_u.ip4_u.fwmark`
    return "constant" if found == "call" and declaration.parameters is None else found


def pairs(
    removed: Iterable[Declaration],
    added: Iterable[Declaration],
    evidence: Evidence,
    around: Surroundings,
) -> dict[Key, Pair]:
    """Pair what went with what came; several become one only if callers say so of each.

    Parameters
    ----------
    removed, added : declarations of one version that the other lacks
    evidence : Evidence
    around : Surroundings

    Returns
    -------
    dict of the removed declaration's key to its pair, guesses included
    """
    olds = {declaration.key: declaration for declaration in removed}
    news = {declaration.key: declaration for declaration in added}
    met: dict[tuple[Key, Key], Step] = {}
    for step in evidence.steps:
        at = (step.old.key, step.new.key)
        if at[0] in olds and at[1] in news:
            best = met.get(at)
            if best is None or (step.aligned, step.same_hunk) > (best.aligned, best.same_hunk):
                met[at] = step
    by_name: dict[str, list[Declaration]] = {}
    for declaration in news.values():
        by_name.setdefault(last_name(declaration), []).append(declaration)
    candidates = dict.fromkeys(met)
    for turnings in (evidence.callers, evidence.assigned):
        for key, turned in turnings.items():
            if key in olds:
                for name in turned:
                    candidates |= {(key, new.key): None for new in by_name.get(name, ())}
    for key, old in olds.items():
        candidates |= {(key, new.key): None for new in by_name.get(last_name(old), ())}
    scored = []
    for old_key, new_key in candidates:
        if old_key == new_key:  # a name that went and was given to something else
            continue
        old, new = olds[old_key], news[new_key]
        if family(old) != family(new) and "constant" not in (family(old), family(new)):
            continue
        if family(old) != family(new) and {family(old), family(new)} != {"constant", "call"}:
            continue
        found = judge(old, new, met.get((old_key, new_key)), evidence, around)
        if found is not None:
            scored.append(found)
    scored.sort(key=lambda pair: (not pair.is_fact, -pair.confidence, pair.old.key, pair.new.key))
    result: dict[Key, Pair] = {}
    used: set[Key] = set()
    for pair in scored:
        if pair.old.key not in result and (pair.new.key not in used or _merges(pair, evidence)):
            if pair.is_fact and is_split(pair, evidence, news):
                continue
            result[pair.old.key] = pair
            if pair.is_fact:
                used.add(pair.new.key)
    _through_aliases(olds, result)
    _with_twins(olds.values(), result, evidence.steps)
    return result


def _through_aliases(olds: Mapping[Key, Declaration], result: dict[Key, Pair]) -> None:
    """Let a field follow the macro by which all the world calls it (`fl4_fwmark`)."""
    for old in olds.values():
        known = result.get(old.key)
        if known is None or not known.is_fact or family(old) != "field" or old.what is What.FIELD:
            continue
        for other in olds.values():
            if other.what is What.FIELD and other.name == old.type and other.key not in result:
                signals = (f"its macro {old.name}", *known.signals)
                result[other.key] = replace(known, old=other, signals=signals)


def _with_twins(
    olds: Iterable[Declaration], result: dict[Key, Pair], steps: Iterable[Step]
) -> None:
    """Let a field follow its twin of the other half of a union, if one commit took both."""
    took: dict[tuple[str, Key], list[Step]] = {}
    for step in steps:
        took.setdefault((step.commit, step.new.key), []).append(step)
    known: dict[tuple[str, str, str], Pair] = {}
    for pair in result.values():
        if pair.is_fact and pair.old.what is What.FIELD and "." in pair.old.name:
            known[pair.old.owner, last_name(pair.old), pair.old.type] = pair
    for old in olds:
        twin = known.get((old.owner, last_name(old), old.type))
        mine = result.get(old.key)
        if twin is None or old.what is not What.FIELD or (mine is not None and mine.is_fact):
            continue
        mates = [took[at] for at in took if at[1] == twin.new.key]
        if any({old.key, twin.old.key} <= {step.old.key for step in each} for each in mates):
            signals = (f"its twin {twin.old.name}", *twin.signals)
            result[old.key] = replace(twin, old=old, signals=signals)


def _merges(pair: Pair, evidence: Evidence) -> bool:
    """Whether callers moved from this name, too, to one that another name became as well."""
    turned = evidence.callers.get(pair.old.key, {})
    count = turned.get(last_name(pair.new), 0)
    return pair.is_fact and count >= 2 and count == max(turned.values())


def is_split(pair: Pair, evidence: Evidence, news: Mapping[Key, Declaration]) -> bool:
    """Whether callers went to several new names of its sort instead of one."""
    turned = evidence.alike.get(pair.old.key, {})
    if sum(turned.values()) < _FEW:
        turned = evidence.callers.get(pair.old.key, {})
    names = {
        last_name(new)
        for new in news.values()
        if family(new) == family(pair.old) and new.owner == pair.new.owner
    }
    counts = sorted((count for name, count in turned.items() if name in names), reverse=True)
    return len(counts) > 1 and counts[1] >= 2 and counts[1] >= 0.2 * sum(counts)

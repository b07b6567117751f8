# SPDX-License-Identifier: GPL-2.0-or-later
"""Which removed declaration became which added one: evidence and its weights. Pure.

A rename is a fact only with evidence from a commit: its hunk puts the new line in the old one's
place, or its callers turn one name into the other. Likeness alone is a guess, and is called one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import lru_cache

from kbisect.api.annotations import machine_type
from kbisect.api.declarations import Declaration, What

Key = tuple[str, str]

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
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\Z")
FACT = 0.6
"""Least confidence of a rename that is stated as fact."""


@dataclass(frozen=True, slots=True)
class Step:
    """One removed and one added declaration that met in one commit."""

    old: Declaration
    new: Declaration
    commit: str
    subject: str
    same_hunk: bool
    aligned: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the range's commits say.

    Attributes
    ----------
    steps : every removed × added pair of one commit
    callers : by old key, how many lines turned it into which name (without the struct)
    assigned : by old key, how many functions were put into it and are now put into which name
    """

    steps: Sequence[Step] = ()
    callers: Mapping[Key, Mapping[str, int]] = field(default_factory=dict)
    assigned: Mapping[Key, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around the declarations of both sides.

    Attributes
    ----------
    siblings : names of the fields before and after a field, by key
    old_members, new_members : names of a struct's fields, by the struct's name
    structs : structs already paired, old name to new
    """

    siblings: Mapping[Key, tuple[str, str]] = field(default_factory=dict)
    old_members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    new_members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    structs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """A removed declaration and what it became. `is_fact` is False for a likeness without proof."""

    old: Declaration
    new: Declaration
    confidence: float
    signals: tuple[str, ...]
    is_fact: bool
    commit: str | None


def family(declaration: Declaration) -> str:
    """Return the sort of things that a declaration can be renamed to."""
    found = _FAMILIES[declaration.what]
    if declaration.what is What.MACRO and _PATH.match(declaration.type):
        return "field"  # `#define fl4_fwmark nl_u.ip4_u.fwmark`
    return "constant" if found == "call" and declaration.parameters is None else found


@lru_cache(maxsize=100_000)
def likeness(old: str, new: str) -> float:
    """Return how alike two names are, 0 to 1; case and underscores don't count.

    >>> likeness("VLAN_DEV_INFO", "vlan_dev_info")
    1.0
    """
    one, other = old.lower(), new.lower()
    if one == other or one.strip("_") == other.strip("_"):
        return 1.0
    words, others = set(one.strip("_").split("_")), set(other.strip("_").split("_"))
    shared = len(words & others) / max(len(words), len(others))
    return max(shared, SequenceMatcher(None, one, other, autojunk=False).ratio())


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
        by_name.setdefault(_last(declaration), []).append(declaration)
    candidates = dict.fromkeys(met)
    for turnings in (evidence.callers, evidence.assigned):
        for key, turned in turnings.items():
            if key in olds:
                for name in turned:
                    candidates |= {(key, new.key): None for new in by_name.get(name, ())}
    for key, old in olds.items():
        candidates |= {(key, new.key): None for new in by_name.get(_last(old), ())}
    scored = []
    for old_key, new_key in candidates:
        old, new = olds[old_key], news[new_key]
        if family(old) != family(new) and "constant" not in (family(old), family(new)):
            continue
        if family(old) != family(new) and {family(old), family(new)} != {"constant", "call"}:
            continue
        found = _judge(old, new, met.get((old_key, new_key)), evidence, around)
        if found is not None:
            scored.append(found)
    scored.sort(key=lambda pair: (-pair.confidence, pair.old.key, pair.new.key))
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


def _merges(pair: Pair, evidence: Evidence) -> bool:
    """Whether callers moved from this name, too, to one that another name became as well."""
    turned = evidence.callers.get(pair.old.key, {})
    count = turned.get(_last(pair.new), 0)
    return pair.is_fact and count >= 2 and count == max(turned.values())


def is_split(pair: Pair, evidence: Evidence, news: Mapping[Key, Declaration]) -> bool:
    """Whether callers went to several new names of its sort instead of one."""
    turned = evidence.callers.get(pair.old.key, {})
    names = {
        _last(new)
        for new in news.values()
        if family(new) == family(pair.old) and new.owner == pair.new.owner
    }
    counts = sorted((count for name, count in turned.items() if name in names), reverse=True)
    return len(counts) > 1 and counts[1] >= 3 and counts[1] >= 0.2 * sum(counts)


def _last(declaration: Declaration) -> str:
    return declaration.name.rsplit(".", 1)[-1]


def _judge(
    old: Declaration,
    new: Declaration,
    step: Step | None,
    evidence: Evidence,
    around: Surroundings,
) -> Pair | None:
    signals: list[tuple[float, str]] = []
    score = -3.5
    proof = False
    turned = evidence.callers.get(old.key, {})
    count = turned.get(_last(new), 0)
    if step is not None:
        score += 1.0
        if step.aligned:
            signals.append((3.0, "hunk: same place"))
            proof = True
        elif step.same_hunk:
            signals.append((1.2, "hunk"))
            proof = True
        else:
            signals.append((0.3, "same commit"))
        if _tells(step.subject, old, new):
            signals.append((1.0, "subject"))
    if count:
        signals.append((min(3.5, 1.2 + math.log2(count) * 0.6), f"callers: {count}"))
        proof = proof or count >= 2 or step is not None
    assigned = evidence.assigned.get(old.key, {}).get(_last(new), 0)
    if assigned:
        signals.append((min(4.0, 1.5 + math.log2(assigned)), f"functions assigned: {assigned}"))
        proof = True
    alike = likeness(_last(old), _last(new))
    same_name = _last(old) == _last(new)
    if alike >= 0.6:
        signals.append((1.0 + (alike - 0.6) * 2.5, f"name: {alike:.2f}"))
    elif alike < 0.35:
        score -= 0.6
    if old.what is What.FIELD:
        home = around.structs.get(old.owner, old.owner)
        if new.owner != home:
            callbacks = old.parameters is not None and new.parameters is not None
            if step is not None and same_name and (callbacks or _same_type(old, new)):
                signals.append((2.2, "moved in one commit"))
                proof = True
            # Another struct: the same name may be chance, another name nearly always is.
            score -= 0.3 if assigned else 1.5 if same_name else 2.5
        near = around.siblings.get(old.key, ("", ""))
        far = around.siblings.get(new.key, ("", ""))
        equal = sum(1 for one, other in zip(near, far, strict=True) if one and one == other)
        if equal:
            signals.append((0.5 * equal, f"neighbours: {equal}"))
    if old.key[0] == "tag" and old.what is not What.ENUM:
        mine = around.old_members.get(old.name, frozenset())
        yours = around.new_members.get(new.name, frozenset())
        share = len(mine & yours) / (len(mine | yours) or 1)
        if share >= 0.3 and len(mine & yours) > 1:
            signals.append((1.0 + 4 * share, f"members: {len(mine & yours)} of {len(mine)}"))
            proof = proof or step is not None
    if old.what not in (What.MACRO, What.ENUMERATOR) and (old.type or old.parameters is not None):
        if _same_type(old, new):
            common = (
                old.type in ("int", "void", "unsigned int", "__u32", "u32") and not old.parameters
            )
            signals.append((0.4 if common else 0.9, "type"))
        elif old.what is What.FIELD and (old.parameters is None) != (new.parameters is None):
            score -= 1.5
    if old.what is What.MACRO and new.what is What.MACRO and old.type and old.type == new.type:
        signals.append((1.0, "value"))
    score += sum(weight for weight, _ in signals)
    confidence = 1 / (1 + math.exp(-score))
    fact = proof and confidence >= FACT
    if not fact and confidence < 0.2:
        return None
    signals.sort(reverse=True)
    return Pair(
        old,
        new,
        round(confidence, 3),
        tuple(words for _, words in signals),
        fact,
        step.commit if step is not None else None,
    )


def _same_type(old: Declaration, new: Declaration) -> bool:
    return machine_type(old.type) == machine_type(new.type) and old.parameters == new.parameters


def _tells(subject: str, old: Declaration, new: Declaration) -> bool:
    words = set(re.findall(r"\w+", subject))
    return _last(new) in words and (
        _last(old) in words
        or bool(re.search(r"\brenam|\b[Tt]urn|\bconvert", subject, re.IGNORECASE))
    )

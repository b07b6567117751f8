# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether one removed declaration became one added one: the evidence weighed. Pure.

A rename is a fact only with evidence from a commit: its hunk puts the new line in the old one's
place, or its callers turn one name into the other. Likeness alone is a guess, and is called one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache

from kbisect.api.annotations import machine_type
from kbisect.api.declarations import Declaration, What

Key = tuple[str, str]
FACT = 0.6
"""Least confidence of a rename that is stated as fact."""
_NO_STRUCTS: Mapping[str, str] = {}


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
    alike : the same, of lines that use the new name as they did the old one
    totals : by old key, how many lines gave it up
    assigned : by old key, how many functions were put into it and are now put into which name
    """

    steps: Sequence[Step] = ()
    callers: Mapping[Key, Mapping[str, int]] = field(default_factory=dict)
    alike: Mapping[Key, Mapping[str, int]] = field(default_factory=dict)
    totals: Mapping[Key, int] = field(default_factory=dict)
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
    """A removed declaration and what it became.

    `is_fact` is False for a likeness without proof; `way` are the names it had in between.
    """

    old: Declaration
    new: Declaration
    confidence: float
    signals: tuple[str, ...]
    is_fact: bool
    commit: str | None
    way: tuple[Declaration, ...] = ()


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


def judge(
    old: Declaration,
    new: Declaration,
    step: Step | None,
    evidence: Evidence,
    around: Surroundings,
) -> Pair | None:
    signals: list[tuple[float, str]] = []
    score = -3.5
    count = evidence.callers.get(old.key, {}).get(last_name(new), 0)
    if step is not None:
        score += 1.0
        if step.aligned:
            signals.append((3.0, "hunk: same place"))
        elif step.same_hunk:
            signals.append((1.2, "hunk"))
        else:
            signals.append((0.3, "same commit"))
        if _tells(step.subject, old, new):
            signals.append((1.0, "subject"))
    if count:
        signals.append((min(3.5, 1.2 + math.log2(count) * 0.6), f"callers: {count}"))
    assigned = evidence.assigned.get(old.key, {}).get(last_name(new), 0)
    if assigned:
        signals.append((min(4.0, 1.5 + math.log2(assigned)), f"functions assigned: {assigned}"))
    alike = likeness(last_name(old), last_name(new))
    if alike >= 0.6:
        signals.append((1.0 + (alike - 0.6) * 2.5, f"name: {alike:.2f}"))
    elif alike < 0.35:
        score -= 0.6
    moved = False
    if old.what is What.FIELD:
        weight, moved, told = _place(old, new, step, around, assigned=bool(assigned))
        score += weight
        signals += told
    shared = _shared_members(old, new, around)
    if shared is not None and shared[0] > 1 and shared[1] >= _RELATED:
        signals.append((1.0 + 4 * shared[1], f"members: {shared[0]} of {shared[2]}"))
    if old.what not in (What.MACRO, What.ENUMERATOR) and (old.type or old.parameters is not None):
        if _same_type(old, new):
            signals.append((0.4 if _is_common(old) else 0.9, "type"))
        elif _serves_alike(old, new):
            signals.append((0.9, "use"))
        elif old.what is What.FIELD and (old.parameters is None) != (new.parameters is None):
            score -= 1.5
    if old.what is What.MACRO and new.what is What.MACRO and old.type and old.type == new.type:
        signals.append((1.0, "value"))
    score += sum(weight for weight, _ in signals)
    confidence = 1 / (1 + math.exp(-score))
    proven = moved or bool(assigned) or _is_proven(old, new, step, evidence, around)
    fact = proven and confidence >= FACT
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


def _place(
    old: Declaration, new: Declaration, step: Step | None, around: Surroundings, *, assigned: bool
) -> tuple[float, bool, list[tuple[float, str]]]:
    """Judge where a field stands: weight, whether it is proven to have moved, and signals."""
    signals: list[tuple[float, str]] = []
    weight, moved = 0.0, False
    home = around.structs.get(old.owner, old.owner)
    if new.owner != home:
        same_name = last_name(old) == last_name(new)
        callbacks = old.parameters is not None and new.parameters is not None
        if step is not None and same_name and (callbacks or _same_type(old, new)):
            signals.append((2.2, "moved in one commit"))
            moved = True
        # Another struct: the same name may be chance, another name nearly always is.
        weight -= 0.3 if assigned else 1.5 if same_name else 2.5
    elif _crosses(old, new, around):
        weight -= 2.5
    near = around.siblings.get(old.key, ("", ""))
    far = around.siblings.get(new.key, ("", ""))
    equal = sum(1 for one, other in zip(near, far, strict=True) if one and one == other)
    if equal:
        signals.append((0.5 * equal, f"neighbours: {equal}"))
    return weight, moved, signals


def _is_proven(
    old: Declaration,
    new: Declaration,
    step: Step | None,
    evidence: Evidence,
    around: Surroundings,
) -> bool:
    """Whether commits show that the one is the other.

    That the new line stands in the old one's place is not enough: a reserved byte gets a use, a
    flag becomes a counter. Its callers must have gone there, or its name or type say so.
    """
    if _RESERVED.search(last_name(old)) or _RESERVED.search(last_name(new)):
        return False
    if _crosses(old, new, around):
        return False
    total = evidence.totals.get(old.key, 0)
    turned = evidence.callers.get(old.key, {}).get(last_name(new), 0)
    alike = evidence.alike.get(old.key, {})
    as_before = alike.get(last_name(new), 0)
    beside = around.new_members.get(new.owner, frozenset()) - {last_name(new)}
    rival = max((count for name, count in alike.items() if name in beside), default=0)
    if rival >= _MANY and rival >= 3 * as_before:
        return False  # what callers became counts more than what the header became
    name = likeness(last_name(old), last_name(new))
    named = name >= 0.6 or _extends(last_name(old), last_name(new))
    typed = bool(old.type or old.parameters) and _same_type(old, new, around.structs)
    most = turned * 2 >= total > 0
    shared = _shared_members(old, new, around)
    if shared is not None and shared[0] > 1 and shared[1] >= _RELATED and step is not None:
        return True
    if shared is not None and shared[1] < _RELATED and shared[2] > 2 and not _aligned(step):
        return False  # its callers use another struct now: a replacement with other members
    if old.what is What.FIELD and new.owner != around.structs.get(old.owner, old.owner):
        if step is not None and turned >= _MANY and turned >= 0.9 * total:
            return True
        return typed and most and (name == 1 or (step is not None and named))
    if as_before * 2 >= total > 0 and (as_before > 1 or step is not None):
        return True
    if step is None:
        return False
    if name == 1 and typed and new.owner == around.structs.get(old.owner, old.owner):
        return True  # `_next_bitmap` for `next_bitmap`, wherever it stands
    # Another struct's field of that name is counted with it, so a small share says little.
    elsewhere = max(evidence.callers.get(old.key, {}).values(), default=0)
    ignored = old.what is not What.FIELD and not turned and (elsewhere > 1 or total >= _MANY)
    if step.aligned and not (ignored and name < 0.9):
        if old.type in ("union", "struct") and old.what is What.FIELD:
            return True  # callers use its members, and go where those went
        valued = old.what is What.MACRO and bool(old.type) and old.type == new.type
        if named or valued or (most and (turned > 1 or typed or shared is not None)):
            return True
        if old.what is What.FIELD and turned > 2 and turned * 3 >= total:
            return True
        if (typed and not _is_common(old) and not total) or _serves_alike(old, new):
            return True
    if step.same_hunk and named:
        close = name >= 0.9 and (typed or old.what in (What.ENUMERATOR, What.MACRO))
        longer = (
            old.what is What.FIELD
            and (typed or (turned > 1 and not _wraps(old, new)))
            and _extends(last_name(old), last_name(new))
        )
        known = sum(evidence.callers.get(old.key, {}).values())
        mostly = as_before > 2 and as_before * 2 >= known
        if most or close or longer or mostly or name == 1:
            return True
    if name >= 0.9 and turned > 2:
        return True
    return (name >= 0.8 and most) or (named and as_before >= _PLENTY)


def _wraps(old: Declaration, new: Declaration) -> bool:
    """Whether a plain value gave way to a struct that has it (`uc_count`, `uc.count`)."""
    aggregate = ("struct ", "union ")
    return (
        new.type.startswith(aggregate)
        and "*" not in new.type + old.type
        and (not old.type.startswith(aggregate))
    )


def _aligned(step: Step | None) -> bool:
    return step is not None and step.aligned


def _serves_alike(old: Declaration, new: Declaration) -> bool:
    """Whether the types are of one use: lists by pointer and by head, locks of two kinds."""
    if old.what is not What.FIELD or new.what is not What.FIELD:
        return False
    linked = old.type == f"struct {old.owner} *" and bool(_LIST.match(new.type))
    return linked or bool(_LOCK.match(old.type) and _LOCK.match(new.type))


_RESERVED = re.compile(r"reserved|unused|^_*(?:pad(?:ding)?|fill(?:er)?)\d*$", re.IGNORECASE)
_LIST = re.compile(r"struct (?:list_head|h?list_\w+)$")
_LOCK = re.compile(r"(?:struct (?:semaphore|rw_semaphore|mutex)|(?:raw_)?(?:spin|rw)lock_t)$")
_PLENTY = 10
_RELATED = 0.3  # share of members that makes two structs one
_MANY = 5
_COMMON = {
    *("int", "void", "unsigned int", "__u32", "u32", "u8", "__u8", "u16", "__u16", "bool"),
    *("unsigned char", "unsigned long", "struct list_head", "spinlock_t", "atomic_t", "void *"),
}


def _is_common(declaration: Declaration) -> bool:
    """Whether its type is that of half of all."""
    return declaration.type in _COMMON and not declaration.parameters


def _shared_members(
    old: Declaration, new: Declaration, around: Surroundings
) -> tuple[int, float, int] | None:
    """Return how many members two structs share, their share, and how many the old one has."""
    if old.key[0] != "tag" or old.what is What.ENUM:
        return None
    mine = around.old_members.get(old.name, frozenset())
    yours = around.new_members.get(new.name, frozenset())
    return len(mine & yours), len(mine & yours) / (len(mine | yours) or 1), len(mine)


def _crosses(old: Declaration, new: Declaration, around: Surroundings) -> bool:
    """Whether a field would go from one half of a union to the other."""
    home = around.structs.get(old.owner, old.owner)
    inside = _inside(old)
    return (
        inside not in ("", _inside(new))
        and new.owner == home
        and inside in around.new_members.get(home, ())
    )


def _inside(declaration: Declaration) -> str:
    """Return the path of the member that a field is nested in, empty if in none."""
    return declaration.name.rpartition(".")[0]


def _extends(old: str, new: str) -> bool:
    """Whether a name is the other with something before or behind (`opt`, `inet_opt`)."""
    short, long = sorted((old.lower().strip("_"), new.lower().strip("_")), key=len)
    words = long.split("_")
    if len(short) < 2:
        return False
    return long.startswith(short) or all(word in words for word in short.split("_"))


def _same_type(
    old: Declaration, new: Declaration, structs: Mapping[str, str] = _NO_STRUCTS
) -> bool:
    """Whether types are one, that of a renamed struct under its new name."""

    def spelt(text: str) -> str:
        return re.sub(r"\w+", lambda word: structs.get(word.group(), word.group()), text)

    mine = spelt(old.type) if structs else old.type
    return machine_type(mine) == machine_type(new.type) and old.parameters == new.parameters


def _tells(subject: str, old: Declaration, new: Declaration) -> bool:
    words = set(re.findall(r"\w+", subject))
    return last_name(new) in words and (
        last_name(old) in words
        or (
            "_" in new.name and bool(re.search(r"\b(?:renam|turn|convert)", subject, re.IGNORECASE))
        )
    )


def last_name(declaration: Declaration) -> str:
    """Return the name without the path inside its struct."""
    return declaration.name.rsplit(".", 1)[-1]

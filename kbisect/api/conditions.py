# SPDX-License-Identifier: GPL-2.0-or-later
"""Preprocessor conditions, as far as it takes to say what a declaration needs. Pure.

A condition is a tuple of terms that must all hold, `("CONFIG_INET", "!CONFIG_NET_NS")`; `()` always
holds, None never does. The reader is kernel code: `__KERNEL__` holds, C++ and assembler don't.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Condition = tuple[str, ...]

_TRUE = {"__KERNEL__", "1", "__GNUC__"}
_FALSE = {"0", "__cplusplus", "__ASSEMBLY__", "__ASSEMBLER__", "__CHECKER__", "__GENKSYMS__"}
_DEFINED = re.compile(r"\bdefined\s*(?:\(\s*(\w+)\s*\)|(\w+))")
_ENABLED = re.compile(r"\bIS_(?:ENABLED|BUILTIN|REACHABLE)\s*\(\s*(\w+)\s*\)")
_AS_MODULE = re.compile(r"\bIS_MODULE\s*\(\s*(\w+)\s*\)")
_MODULE = re.compile(r"\b(\w+) \|\| \1_MODULE\b")
_BOTH = re.compile(r"\((\w+)\)")
_ATOM = re.compile(r"!?\w+\Z")


def parse(expression: str) -> Condition | None:
    """Return the condition an `#if` line states."""
    text = _DEFINED.sub(lambda found: found.group(1) or found.group(2), expression)
    text = _AS_MODULE.sub(r"\1_MODULE", _ENABLED.sub(r"\1", text))
    text = " ".join(text.split())
    text = re.sub(r"! ?(?!=)", "!", text)
    text = _BOTH.sub(r"\1", _MODULE.sub(r"\1", text))
    terms: list[str] = []
    for term in _split(text):
        inner = term.strip()
        if inner.startswith("!") and _ATOM.match(inner):
            known = _value(inner[1:])
            known = None if known is None else not known
        else:
            known = _value(inner)
        if known is False:
            return None
        if known is None and inner not in terms:
            terms.append(inner)
    return tuple(terms)


def negate(condition: Condition | None) -> Condition | None:
    """Return the condition of the `#else` branch."""
    if condition is None:
        return ()
    if not condition:
        return None
    if len(condition) == 1:
        term = condition[0]
        if _ATOM.match(term):
            return (term[1:] if term.startswith("!") else f"!{term}",)
        if term.startswith("!(") and _closes(term[1:]):
            return (term[2:-1],)
        return (f"!({term})",)
    return (f"!({' && '.join(condition)})",)


def join(stack: Iterable[Condition | None]) -> Condition | None:
    """Return what must hold inside all of these conditions; the order of nesting is kept."""
    terms: dict[str, None] = {}
    for condition in stack:
        if condition is None:
            return None
        terms |= dict.fromkeys(condition)
    return tuple(terms)


def union(conditions: Iterable[Condition]) -> frozenset[frozenset[str]]:
    """Return when at least one of several definitions is there, in a form that can be compared.

    A definition under X beside one under !X is always there.
    """
    left = {frozenset(condition) for condition in conditions}
    changed = True
    while changed:
        changed = False
        ordered = sorted(left, key=lambda terms: (len(terms), sorted(terms)))
        for one in ordered:
            for other in ordered:
                if one is not other and one < other and other in left:
                    left.discard(other)
                    changed = True
                merged = _merge(one, other)
                if merged is not None and {one, other} <= left:
                    left -= {one, other}
                    left.add(merged)
                    changed = True
    return frozenset(left)


def implies(stronger: frozenset[frozenset[str]], weaker: frozenset[frozenset[str]]) -> bool:
    """Whether the weaker one holds wherever the stronger does, as far as terms can tell."""
    return all(any(terms <= strong for terms in weaker) for strong in stronger)


def _merge(one: frozenset[str], other: frozenset[str]) -> frozenset[str] | None:
    mine, yours = one - other, other - one
    if len(mine) == 1 and len(yours) == 1 and negate((*mine,)) == (*yours,):
        return one & other
    return None


def _value(term: str) -> bool | None:
    return True if term in _TRUE else False if term in _FALSE else None


def _split(text: str) -> list[str]:
    """Split at the outermost && unless an || stands beside it."""
    while text.startswith("(") and _closes(text):
        text = text[1:-1].strip()
    parts = [""]
    depth = 0
    for mark in re.findall(r"&&|\|\||[()]|[^&|()]+|[&|]", text):
        depth += (mark == "(") - (mark == ")")
        if mark == "||" and depth == 0:
            return [text]
        if mark == "&&" and depth == 0:
            parts.append("")
        else:
            parts[-1] += mark
    if len(parts) == 1:
        return [text] if text else []
    return [term for part in parts for term in _split(part.strip())]


def _closes(text: str) -> bool:
    """Whether the first parenthesis is closed by the last character."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return place == len(text) - 1
    return False

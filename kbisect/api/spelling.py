# SPDX-License-Identifier: GPL-2.0-or-later
"""C text in one spelling, and what kernel macros declare written out. Pure."""

from __future__ import annotations

import re

from kbisect.api import annotations as words

_TOKEN = re.compile(r"\w+|\.\.\.|[^\s\w]")
_WRAPPED = re.compile(r"\b(?:FASTCALL|INDIRECT_CALLABLE_DECLARE|__xdr)\s*\(")


def normal(text: str) -> str:
    """Return C text with white space only where it takes some, and a blank before `*`.

    >>> normal("unsigned   char*")
    'unsigned char *'
    """
    out = ""
    for part in _TOKEN.findall(text):
        word = part[0].isalnum() or part[0] == "_" or part == "..."
        if out:
            last = out[-1]
            named = last.isalnum() or last == "_"
            if (
                (word and (named or last == ","))
                or (part == "*" and last not in "*(")
                or (part == "(" and (named or last == "*"))
            ):
                out += " "
        out += part
    return out


def rewrite(text: str) -> str:
    """Write out the members that macros declare; lines stay where they are."""
    text = text.replace("\\\n", " \n")
    if "(" not in text and "tc_gen" not in text:
        return text
    while found := _WRAPPED.search(text):
        close = _closing(text, found.end())
        if close is None:
            break
        text = text[: found.start()] + " " + text[found.end() : close] + " " + text[close + 1 :]
    text = words.members(text)
    while found := words.GROUP.search(text):
        close = _closing(text, found.end())
        skip, named, tagged = words.GROUPS[found.group(1)]
        inside = text[found.end() : close].split(",", skip) if close is not None else []
        if close is None or len(inside) <= skip:
            break
        tag = inside[tagged].strip() if tagged is not None else ""
        arguments = "\n" * sum(part.count("\n") for part in inside[:skip])
        text = (
            f"{text[: found.start()]}struct {{{arguments}{inside[skip]}}}; "
            f"struct {tag or '_group'} {inside[named].strip()}{text[close + 1 :]}"
        )
    return text


def depth(text: str) -> int:
    """Return how deep the braces are nested."""
    deepest = level = 0
    for found in re.finditer(r"[{}]", text):
        level += 1 if found.group() == "{" else -1
        deepest = max(deepest, level)
    return deepest


def _closing(text: str, start: int) -> int | None:
    """Return where the parenthesis that is open at `start` closes."""
    depth = 1
    for found in re.compile(r"[()]").finditer(text, start):
        depth += 1 if found.group() == "(" else -1
        if depth == 0:
            return found.start()
    return None

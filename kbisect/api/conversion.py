# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of code rewritten as others were: a caller's conversion applied to another line. Pure.

A conversion is a line that went and the line that came in its place. What differs between them is
the edit; its identifiers stand for whatever the other line has there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[A-Za-z_]\w*|\d\w*|->|[<>=!+\-|&]=|&&|\|\||<<|>>|[^\s\w]')
_KEYWORDS = {
    *("if", "else", "while", "for", "return", "sizeof", "struct", "union", "const", "unsigned"),
    *("int", "char", "void", "long", "NULL", "switch", "case", "goto", "break", "static"),
}
_TO_CALL = re.compile(r"\)\s*=[^=]")  # `ip_hdr(skb) = …` is no C
_CHAIN = r"[A-Za-z_]\w*(?:\s*(?:->|\.)\s*\w+)*"


@dataclass(frozen=True, slots=True)
class Conversion:
    """One converted call site."""

    path: str
    before: str
    after: str
    commit: str


def rewritten(
    line: str,
    name: str,
    conversions: Iterable[Conversion],
    is_known: Callable[[str], bool] = lambda name: True,
) -> tuple[str, Conversion] | None:
    """Rewrite a line as most conversions that fit it would.

    Parameters
    ----------
    line : str
    name : the word that must go or change
    conversions : Conversion, the most common first
    is_known : whether a variable is there for everybody; another caller's own is of no use

    Returns
    -------
    (the new line, the conversion), None when none fits
    """
    votes: dict[str, list[Conversion]] = {}
    for conversion in conversions:
        text = _apply(line, name, conversion)
        if text is None or text == line or _TO_CALL.search(text):
            continue
        if all(map(is_known, _strangers(text, line))):
            votes.setdefault(text, []).append(conversion)
    if not votes:
        return None
    best = max(votes, key=lambda text: len(votes[text]))
    return best, votes[best][0]


def _strangers(text: str, line: str) -> list[str]:
    """Return the variables and constants that a line didn't have before."""
    tokens = _TOKEN.findall(text)
    mine = set(_TOKEN.findall(line))
    return [
        token
        for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
        if (token[0].isalpha() or token[0] == "_")
        and token not in mine
        and token not in _KEYWORDS
        and before not in ("->", ".", "struct", "union", "enum")
        and after != "("
    ]


def _apply(line: str, name: str, conversion: Conversion) -> str | None:
    olds, news = _TOKEN.findall(conversion.before), _TOKEN.findall(conversion.after)
    if name not in olds:
        return None
    place = olds.index(name)
    called = [
        tokens[tokens.index(name) + 1 :][:1] == ["("] for tokens in (olds, news) if name in tokens
    ]
    # A field that gave way to an accessor of its own name is another matter.
    if olds.count(name) == news.count(name) and called != [False, True]:
        return with_arguments(line, name, name, conversion)
    if olds[place + 1 : place + 2] == ["("] and news[place + 1 : place + 2] == ["("]:
        text = with_arguments(line, name, news[place], conversion)
        if text is not None:
            return text
    start = 0
    while start < min(len(olds), len(news)) and olds[start] == news[start]:
        start += 1
    end = 0
    while end < min(len(olds), len(news)) - start and olds[-1 - end] == news[-1 - end]:
        end += 1
    start = min(start, place)
    stop = max(len(olds) - end, place + 1)
    region, instead = olds[start:stop], news[start : len(news) - (len(olds) - stop)]
    bound: dict[str, str] = {}
    parts = []
    for at, token in enumerate(region):
        before = region[at - 1] if at else (olds[start - 1] if start else "")
        after = region[at + 1] if at + 1 < len(region) else ""
        free = (
            (token[0].isalpha() or token[0] == "_")
            and token != name
            and token not in _KEYWORDS
            and before not in ("->", ".", "struct")
            and after != "("
        )
        if not free:
            border = r"\b" if token[0].isalnum() or token[0] == "_" else ""
            parts.append(f"{border}{re.escape(token)}{border}")
        elif token in bound:
            parts.append(rf"(?P={bound[token]})")
        else:
            bound[token] = f"v{len(bound)}"
            parts.append(rf"(?P<{bound[token]}>{_CHAIN})")
    pattern = re.compile(r"\s*".join(parts))
    found = pattern.search(line)
    if found is None:
        return None
    values = {token: found[group] for token, group in bound.items()}
    text = spelt([values.get(token, token) for token in instead])
    return line[: found.start()] + text + line[found.end() :]


def with_arguments(line: str, name: str, new: str, conversion: Conversion) -> str | None:
    """Rewrite a call whose arguments changed: those that stayed are the line's own."""
    mine = call(line, name)
    before, after = call(conversion.before, name), call(conversion.after, new)
    if mine is None or before is None or after is None or len(mine[2]) != len(before[2]):
        return None
    own = dict(zip(before[2], mine[2], strict=True))
    if len(own) != len(before[2]) or (before[2] == after[2] and name == new):
        return None
    listed = [own.get(argument, argument) for argument in after[2]]
    head = line[: mine[0]].rstrip().removesuffix(name)
    return f"{head}{new}({', '.join(listed)}){line[mine[1] :]}"


def call(line: str, name: str) -> tuple[int, int, list[str]] | None:
    """Return where a name's argument list begins and ends in a line, and the arguments."""
    found = re.search(rf"\b{re.escape(name)}\s*(\()", line)
    if found is None:
        return None
    depth = 0
    arguments: list[str] = []
    begun = found.end(1)
    for at in range(found.start(1), len(line)):
        char = line[at]
        depth += (char in "([{") - (char in ")]}")
        if (char == "," and depth == 1) or depth == 0:
            arguments.append(" ".join(line[begun:at].split()))
            begun = at + 1
        if depth == 0:
            return found.start(1), at + 1, [] if arguments == [""] else arguments
    return None


def spelt(tokens: Sequence[str]) -> str:
    """Write tokens as kernel code does.

    >>> spelt(["ip_hdr", "(", "skb", ")", "->", "check"])
    'ip_hdr(skb)->check'
    """
    out = ""
    for part in tokens:
        last = out[-1:]
        word = part[0].isalnum() or part[0] in '_"'
        tight = (  # no blank before it
            not out
            or part in {"->", ".", ",", ";", ")", "]", "[", "++", "--"}
            or last in "([!~."
            or out.endswith("->")
            or (part[0] == "(" and (last.isalnum() or last in "_)") and not _keyword(out))
            or (word and last in "*&" and out[-2:-1] in " (,")
        )
        out += part if tight else f" {part}"
    return out


def _keyword(text: str) -> bool:
    found = re.search(r"(\w+)$", text)
    return found is not None and found[1] in ("if", "while", "for", "switch", "return")

# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of code rewritten as others were: a caller's conversion applied to another line. Pure.

A conversion is a line that went and the line that came in its place. What differs between them is
the edit; its identifiers stand for whatever the other line has there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[A-Za-z_]\w*|\d\w*|->|[<>=!+\-|&]=|&&|\|\||<<|>>|[^\s\w]')
_KEYWORDS = {
    *("if", "else", "while", "for", "return", "sizeof", "struct", "union", "const", "unsigned"),
    *("int", "char", "void", "long", "NULL", "switch", "case", "goto", "break", "static"),
    *("true", "false"),
}
# `ip_hdr(skb) = …` and `flags & BIT = …` are no C.
_TO_CALL = re.compile(r"\)\s*=[^=]|\w\s*&\s*\w+\s*=[^=]")
_SET = re.compile(r"(.*(?:->|\.))(\w+)\s*=\s*([^=].*);")
_ALSO = {"true": "1", "false": "0", "NULL": "0"}
"""How another caller may write a value."""
_EDITED = 0.4  # share of tokens in common
_CHAIN = r"[A-Za-z_]\w*(?:\s*(?:->|\.)\s*\w+)*"


@dataclass(frozen=True, slots=True)
class Conversion:
    """One converted call site; an empty `after` is a line that was left out."""

    path: str
    before: str
    after: str
    commit: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """A name that a rewritten line brings in, and whether it stands there as a variable does."""

    name: str
    is_variable: bool


def rewritten(
    line: str,
    name: str,
    conversions: Iterable[Conversion],
    is_known: Callable[[Stranger], bool] = lambda stranger: True,
) -> tuple[str, Conversion] | None:
    """Rewrite a line as most conversions that fit it would.

    Parameters
    ----------
    line : str
    name : the word that must go or change
    conversions : Conversion, the most common first
    is_known : whether a name is there for everybody; another caller's own is of no use

    Returns
    -------
    (the new line, the conversion), None when none fits
    """
    votes: dict[str, list[Conversion]] = {}
    for conversion in conversions:
        if _tested(name).search(conversion.before) and not _tested(name).search(line):
            continue  # `if (dev->br_port)` tells whether there is one, not which
        text = _apply(line, name, conversion) if conversion.after else None
        if text is None or text == line or _TO_CALL.search(text):
            continue
        if all(map(is_known, strangers(text, line))):
            votes.setdefault(text, []).append(conversion)
    if call(line, name) is None:
        # A way through more members than the line had may be one caller's own (`dev->master->mc`).
        lone = [text for text, sites in votes.items() if len({each.path for each in sites}) < 2]
        for text in lone:
            if _members(text) > _members(line):
                del votes[text]
    if not votes:
        return None
    best = max(votes, key=lambda text: len(votes[text]))
    return best, votes[best][0]


def _tested(name: str) -> re.Pattern[str]:
    """Return what a member looks like that is only asked whether it is set."""
    return re.compile(
        rf"(?:\b(?:if|while) \(|&&|\|\||!)\s*!?{_CHAIN}(?:->|\.){re.escape(name)}\s*(?:\)|&&|\|\|)"
    )


def _members(line: str) -> int:
    """Return how many members a line goes through."""
    return sum(token in ("->", ".") for token in _TOKEN.findall(line))


def left_out(line: str, name: str, conversions: Iterable[Conversion]) -> list[Conversion]:
    """Return the callers that left a line like this one out, none where a caller kept it.

    Alike are statements with the same tokens but for variables and numbers, and initialisers of
    one member, whatever its value.
    """
    shape = _shape(_statement(line, name), name)
    initialiser = re.compile(rf"(?:^|[\s{{,])\.\s*{re.escape(name)}\s*=")
    if initialiser.search(line):
        alike = [each for each in conversions if initialiser.search(each.before)]
    else:
        alike = [each for each in conversions if _shape(each.before, name) == shape]
    return [] if any(each.after for each in alike) else alike


def _statement(line: str, name: str) -> str:
    """Return the statement of a line that has a word."""
    parts = re.findall(r"[^;]*;|[^;]+$", line)
    return next((each.strip() for each in parts if re.search(rf"\b{name}\b", each)), line)


def is_telling(site: Conversion) -> bool:
    """Whether the new line is plainly the old one edited, and so shows a person what to do."""
    old, new = (_TOKEN.findall(text) for text in (site.before, site.after))
    return SequenceMatcher(None, old, new, autojunk=False).ratio() >= _EDITED


def customary(sites: Iterable[Conversion]) -> Conversion | None:
    """Return a site that was given the call most lines were given; None where no two agree.

    So a loop that became a macro is shown, whose new line is not the old one edited.
    """
    lines: dict[str, set[str]] = {}
    first: dict[str, Conversion] = {}
    for site in sites:
        for stranger in strangers(site.after, site.before):
            if not stranger.is_variable and f"{stranger.name}(" in site.after:
                lines.setdefault(stranger.name, set()).add(site.before)
                first.setdefault(stranger.name, site)
    name = max(lines, key=lambda each: len(lines[each]), default=None)
    return first[name] if name is not None and len(lines[name]) > 1 else None


def _shape(line: str, name: str) -> list[str]:
    """Return a line's tokens; `dev`, `p->dev` and other ways to an object are one."""
    tokens = _TOKEN.findall(line.rstrip(",; "))
    found: list[str] = []
    for token in tokens:
        word = token[0].isalnum() or token[0] == "_"
        shown = "x" if word and token != name and token not in _KEYWORDS else token
        if shown == "x" and found[-2:] in (["x", "->"], ["x", "."]):
            del found[-2:]
        found.append(shown)
    return found


def strangers(text: str, line: str) -> list[Stranger]:
    """Return the names that a line didn't have before, but for keywords and types' tags."""
    tokens = _TOKEN.findall(text)
    mine = set(_TOKEN.findall(line))
    return [
        Stranger(token, before not in ("->", ".") and after != "(")
        for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False)
        if (token[0].isalpha() or token[0] == "_")
        and token not in mine
        and token not in _KEYWORDS
        and before not in ("struct", "union", "enum")
    ]


def became_bit(name: str, conversions: Iterable[Conversion]) -> bool:
    """Whether callers made a bit of a word of what was a member: not the name alone changed.

    As `if (wiphy->flags & WIPHY_FLAG_…)` of `if (wiphy->disable_beacon_hints)`.
    """
    bit = re.compile(r"(?:->|\.)\w+\s*(?:&(?!&)|\|=)")
    return any(
        bit.search(site.after) and not bit.search(site.before)
        for site in conversions
        if name not in _TOKEN.findall(site.after)
    )


def read_back(line: str, name: str, conversions: Iterable[Conversion]) -> str:
    """Read a member as callers would that set it to less than before; empty if they don't agree.

    `p->ifidx = dev->ifindex` that became `p->dev = dev` makes `p->dev->ifindex` of `p->ifidx`.
    """
    asked = re.compile(rf"(?<=->|\w\.){re.escape(name)}\b(?!\s*=[^=])")
    ways = set()
    for site in conversions:
        before, after = (_SET.fullmatch(text) for text in (site.before, site.after))
        if before is None or after is None or before[2] != name or before[1] != after[1]:
            continue
        rest = before[3].removeprefix(after[3])
        if rest != before[3] and rest.startswith(("->", ".")):
            ways.add(after[2] + rest)
    text = asked.sub(ways.pop(), line) if len(ways) == 1 else line
    return "" if text == line else text


def constants(line: str) -> list[str]:
    """Return the words of a line that look like constants, each once."""
    return list(dict.fromkeys(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", line)))


def _apply(line: str, name: str, conversion: Conversion) -> str | None:
    olds, news = _units(conversion.before), _units(conversion.after)
    if name not in olds:
        return None
    place = olds.index(name)
    called = [
        tokens[tokens.index(name) + 1 :][:1] == ["("] for tokens in (olds, news) if name in tokens
    ]
    # A field that gave way to an accessor of its own name is another matter.
    if olds.count(name) == news.count(name) and called != [False, True]:
        text = with_arguments(line, name, name, conversion)
        if text is not None:
            return text
    elif olds[place + 1 : place + 2] == ["("] and news[place + 1 : place + 2] == ["("]:
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
        if token in _ALSO:
            parts.append(rf"\b(?:{token}|{_ALSO[token]})\b")
        elif token == name or not _is_free(before, token, after):
            left, right = (r"\b" if c.isalnum() or c == "_" else "" for c in (token[0], token[-1]))
            parts.append(f"{left}{re.escape(token)}{right}")
        elif token in bound:
            parts.append(rf"(?P={bound[token]})")
        else:
            bound[token] = f"v{len(bound)}"
            parts.append(rf"(?P<{bound[token]}>{'&?' if token[0] == '&' else ''}{_CHAIN})")
    pattern = re.compile(r"\s*".join(parts))
    found = pattern.search(line)
    if found is None:
        return None
    if "=" in region and olds[stop : stop + 1] == [";"] and line[found.end() :].lstrip()[:1] != ";":
        return None  # only the beginning of what the line sets something to
    values = {token: found[group] for token, group in bound.items()}
    values = {token.lstrip("&"): value.lstrip("&") for token, value in values.items()} | values
    if len(region) == len(instead):  # a caller that gave its variable another name meanwhile
        pairs = zip(region, instead, strict=True)
        values |= {new: values[old] for old, new in pairs if old in values and new not in values}
    ahead = [news[start - 1] if start else "", *instead]
    fixed = ("struct", "union", "enum", "->", ".")  # what follows is no variable
    text = spelt(
        [
            token if before in fixed else values.get(token, token)
            for before, token in zip(ahead, instead, strict=False)
        ]
    )
    rest = line[found.end() :]
    head = line[: found.start()]
    return (head if text or rest[:1] not in (";", ")", ",") else head.rstrip()) + text + rest


def _units(line: str) -> list[str]:
    """Return a line's tokens, the address of a variable as one."""
    found: list[str] = []
    for token in _TOKEN.findall(line):
        word = token[0].isalpha() or token[0] == "_"
        if word and found[-1:] == ["&"] and found[-2:-1] and found[-2] in ("(", ",", "="):
            found[-1] += token
        else:
            found.append(token)
    return found


def _is_free(before: str, token: str, after: str) -> bool:
    """Whether a token stands for whatever another line has in its place."""
    return (
        re.match(r"&?[A-Za-z_]", token) is not None
        and token not in _KEYWORDS
        and before not in ("->", ".", "struct")
        and after != "("
    )


def with_arguments(line: str, name: str, new: str, conversion: Conversion) -> str | None:
    """Rewrite a call whose arguments changed: those that stayed are the line's own."""
    mine = call(line, name)
    before, after = call(conversion.before, name), call(conversion.after, new)
    if mine is None or before is None or after is None or len(mine[2]) != len(before[2]):
        return None
    if before[2] == after[2] and name == new:
        return None
    if _target(conversion.before[: before[0]]) != _target(conversion.after[: after[0]]):
        return None  # what it returns goes elsewhere: not the arguments alone
    if _asked(conversion.before[before[1] :]) != _asked(conversion.after[after[1] :]):
        return None  # what it returns is of another struct
    listed = list(_arguments(mine[2], before[2], after[2]))
    head = line[: mine[0]].rstrip().removesuffix(name)
    return f"{head}{new}({', '.join(listed)}){line[mine[1] :]}"


def _target(head: str) -> list[str]:
    """Return what the call at the end of a line's head is assigned to."""
    tokens = _TOKEN.findall(head)
    return tokens[-3:-2] if tokens[-2:-1] == ["="] else []


def _asked(tail: str) -> list[str]:
    """Return the member that is asked of what a call returns."""
    tokens = _TOKEN.findall(tail)[:2]
    return tokens if tokens[:1] in (["->"], ["."]) else []


def _arguments(mine: list[str], before: list[str], after: list[str]) -> Iterator[str]:
    """Return the arguments of a call after the edit that made `after` of `before`."""
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from mine[i1:i2]
            continue
        olds = dict(zip(before[i1:i2], mine[i1:i2], strict=True))
        for place, argument in enumerate(after[j1:j2]):
            one = before[i1 + place] if i2 - i1 == j2 - j1 else ""
            own = olds.get(argument)
            if own is None and one[:1] == "&" and argument.startswith(f"{one}."):
                own = _member(olds[one], argument.removeprefix(one)[1:])
            elif own is None and one and re.search(rf"(?<!\w){re.escape(one)}(?!\w)", argument):
                # `dev` became `dev_net(dev)`, `&fl` became `fl`
                own = argument.replace(one, olds[one])
            elif own is None and one.removeprefix("&") == argument:
                own = olds[one].removeprefix("&") if olds[one][:1] == "&" else f"*{olds[one]}"
            elif own is None and argument in before:
                own = mine[before.index(argument)]
            yield argument if own is None else own


def _member(own: str, path: str) -> str:
    """Return the address of a member of what an argument points to."""
    return f"{own}.{path}" if own[:1] == "&" else f"&{own}->{path}"


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
            or (word and last == "*" and out[-2:-1] in " (,")
            or (word and last == "&" and not re.search(r"[\w)\]] &$", out))
        )
        out += part if tight else f" {part}"
    return out


def _keyword(text: str) -> bool:
    found = re.search(r"(\w+)$", text)
    return found is not None and found[1] in ("if", "while", "for", "switch", "return")

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a range's patches say about some names: headers touched, and what callers became. Pure.

One pass over the patches serves all questions. A caller's evidence is a line that went and the
line that came in its place, alike but for the name in question.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from kbisect.api.declarations import Declaration, What
from kbisect.api.proof import Key, likeness


@dataclass(frozen=True, slots=True)
class Change:
    """Lines that went and the lines that came there (1-based first lines)."""

    old_start: int
    new_start: int
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Touch:
    """One commit's change of one header; blobs are oids."""

    commit: str
    subject: str
    path: str
    old_blob: str
    new_blob: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """A use of an old name: `nh.iph`, and what stands there now: `ip_hdr()`; empty if unknown."""

    use: str
    became: str


@dataclass(slots=True)
class Callers:
    """Counts of converted lines: by key, by use, by commit.

    `alike` counts those that are used as before: what follows the new name followed the old one.
    `assigned` counts functions that were put into a callback and then into which other name;
    `hidden` is the private header to which a commit moved a declaration, by key and commit.
    """

    counts: dict[Key, dict[Use, Counter[str]]] = field(default_factory=dict)
    alike: dict[Key, Counter[str]] = field(default_factory=dict)
    assigned: dict[Key, Counter[str]] = field(default_factory=dict)
    hidden: dict[tuple[Key, str], str] = field(default_factory=dict)

    def add(self, key: Key, use: Use, alike: bool, commit: str) -> None:
        """Count one line."""
        self.counts.setdefault(key, {}).setdefault(use, Counter())[commit] += 1
        if alike:
            self.alike.setdefault(key, Counter())[use.became.removesuffix("()")] += 1

    def totals(self) -> dict[Key, int]:
        """Return by key how many lines gave the name up."""
        return {
            key: sum(commits.total() for commits in uses.values())
            for key, uses in self.counts.items()
        }

    def names(self) -> dict[Key, dict[str, int]]:
        """Return by key how many lines turned the name into which other name."""
        result: dict[Key, dict[str, int]] = {}
        for key, uses in self.counts.items():
            turned: Counter[str] = Counter()
            for use, commits in uses.items():
                if use.became:
                    turned[use.became.removesuffix("()")] += commits.total()
            result[key] = dict(turned)
        return result


_WORD = re.compile(rb"[A-Za-z_]\w*")
_TOKEN = re.compile(r"\w+|->|[^\s\w]")
_WORDS = {"if", "while", "sizeof", "return", "switch", "for"}
_MAX_LINES = 400  # of one hunk: past that it is a file, not an edit


class Interest:
    """The names asked for, in a form that finds them fast."""

    def __init__(self, declarations: Iterable[Declaration]) -> None:
        self.by_word: dict[str, list[Declaration]] = {}
        for declaration in declarations:
            word = declaration.name.rsplit(".", 1)[-1]
            self.by_word.setdefault(word, []).append(declaration)
        self.words = {word.encode() for word in self.by_word}
        self.patterns = {
            word: re.compile(_pattern(word, found[0].what)) for word, found in self.by_word.items()
        }

    def in_lines(self, lines: Sequence[bytes]) -> Set[bytes]:
        """Return those of the names that the lines have as words."""
        return self.words & set(_WORD.findall(b"\n".join(lines)))


def _pattern(word: str, what: What) -> str:
    if what is What.FIELD:
        base = (
            r"(?P<base>(?:\(\s*\*\s*\w+\s*\)|[A-Za-z_]\w*)"
            r"(?:(?:->|\.)\w+|\[[^\[\]]*\])*?(?:\([^()]*\))?)"
        )
        return rf"(?:{base}\s*(?:->|\.)\s*|(?<=\s)\.){word}\b(?P<rest>(?:\s*(?:->|\.)\s*\w+)?)"
    return rf"(?P<base>)\b{word}\b(?P<rest>)"


def read_hunk(
    interest: Interest,
    removed: Sequence[bytes],
    added: Sequence[bytes],
    tell: Callable[[Key, Use, bool], None],
) -> None:
    """Find the callers that one hunk converts, and tell each: its use, and whether it is alike."""
    if not removed or not added or len(removed) + len(added) > _MAX_LINES:
        return
    words = interest.in_lines(removed)
    if not words:
        return
    removed, added = _without_common(removed, added)
    names = [word.decode() for word in words]
    olds = [line.decode("utf-8", "replace") for line in removed]
    news = [line.decode("utf-8", "replace") for line in added]
    tokens: list[list[str]] = []
    for place, line in enumerate(olds):
        found = [name for name in names if name in line]
        if not found or not line[:1].isspace():  # a declaration, not a use
            continue
        stripped = line.lstrip()
        if stripped.startswith(("*", "/*", "//")):
            continue
        if not tokens:
            tokens = [_TOKEN.findall(text) for text in news]
        mine = _TOKEN.findall(line)
        partner = _partner(mine, place, tokens, len(olds) == len(news))
        if partner is None:
            continue
        for name in found:
            _uses(interest, name, line, mine, news[partner], tokens[partner], tell)


def _without_common(
    removed: Sequence[bytes], added: Sequence[bytes]
) -> tuple[list[bytes], list[bytes]]:
    """Leave out the lines that set something and are only moved: they converted nothing.

    A call that is moved may be all that is left of two branches, so calls are kept.
    """
    olds, news = (
        Counter(b" ".join(line.split()) for line in lines if b"=" in line)
        for lines in (removed, added)
    )
    common = olds & news
    return _but(removed, common), _but(added, common)


def _but(lines: Sequence[bytes], common: Mapping[bytes, int]) -> list[bytes]:
    left = dict(common)
    kept = []
    for line in lines:
        words = b" ".join(line.split())
        if left.get(words):
            left[words] -= 1
        else:
            kept.append(line)
    return kept


_ASSIGNED = rb"\s*[=:]\s*&?([A-Za-z_]\w{2,})\s*[,;]?\s*$"
_ANY_ASSIGNED = re.compile(rb"(?:->|\.|^\s+)([A-Za-z_]\w*)" + _ASSIGNED, re.MULTILINE)


class Assignments:
    """Functions that one commit stops putting into some callbacks and puts into others."""

    def __init__(self, olds: Iterable[Declaration]) -> None:
        self.olds: dict[str, list[Key]] = {}
        for old in olds:
            if old.what is What.FIELD and old.parameters is not None:
                self.olds.setdefault(old.name.rsplit(".", 1)[-1], []).append(old.key)
        listed = "|".join(sorted(map(re.escape, self.olds))).encode()
        self.pattern = (
            re.compile(rb"(?:->|\.|^\s+)(" + listed + rb")" + _ASSIGNED, re.MULTILINE)
            if listed
            else None
        )

    def read(
        self, hunks: Sequence[tuple[Sequence[bytes], Sequence[bytes]]], callers: Callers
    ) -> None:
        """Count what one commit's hunks (removed, added) take from one place and put in another."""
        if self.pattern is None:
            return
        went: dict[str, set[bytes]] = {}
        for removed, _ in hunks:
            for name, value in self.pattern.findall(b"\n".join(removed)):
                went.setdefault(name.decode(), set()).add(value)
        if not went:
            return
        came: dict[str, set[bytes]] = {}
        for _, added in hunks:
            for name, value in _ANY_ASSIGNED.findall(b"\n".join(added)):
                came.setdefault(name.decode(), set()).add(value)
        for old, values in went.items():
            for new, others in came.items():
                if old != new and (count := len(values & others)):
                    for key in self.olds[old]:
                        callers.assigned.setdefault(key, Counter())[new] += count


def hidden_in(
    interest: Interest, path: str, added: Sequence[bytes], commit: str, callers: Callers
) -> None:
    """Note which of the names a private header gains a definition of."""
    for word in interest.in_lines(added):
        name = word.decode()
        for declaration in interest.by_word[name]:
            if declaration.what is What.FIELD:
                continue
            if declaration.key[0] == "tag":
                form = rf"^(?:struct|union|enum)\s+{name}\s*\{{?\s*$"
            elif declaration.what is What.FUNCTION:
                form = rf"^\w[^;=]*\b{name}\s*\("
            else:
                form = rf"^\s*#\s*define\s+{name}\b"
            pattern = re.compile(form.encode())
            if any(pattern.match(line) for line in added):
                callers.hidden[declaration.key, commit] = path


def _partner(mine: list[str], place: int, others: list[list[str]], same_count: bool) -> int | None:
    """Return which added line took the place of a removed one."""
    bag = Counter(mine)
    if same_count and _overlap(bag, others[place]) >= 0.15:
        return place
    best, score = None, 0.5
    for index in range(max(0, place - 20), min(len(others), place + 20)):
        found = _overlap(bag, others[index])
        if found > score:
            best, score = index, found
    return best


def partner(line: bytes, place: int, others: Sequence[bytes], same_count: bool) -> bytes | None:
    """Return which of the added lines took the place of a removed one."""
    tokens = [_TOKEN.findall(other.decode("utf-8", "replace")) for other in others]
    mine = _TOKEN.findall(line.decode("utf-8", "replace"))
    found = _partner(mine, place, tokens, same_count)
    return None if found is None else others[found]


def _overlap(bag: Counter[str], other: list[str]) -> float:
    yours = Counter(other)
    return (bag & yours).total() / (max(bag.total(), yours.total()) or 1)


def _uses(
    interest: Interest,
    name: str,
    line: str,
    mine: list[str],
    new_line: str,
    yours: list[str],
    tell: Callable[[Key, Use, bool], None],
) -> None:
    pattern = interest.patterns[name]
    still = list(pattern.finditer(new_line))
    for count, found in enumerate(pattern.finditer(line)):
        if count < len(still):  # still used there, perhaps of another object
            one, other = found.group("base") or "", still[count].group("base") or ""
            if other.startswith((f"{one}.", f"{one}->")):
                for declaration in interest.by_word[name]:
                    tell(declaration.key, Use(name, name), True)
            continue
        for declaration in interest.by_word[name]:
            rest = re.sub(r"\s|->|\.", "", found.group("rest") or "")
            nested = declaration.what is What.FIELD and declaration.type in ("union", "struct")
            use = f"{name}.{rest}" if rest and nested else name
            after = len(_TOKEN.findall(line[: found.start()] + (found.group("base") or "")))
            became, alike = _replaced(mine, yours, name, after)
            calls_back = declaration.what is What.FIELD and declaration.parameters is not None
            if became and calls_back and _assigns_another(mine, yours, name, became):
                became, alike = "", False
            if not became and declaration.what is What.FIELD:
                became = _accessor(found.group("base") or "", line, new_line)
            tell(declaration.key, Use(use, became), alike)


def _replaced(mine: list[str], yours: list[str], name: str, after: int) -> tuple[str, bool]:
    """Return the name that stands in the old one's place, all before or all behind it equal.

    And whether it is used there as the old one was, told by what follows.
    """
    nothing = "", False
    try:
        place = mine.index(name, max(after - 1, 0))
    except ValueError:
        return nothing
    if len(yours) > place and mine[:place] == yours[:place]:
        found = place
    else:
        behind = len(mine) - place
        found = len(yours) - behind
        if found < 0 or mine[place + 1 :] != yours[found + 1 :] or behind < 3:
            return nothing
        if place and found and mine[place - 1] != yours[found - 1]:
            return nothing
        if _reach(mine, place) > _reach(yours, found):  # `f(p->dev)` for `p->dev->old`
            return nothing
    new = yours[found]
    if new == name or not (new[0].isalpha() or new[0] == "_"):
        return nothing
    called = yours[found + 1 : found + 2] == ["("]
    alike = mine[place + 1 : place + 2] == yours[found + 1 : found + 2]
    return f"{new}()" if called else new, alike


def _assigns_another(mine: list[str], yours: list[str], name: str, became: str) -> bool:
    """Whether two lines set two things: `.open = a_open,` and `.poll = b_wait,` in its place."""
    one, other = (_value(tokens, word) for tokens, word in ((mine, name), (yours, became)))
    if not one or not other or one & other:
        return False
    return all(likeness(word, another) < 0.6 for word in one for another in other)


def _value(tokens: list[str], name: str) -> set[str]:
    """Return the words of what is put into a name."""
    place = tokens.index(name) if name in tokens else len(tokens)
    if tokens[place + 1 : place + 2] not in (["="], [":"]):
        return set()
    return {token for token in tokens[place + 2 :] if token[0].isalnum() or token[0] == "_"}


def _reach(tokens: Sequence[str], place: int) -> int:
    """Return through how many members a name is reached."""
    steps = 0
    while place >= 2 and tokens[place - 1] in ("->", "."):
        steps += 1
        place -= 2
    return steps


def _accessor(base: str, line: str, new_line: str) -> str:
    """Return the function that is now asked about the object whose field was read."""
    if not base:
        return ""
    spelt = re.escape(base)
    if base.startswith("("):  # (*pskb)->nh.iph and ip_hdr(*pskb)
        spelt += "|" + re.escape(base[1:-1].strip())
    for found in re.finditer(rf"\b([A-Za-z_]\w*)\s*\(\s*&?\s*(?:{spelt})\s*[,)]", new_line):
        name = found.group(1)
        # An accessor may have the field's own name: `sk_sleep(sk)` for `sk->sk_sleep`.
        if name not in _WORDS and not re.search(rf"(?<!->)(?<!\.)\b{name}\b", line):
            return f"{name}()"
    return ""


def top(counts: Mapping[Use, Counter[str]]) -> list[tuple[Use, int, str]]:
    """Return the uses by number of lines: (use, lines, the commit that changed most of them)."""
    rows = [
        (use, commits.total(), min(commits, key=lambda oid: (-commits[oid], oid)))
        for use, commits in counts.items()
        if use.became
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0].use, row[0].became))

# SPDX-License-Identifier: GPL-2.0-or-later
"""A text cut into its outermost declarations, with the conditions around each. Pure.

The text is a header or a part of one (see `blocks`): what came before it is a `State`. The C
parser is given one declaration at a time, without comments, preprocessor lines and function
bodies. So what it can't read costs one declaration, not the rest of the file, and a declaration
that many versions of a header share is parsed once.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from kbisect.api import conditions
from kbisect.api.annotations import without
from kbisect.api.conditions import Condition
from kbisect.api.levels import BEGIN, MAX_LEVELS, MAX_TERMS, Level, State


@dataclass(frozen=True, slots=True)
class Chunk:
    """One outermost declaration; a function's body is left out.

    Attributes
    ----------
    line : int
        1-based line of its first character.
    text : str
        ASCII, comments and preprocessor lines blanked, line ends kept.
    condition : the terms around it
    inner : tuple of (line offset, terms), each valid from that line of the chunk on
    whole : bool
        False when a conditional cuts through a declaration, so that a branch was left out.
    """

    line: int
    text: str
    condition: Condition
    inner: tuple[tuple[int, Condition], ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Define:
    """One `#define`."""

    line: int
    name: str
    parameters: tuple[str, ...] | None
    body: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Pieces:
    """A header in pieces; `loose` are spans (line, text) that no declaration could hold."""

    chunks: tuple[Chunk, ...]
    defines: tuple[Define, ...]
    includes: tuple[str, ...]
    loose: tuple[tuple[int, str], ...]


_NOISE = re.compile(
    r"""/\*.*?(?:\*/|\Z) | //(?:\\\n|[^\n])* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.DOTALL | re.VERBOSE,
)
_TOKEN = re.compile(r"^[ \t]*\#(?:\\\n|[^\n])* | [{};]", re.MULTILINE | re.VERBOSE)
_LINE = re.compile(r"\n[ \t]*#")
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*(\w+)[ \t]*(.*)", re.DOTALL)
_MACRO = re.compile(r"(\w+)(\(([^()]*)\))?\s*(.*)", re.DOTALL)
_AGGREGATE = re.compile(r"\b(struct|union|enum)\b(?:\s+\w+)*\s*\Z")
_GUARD = re.compile(r"\s*#[ \t]*define[ \t]+(\w+)[ \t]*\n")
_LINKAGE = re.compile(r'\bextern\s*"C"\s*\Z')
# Past this, input is no header any more; what counts then is to end.
_MAX_PENDING = 200_000
_VISIBLE = re.compile(r"[^\n]")


def blank(text: str) -> str:
    """Return as many spaces, line ends kept."""
    return _VISIBLE.sub(" ", text)


def clean(source: bytes) -> str:
    """Return a header without comments and string contents; lines stay where they are, in ASCII."""
    return _cleaned(source)[0]


def _cleaned(source: bytes) -> tuple[str, bool]:
    """Return the clean text, and whether it ends inside of a comment."""
    text = source.decode("latin-1")
    if "\r" in text or "\0" in text or "\f" in text:
        text = text.replace("\r", " ").replace("\0", " ").replace("\f", " ")
    is_open = False

    def quiet(found: re.Match[str]) -> str:
        nonlocal is_open
        words = found.group()
        if words[0] != "/":
            kept = " \\\n" * words.count("\\\n")  # lines that a string goes over
            return words if words == '"C"' else words[0] + "_" * (len(words) - 2) + words[0] + kept
        if words[1] == "*" and (len(words) < 4 or not words.endswith("*/")):
            is_open = True
        if "\n" not in words:
            return " "
        if "\\\n" in words:  # a comment inside a macro keeps its continuation lines
            return " \\\n" * words.count("\\\n") + "\n" * (words.count("\n") - words.count("\\\n"))
        return "\n" * words.count("\n")

    text = _NOISE.sub(quiet, text)
    return text if text.isascii() else re.sub(r"[^\x00-\x7f]", "_", text), is_open


class _Cutter:
    def __init__(self, text: str, state: State) -> None:
        self.text = text
        self.buffer = bytearray(text.encode("ascii"))
        self.line_ends = [found.start() for found in re.finditer("\n", text)]
        self.levels = [Level(*fields) for fields in state.levels]
        self.begun = state.begun
        self.waits = False  # for the line behind the `#ifndef` that may be the include guard's
        self.depth = 0
        self.kind = ""  # of the open braces: aggregate, function, initializer, unknown
        self.start = 0  # where the unfinished outermost declaration begins
        self.boundary = 0  # where the unfinished member begins, or that declaration
        self.body = 0
        self.resume = 0  # nothing before this is of interest
        self.outer = self._condition  # the condition at `start`
        self.inner: list[tuple[int, Condition]] = []
        self.whole = True
        self.guard = state.guard
        self.chunks: list[Chunk] = []
        self.defines: list[Define] = []
        self.includes: list[str] = []
        self.loose: list[tuple[int, str]] = []

    def cut(self) -> _Cutter:
        skip_from = 0
        for found in _TOKEN.finditer(self.text):
            start, end = found.span()
            if start < self.resume:
                continue
            if end - start == 1:
                if not self._skipping:
                    self._punctuation(found.group(), start)
                continue
            was = self._skipping
            pending = was or self._pending(start)
            self._blank(start, end)
            self._directive(found.group(), start, end, pending)
            if self._skipping and not was:
                skip_from = end
            elif was and not self._skipping:
                self._blank(skip_from, start)
                self._moved(end)
        if self._skipping:
            self._blank(skip_from, len(self.text))
        return self

    @property
    def pieces(self) -> Pieces:
        return Pieces(
            tuple(self.chunks), tuple(self.defines), tuple(self.includes), tuple(self.loose)
        )

    @property
    def state(self) -> State | None:
        """What stands open at the end; None inside of a declaration, or of too much else."""
        if (
            len(self.levels) > MAX_LEVELS
            or self.depth
            or self.waits
            or self._taken(self.start, len(self.text)).strip()
        ):
            return None
        begun = self.begun or bool(self.levels or self.guard or self.chunks or self.defines)
        return State(tuple(level.fields for level in self.levels), self.guard, begun)

    @property
    def _condition(self) -> Condition | None:
        return self.levels[-1].total if self.levels else ()

    @property
    def _skipping(self) -> bool:
        return bool(self.levels) and self.levels[-1].skipping

    def _line(self, offset: int) -> int:
        return bisect_left(self.line_ends, offset) + 1

    def _taken(self, start: int, end: int) -> str:
        return self.buffer[start:end].decode("ascii")

    def _blank(self, start: int, end: int) -> None:
        text = self.text[start:end]
        self.buffer[start:end] = blank(text).encode("ascii") if "\n" in text else b" " * len(text)

    def _pending(self, at: int) -> bool:
        """Whether a declaration or member is unfinished here."""
        if at - self.boundary > _MAX_PENDING:
            return True
        rest = self.buffer[self.boundary : at].strip(b" \t\n}")
        if rest.endswith(b",") and self.depth and self.kind == "aggregate":
            return rest.count(b"(") != rest.count(b")")  # between two enumerators
        return bool(rest)

    # --- punctuation ---------------------------------------------------------------------------

    def _punctuation(self, piece: str, at: int) -> None:
        if piece == "{":
            if self.depth == 0:
                head = self._taken(self.start, at)
                if _LINKAGE.search(head):
                    self._reset(at + 1)
                    return
                self.kind = _kind(head)
                self.body = at
                end = self._body_end(at) if self.kind == "function" else 0
                if end:
                    self._close(at, end)
                    self.resume = end
                    return
            self.depth += 1
            self.boundary = at + 1
        elif piece == "}":
            if self.depth == 0:  # the end of extern "C"
                if not self._pending(at):
                    self._reset(at + 1)
                return
            self.depth -= 1
            self.boundary = at  # what follows belongs to it: `} name;`
            if self.depth == 0 and self.kind in ("function", "unknown"):
                self._close(self.body if self.kind == "function" else at + 1, at + 1)
        elif self.depth == 0:
            self._close(at + 1, at + 1)
        else:
            self.boundary = at + 1

    def _body_end(self, at: int) -> int:
        """Return where a function's body ends if that is plain to see, else 0."""
        end = self.text.find("}", at)
        if end < 0:
            return 0
        if self.text.count("{", at, end) > 1:
            end = self.text.find("\n}", at) + 1
            if not end or self.text.count("{", at, end) != self.text.count("}", at, end) + 1:
                return 0
        return 0 if _LINE.search(self.text, at, end) else end + 1

    def _close(self, end: int, after: int) -> None:
        """End the outermost declaration: its text goes up to `end`, the next begins at `after`."""
        text = self._taken(self.start, end)
        body = text.strip()
        if body not in ("", ";"):
            first = self._line(self.start + len(text) - len(text.lstrip()))
            condition = self.outer
            for changed, terms in self.inner:
                if changed <= first:
                    condition = terms
            if condition is not None and self.kind == "unknown":
                self.loose.append((first, body))
            elif condition is not None:
                inner = tuple((at - first, terms) for at, terms in self.inner if at > first)
                body = body if body.endswith(";") else body + ";"
                self.chunks.append(Chunk(first, body, condition, inner, self.whole))
        self._reset(after)

    def _reset(self, after: int) -> None:
        self.start = self.boundary = after
        self.inner, self.whole, self.kind, self.depth = [], True, "", 0
        self.outer = self._condition

    def finish(self) -> None:
        """Take what is left over: there is no more to come."""
        text = self._taken(self.start, len(self.text))
        if text.strip(" \t\n;}"):
            first = self._line(self.start + len(text) - len(text.lstrip()))
            self.loose.append((first, text.strip()))

    # --- directives ----------------------------------------------------------------------------

    def _directive(self, piece: str, start: int, end: int, pending: bool) -> None:
        found = _DIRECTIVE.match(piece)
        if not found:
            return
        word, rest = found.group(1), found.group(2).replace("\\\n", "  ").strip()
        was = self._skipping
        if word in ("if", "ifdef", "ifndef"):
            self._open(word, rest, start, pending)
        elif word in ("else", "elif", "elifdef", "elifndef"):
            if self.levels:
                self._branch(word, rest, pending)
        elif word == "endif":
            if self.levels:
                level = self.levels.pop()
                if level.depth_after is not None:
                    self.depth = level.depth_after
        else:
            if word == "define" and not was:
                self._define(rest, start)
            elif word == "include" and not was and self._condition is not None:
                self.includes.append(rest.strip('<>" '))
            if not pending:
                self._moved(end)
            return
        if self.levels and self._condition is None:
            # Nothing in this branch is there for the reader (#if 0, __cplusplus).
            self.levels[-1].skipping = True
        if not was and not self._skipping:
            self._moved(end)

    def _moved(self, end: int) -> None:
        """A directive was passed: from here another condition may hold."""
        pending = self._pending(end)
        if self.depth == 0 and not pending:
            self._reset(end)
            return
        self.inner.append((self._line(end), self._condition or ()))
        if not pending:
            self.boundary = end

    def _open(self, word: str, rest: str, start: int, pending: bool) -> None:
        name = (rest.split() or ["1"])[0]
        stated = conditions.parse(rest if word == "if" else name)
        if word == "ifndef":
            stated = conditions.negate(stated)
        around = self._condition
        level = Level(stated, self.depth, pending, self._skipping, around)
        if len(self.levels) >= MAX_LEVELS or len(around or ()) > MAX_TERMS:
            level.guard = True
        if word == "ifndef" and not (
            self.begun or self.levels or self.guard or self.chunks or self.defines
        ):
            after = self.text.find("\n", start)
            following = _GUARD.match(self.text, after) if after > 0 else None
            if following and following.group(1) == name:
                self.guard, level.guard = name, True
            self.waits = not self.text[after:].strip()
        self.levels.append(level)

    def _branch(self, word: str, rest: str, pending: bool) -> None:
        level = self.levels[-1]
        outside = len(self.levels) > 1 and self.levels[-2].skipping
        absent = level.condition is None or level.before is None
        cuts = level.cuts or (not absent and (pending or self.depth != level.depth))
        if not absent and level.depth_after is None:
            level.depth_after = self.depth
        if len(level.before or ()) < MAX_TERMS:
            level.before = conditions.join((level.before, conditions.negate(level.condition)))
        stated: Condition | None = ()
        if word != "else":
            stated = conditions.parse(rest)
            stated = conditions.negate(stated) if word == "elifndef" else stated
        level.condition = stated
        if absent:  # no code before: this branch is read as if it were the first
            level.skipping = outside
        elif cuts or level.skipping:
            level.skipping = True
            if self.kind not in ("function", "initializer") and not outside:
                self.whole = False
        else:
            self.depth = level.depth

    def _define(self, rest: str, start: int) -> None:
        found = _MACRO.match(rest)
        condition = self._condition
        if not found or condition is None or self.kind == "function":
            return
        name, called, names, body = found.groups()
        if name == self.guard:
            return
        condition = tuple(term for term in condition if term != f"!{name}")
        parameters: tuple[str, ...] | None = None
        if called is not None:
            listed = [word.strip() for word in names.split(",")]
            parameters = () if listed == [""] else tuple(listed)
        line = self._line(start + 1 if self.text[start] == "\n" else start)
        self.defines.append(Define(line, name, parameters, " ".join(body.split()), condition))


def _kind(head: str) -> str:
    """Tell what the braces after `head` hold."""
    plain = without(head, lambda _: " ").rstrip()
    if _AGGREGATE.search(plain):
        return "aggregate"
    if "=" in plain:
        return "initializer"
    return "function" if ")" in plain else "unknown"


def part(source: bytes, state: State, *, last: bool) -> tuple[Pieces, State | None]:
    """Cut a part of a header in pieces; lines count from its own first. Any bytes will do.

    Parameters
    ----------
    source : bytes
    state : what came before it
    last : whether nothing comes behind it

    Returns
    -------
    (pieces, state at its end), None for the state if it ends inside of a declaration or comment
    """
    text, is_open = _cleaned(source)
    cutter = _Cutter(text, state).cut()
    if last:
        cutter.finish()
        return cutter.pieces, BEGIN
    return cutter.pieces, None if is_open else cutter.state

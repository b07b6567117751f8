# SPDX-License-Identifier: GPL-2.0-or-later
"""MAINTAINERS: which of its sections a path falls in. Pure.

The rules are those of scripts/get_maintainer.pl, quirks included, for they decide who gets the
mail. Files of before 2.6.30 have no `F:`: there no path has a section.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kbisect.history.patterns import Pattern, Patterns, expression
from kbisect.history.perl import compiled
from kbisect.history.sections import Entry, Section, read

THE_REST = "THE REST"
"""The section that takes every path. It never counts as a subsystem."""

_KEPT_PATHS = 1 << 16
_PLAIN = re.compile(r"[\w/,.*?@ -]*").fullmatch
# Of what N: and K: hold nearly all is made of these parts, and needn't be compiled to be believed.
_SOUND = re.compile(
    r"(?:(?:[\w/,.:@=<>!\"-]|\\[.sSwWdD/_-]|\[\^?-?(?:a-z|A-Z|0-9|\w)+\])[*+?]?|\\b|[\^$| ]"
    r"|\((?:\?:)?(?:[\w/,-]|\\[bsw.]|\|)*\)[*+?]?)*",
    re.ASCII,
).fullmatch
_IN_PATCH = re.compile(r"(?:\+\+\+|---)\s+\S")
# Lines of a patch that get_maintainer.pl reads for something else than keywords.
_NO_CONTENT = re.compile(
    r" mode change [0-7]+ => [0-7]+ \S+\s*$|rename (?:from|to) \S+\s*$"
    r"|diff --git a/\S+ b/\S+\s*$|Fixes:\s+[0-9a-fA-F]{6,40}|@@ -\d+,\d+"
)


@dataclass(frozen=True, slots=True)
class Match:
    """A section that a path falls in.

    Attributes
    ----------
    section : Section
    pattern : the section's most specific pattern that matches
    specificity : levels of folders that pattern names, one more if it isn't a whole folder (0 for
        N:, -1 for a glob that begins with `*`), and its length
    depth : what get_maintainer.pl sorts by: the levels of the section's *last* pattern that matches
    is_exact : whether a pattern names the path's own folder or the path, and the section is
        maintained; only a path without such a section has its history asked
    """

    section: Section
    pattern: str
    specificity: tuple[int, int]
    depth: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Keyword:
    """A section, and the K: line of it that a text matches."""

    section: Section
    entry: Entry


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that can't mean what its author meant."""

    line: int
    text: str
    reason: str


class Maintainers:
    """A MAINTAINERS file.

    Attributes
    ----------
    sections : list of Section, in the file's order
    """

    __slots__ = ("_is_folder", "_kept", "_maintained", "_patterns", "sections")

    def __init__(
        self, sections: list[Section], is_folder: Callable[[str], bool] | None = None
    ) -> None:
        self.sections = sections
        self._is_folder = is_folder
        self._kept: dict[str, list[Match]] = {}
        self._maintained: dict[int, bool] = {}
        self._patterns = Patterns(sections)

    def sections_of(self, path: str) -> list[Match]:
        """Return the sections that a path falls in, the most specific first, THE REST last.

        The order is get_maintainer.pl's, which leaves ties to chance; here the more specific
        pattern goes first, then the file's order. A folder is a path that ends in `/`.
        """
        kept = self._kept.get(path)
        if kept is None:
            if len(self._kept) >= _KEPT_PATHS:
                self._kept.clear()
            kept = self._kept[path] = self._match(path)
        return list(kept)

    def subsystem(self, path: str) -> str | None:
        """Return the title of the section whose pattern is the most specific for a path."""
        titled = [match for match in self.sections_of(path) if _counts(match.section)]
        best = max(titled, key=lambda match: match.specificity, default=None)
        return best.section.title if best else None

    def subsystem_of(self, paths: Iterable[str]) -> str | None:
        """Return the title of the section that most of a commit's paths fall in.

        That is the most specific one of those that hold more than half of the paths; where none
        does, of those that hold the most. So a change of two drivers is one of network drivers.
        """
        distinct = list(dict.fromkeys(paths))
        if len(distinct) == 1:
            return self.subsystem(distinct[0])
        held: dict[int, list[Match]] = {}
        total = 0
        for path in distinct:
            total += 1
            for match in self.sections_of(path):
                if _counts(match.section):
                    held.setdefault(match.section.line, []).append(match)
        if not held:
            return None
        enough = min(total // 2 + 1, max(map(len, held.values())))
        _, best = max(
            (held_by for held_by in held.items() if len(held_by[1]) >= enough),
            key=lambda held_by: (_mean_specificity(held_by[1]), -held_by[0]),
        )
        return best[0].section.title

    def keywords(self, text: str, *, is_patch: bool = False) -> list[Keyword]:
        """Return the K: lines that match a text, with their sections.

        Parameters
        ----------
        text : a file's content, or a mailed patch
        is_patch : look at its lines: before the first file at all, then at added and removed ones
        """
        found = []
        intro, changes = _patch_lines(text) if is_patch else ([text], [])
        for section in self.sections:
            for entry in section.entries:
                if entry.tag != "K" or not entry.value:
                    continue
                intro_re = compiled(entry.value, extended=True)
                # The prefix binds to the first alternative only, in the script as here.
                change_re = compiled("^[+-].*" + entry.value, extended=True) if changes else None
                if (intro_re and any(map(intro_re.search, intro))) or (
                    change_re and any(map(change_re.search, changes))
                ):
                    found.append(Keyword(section, entry))
        return found

    def faults(self) -> list[Fault]:
        """Return what is wrong in the file, by line."""
        found = []
        for before, section in zip([None, *self.sections], self.sections, strict=False):
            last = before.entries[-1] if before and before.entries else None
            if last and section.line == last.line + 1:
                reason = "neither an entry (X: and a value) nor a title after an empty line"
                found.append(Fault(section.line, section.title, reason))
            for entry in section.entries:
                if entry.tag in "FXNK" and not entry.value:
                    found.append(Fault(entry.line, f"{entry.tag}:", "an empty pattern"))
                elif entry.tag in "FXNK" and not _is_sound(entry):
                    text = f"{entry.tag}: {entry.value}"
                    found.append(Fault(entry.line, text, "not a regular expression"))
        return found

    def _match(self, path: str) -> list[Match]:
        slashes = path.count("/")
        hits: dict[int, list[Pattern]] = {}
        excluded: set[int] = set()
        for pattern in self._patterns.of(path):
            if self._is_beside(pattern, path):
                continue
            if pattern.entry.tag == "X":
                excluded.add(pattern.section)
            else:
                hits.setdefault(pattern.section, []).append(pattern)
        matches = [
            (number, self._judged(number, patterns, slashes))
            for number, patterns in hits.items()
            if number not in excluded
        ]
        matches.sort(
            key=lambda each: (
                each[1].section.title == THE_REST,
                -each[1].depth,
                -each[1].specificity[0],
                -each[1].specificity[1],
                each[0],
            )
        )
        return [match for _, match in matches]

    def _judged(self, number: int, patterns: list[Pattern], slashes: int) -> Match:
        best = last = patterns[0]
        for pattern in patterns[1:]:
            if pattern.specificity > best.specificity:
                best = pattern
            if pattern.entry.line > last.entry.line:
                last = pattern
        section = self.sections[number]
        is_exact = False
        if best.entry.tag == "F" and best.specificity[0] >= slashes:
            if number not in self._maintained:
                self._maintained[number] = section.is_maintained
            is_exact = self._maintained[number]
        return Match(section, best.entry.value, best.specificity, last.specificity[0], is_exact)

    def _is_beside(self, pattern: Pattern, path: str) -> bool:
        """Whether the pattern is a folder that lacks its slash, and the path isn't below it."""
        value = pattern.entry.value
        return (
            self._is_folder is not None
            and pattern.may_be_folder
            and path[len(value) :][:1] not in {"", "/"}
            and self._is_folder(value)
        )


def parse(text: str, is_folder: Callable[[str], bool] | None = None) -> Maintainers:
    """Read a MAINTAINERS file, of any year, with whatever mistakes it has.

    Parameters
    ----------
    text : str
    is_folder : whether a path is a folder at that revision; it is asked only for a pattern that
        lacks the slash at its end and would take a file beside the folder. Without it such a
        pattern takes both.
    """
    return Maintainers(read(text), is_folder)


def _counts(section: Section) -> bool:
    """Whether a title names a subsystem; an entry that lost its colon is a title, but no name."""
    return section.title not in {THE_REST, ""} and section.title[1:2] != "\t"


def _mean_specificity(matches: list[Match]) -> tuple[float, float]:
    levels, lengths = zip(*(match.specificity for match in matches), strict=True)
    return sum(levels) / len(matches), sum(lengths) / len(matches)


def _patch_lines(text: str) -> tuple[list[str], list[str]]:
    """Return the lines before a patch's first file, and those after, without its machinery."""
    intro: list[str] = []
    changes: list[str] = []
    into = intro
    for line in text.split("\n"):
        if _IN_PATCH.match(line):
            into = changes
        elif not _NO_CONTENT.match(line):
            into.append(line)
    return intro, changes


def _is_sound(entry: Entry) -> bool:
    """Whether a pattern is a regular expression. Nearly all are so plain that it shows."""
    if (_PLAIN if entry.tag in "FX" else _SOUND)(entry.value):
        return True
    return compiled(expression(entry), extended=entry.tag in "NK") is not None

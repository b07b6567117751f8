# SPDX-License-Identifier: GPL-2.0-or-later
"""The F:, X: and N: lines of MAINTAINERS: which of its thousands can take a path. Pure.

`F:` and `X:` hold globs, turned into regular expressions that need to match only the start of a
path, as scripts/get_maintainer.pl does it: a pattern that ends in `/` takes everything below, any
other takes the paths with as many slashes as it has (so `*` crosses no `/` there, and `foo/bar`
takes `foo/bar.c`). `N:` holds a regular expression, searched for anywhere in the path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from kbisect.history.perl import compiled
from kbisect.history.sections import Entry, Section

_GLOB_HEAD = re.compile(r"[^*?\[\](){}+|^$\\]*")
_WILD = re.compile(r"[*?\[\](){}+|^$\\]").search
_WORD_HEAD = re.compile(r"[\w/,-]*", re.ASCII)


class Pattern:
    """One line, ready to be tried on paths that begin with (N: contain) its head.

    Attributes
    ----------
    entry : the line
    section : number of its section in the file, from 0
    specificity : levels of folders it names, one more if it isn't a whole folder (0 for N:, -1 for
        a glob that begins with `*`), and its length
    """

    __slots__ = (
        *("_expression", "_head", "_is_literal", "_slashes"),
        *("entry", "section", "specificity"),
    )

    def __init__(self, entry: Entry, section: int) -> None:
        value = entry.value
        self.entry, self.section = entry, section
        # Made when first needed, which few are; None for what is no regular expression.
        self._expression: str | list[str] | re.Pattern[str] | None = None
        self._slashes = -1
        level = 0
        if entry.tag != "N":
            level = value.count("/")
            if value[-1:] != "/":
                self._slashes = level
                level += 1
            if value[:1] == "*":
                level = -1
        self.specificity = (level, len(value))
        self._head = _head(entry)
        self._is_literal = self._head == value
        if not self._is_literal:
            self._expression = expression(entry)
            if entry.tag != "N" and not _WILD(value.replace("*", "")):
                # Most globs have no wildcard but `*`: no regular expression is needed.
                self._expression = value.split("*")[1:]

    @property
    def may_be_folder(self) -> bool:
        """Whether the script would take it for a folder that lacks its slash if there is one.

        It looks for the folder when the dots are escaped already, so a name with a dot is none.
        """
        return self._is_literal and self._slashes >= 0 and "." not in (self._head or ".")

    def takes(self, path: str, slashes: int) -> bool:
        """Whether it matches a path, which begins with (N: contains) its head.

        Parameters
        ----------
        slashes : the path's
        """
        if self._slashes in {slashes, -1}:
            return self._is_literal or self._matches(path)
        return self.may_be_folder and path.startswith("/", len(self._head))

    def _matches(self, path: str) -> bool:
        if isinstance(self._expression, list):
            at = len(self._head)
            for part in self._expression:
                found = path.find(part, at)
                if found < 0:
                    return False
                at = found + len(part)
            return True
        if isinstance(self._expression, str):
            self._expression = compiled(self._expression, extended=self.entry.tag == "N")
        return self._expression is not None and self._expression.search(path) is not None


class Patterns:
    """The patterns of a file, by their heads.

    A pattern is made of its line when a path comes by its head: of thousands few are asked.
    """

    __slots__ = ("_by_name", "_lines", "_made")

    def __init__(self, sections: Sequence[Section]) -> None:
        self._lines: dict[str, list[tuple[Entry, int]]] = {}
        self._made: dict[str, list[Pattern]] = {}
        self._by_name: dict[str, list[Pattern]] = {}
        for number, section in enumerate(sections):
            for entry in section.entries:
                if entry.tag == "F" or entry.tag == "X":  # noqa: PLR1714 (a set takes twice as long)
                    self._lines.setdefault(_head(entry), []).append((entry, number))
                elif entry.tag == "N" and entry.value:
                    # To perl, an empty N: means another expression, which matches no path.
                    self._by_name.setdefault(_head(entry), []).append(Pattern(entry, number))

    def of(self, path: str) -> Iterator[Pattern]:
        """Yield the patterns that match a path."""
        slashes = path.count("/")
        # One lookup for each start of the path, the empty one too.
        for head in filter(self._lines.__contains__, accumulate(path, initial="")):
            for pattern in self._at(head):
                if pattern.takes(path, slashes):
                    yield pattern
        for head, patterns in self._by_name.items():
            if head in path:
                for pattern in patterns:
                    if pattern.takes(path, slashes):
                        yield pattern

    def _at(self, head: str) -> list[Pattern]:
        if head not in self._made:
            self._made[head] = [Pattern(*line) for line in self._lines[head]]
        return self._made[head]


def expression(entry: Entry) -> str:
    """Return what Perl would compile for an F:, X:, N: or K: line."""
    if entry.tag in "NK":
        return entry.value
    # In this order, as the script does it.
    return "^" + entry.value.replace(".", r"\.").replace("*", ".*").replace("?", ".")


def _head(entry: Entry) -> str:
    """Return what a path must begin with (N: contain) for a pattern to match."""
    value = entry.value
    if entry.tag == "N":
        return _literal_start(value, _WORD_HEAD, "*?+{")
    return _literal_start(value, _GLOB_HEAD, "+{") if _WILD(value) else value


def _literal_start(value: str, head: re.Pattern[str], quantifiers: str) -> str:
    if "|" in value:
        return ""
    found = head.match(value)
    start = found.group() if found else ""
    after = value[len(start) :].lstrip()
    return start[:-1] if after and after[0] in quantifiers else start

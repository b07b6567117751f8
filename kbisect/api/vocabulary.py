# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of one version's headers: whether an answer names only what is there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from kbisect.git import blobs
from kbisect.git.repository import Repository

_INSIDE = re.compile(rb"\w")
_ENDED = re.compile(rb"\s*(?:\[[^\]]*\])?;")
_HEADERS = ("include",)
_SHORT = 2  # letters: `N` and `IP` are variables, too


@dataclass(slots=True)
class Vocabulary:
    """All words of some headers, by the oids of their blobs; read when first asked.

    What they lack may stand in another header of their `commit`: `cancel_delayed_work`.
    """

    repository: Repository
    oids: Iterable[str]
    commit: str
    _text: bytes = b""
    _known: dict[tuple[str, bool], bool] = field(default_factory=dict)

    def has(self, name: str, *, variable: bool = False) -> bool:
        """Whether the headers have a word; a `variable` must be a constant or be declared there."""
        asked = name, variable
        if asked not in self._known:
            self._known[asked] = self._find(name, variable) or self._elsewhere(name, variable)
        return self._known[asked]

    def _find(self, name: str, variable: bool) -> bool:
        if not self._text:
            found = blobs.read(self.repository, sorted(set(self.oids)))
            self._text = b"\n".join(content for _, content in found)
        at = self._text.find(word := name.encode())
        while at >= 0:
            end = at + len(word)
            around = self._text[max(at - 1, 0) : at] + self._text[end : end + 1]
            if not _INSIDE.search(around) and (not variable or self._declares(name, at, end)):
                return True
            at = self._text.find(word, end)
        return False

    def _elsewhere(self, name: str, variable: bool) -> bool:
        if variable and not name.isupper():
            return False
        lines = blobs.lines_with(self.repository, self.commit, name, _HEADERS)
        return any(not text.lstrip().startswith(("*", "/*", "//")) for _, _, text in lines)

    def _declares(self, name: str, at: int, end: int) -> bool:
        """Whether the line at a place declares a variable; constants are known by their looks."""
        if name.isupper() and len(name) > _SHORT:
            return True
        begun = self._text.rfind(b"\n", 0, at) + 1
        before = self._text[begun:at]
        if not before.startswith(b"extern") or re.search(rb"[;()]", before):
            return False
        return _ENDED.match(self._text, end) is not None

# SPDX-License-Identifier: GPL-2.0-or-later
"""How a name ended that nothing took the place of, by the word of the commit that took it. Pure.

A tree that builds after the commit had no other user left, so its patch shows all of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum

from kbisect.api.declarations import What
from kbisect.api.findings import Finding
from kbisect.git.patches import CommitPatch, Hunk

_ALIKE = 0.5
"""Share of tokens in common from which on a line that came is the one that went, rewritten."""
_GUESSED = 0.5
"""Confidence of a guessed heir from which on nobody may say that there is none."""
_TOKEN = re.compile(r"\w+|->|[^\s\w]")
_SHORT = 4
"""Letters of words that say nothing: `skb`, `int`."""
_COMMENT = ("*", "/*", "//")


class Ending(Enum):
    """Why there is nothing to write instead."""

    UNUSED = "unused"
    """No line of the tree used it."""
    DROPPED = "dropped"
    """Each line that used it went, with no other in its place."""
    PRIVATE = "private"
    """What made it keeps it for itself."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What a commit did to the lines that used a name.

    Attributes
    ----------
    dropped, rewritten : numbers of lines that went, without and with one in their place
    home : the source or private header that defines it after the commit, empty if none does
    """

    dropped: int = 0
    rewritten: int = 0
    home: str = ""

    def __add__(self, other: Trace) -> Trace:
        return Trace(
            self.dropped + other.dropped,
            self.rewritten + other.rewritten,
            self.home or other.home,
        )


def trace(patch: CommitPatch, word: str, finding: Finding) -> Trace:
    """Follow the uses of a word through a commit; lines that only moved are none."""
    is_field = finding.old is not None and finding.old.what is What.FIELD
    followed = _Followed(_use(word, is_field=is_field), _lines_added(patch), _brought(patch))
    kept = re.compile(
        rf"(?:static\b.*\b{re.escape(word)}\s*\(|\s*#\s*define\s+{re.escape(word)}\b)"
    )
    found = Trace()
    raw = word.encode()
    for file in patch.files:
        private = not file.path.startswith("include/")
        for hunk in file.hunks:
            if any(raw in line for line in hunk.removed):
                found += followed.through(hunk)
            if private and not is_field and any(kept.match(_text(line)) for line in hunk.added):
                found += Trace(home=file.path)
    return found


def ending(finding: Finding, traced: Trace) -> Ending | None:
    """Return how a name ended; None where something took its place, or may have."""
    private = finding.new_header is not None and not finding.new_header.startswith("include/")
    if traced.rewritten or finding.callers or finding.commit is None:
        return None
    if not (finding.kind.endswith("-removed") or (private and finding.kind.endswith("-moved"))):
        return None
    if private or traced.home:
        return Ending.PRIVATE
    if traced.dropped:
        return Ending.DROPPED
    guessed = finding.replacements and finding.confidence >= _GUESSED
    return None if finding.call_sites or guessed else Ending.UNUSED


def _use(word: str, *, is_field: bool) -> re.Pattern[str]:
    """Return what a use looks like, in a line that is neither a comment nor a definition."""
    name = re.escape(word)
    if is_field:
        return re.compile(rf"(?:->|\.)\s*{name}\b|^\s+{name}\s*:")
    return re.compile(rf"^\s.*(?<!->)(?<!\.)\b{name}\b")


@dataclass(frozen=True, slots=True)
class _Followed:
    """What a use looks like, the lines that the commit adds, and the words it brings to headers."""

    use: re.Pattern[str]
    added: Set[bytes]
    brought: Set[str]

    def through(self, hunk: Hunk) -> Trace:
        """Count what became of the uses in one hunk.

        Lines that use what the commit brought take the place of all that went there.
        """
        uses = [
            text
            for line in hunk.removed
            if line.strip() not in self.added
            and not _is_comment(text := _text(line))
            and self.use.search(text)
        ]
        came = [_TOKEN.findall(text) for text in map(_text, hunk.added) if not _is_comment(text)]
        if any(self.brought & set(tokens) for tokens in came):
            return Trace(rewritten=len(uses))
        rewritten = sum(_has_like(_TOKEN.findall(text), came) for text in uses)
        return Trace(len(uses) - rewritten, rewritten)


def _lines_added(patch: CommitPatch) -> set[bytes]:
    return {line.strip() for f in patch.files for hunk in f.hunks for line in hunk.added}


def _brought(patch: CommitPatch) -> set[str]:
    """Return the words that headers have by a commit and didn't have in the lines it changed."""
    hunks = [hunk for f in patch.files if f.path.startswith("include/") for hunk in f.hunks]
    came, went = (
        {
            token
            for lines in listed
            for text in map(_text, lines)
            if not _is_comment(text)
            for token in _TOKEN.findall(text)
            if len(token) > _SHORT
        }
        for listed in ([hunk.added for hunk in hunks], [hunk.removed for hunk in hunks])
    )
    return came - went


def _has_like(line: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    return any(
        SequenceMatcher(None, line, other, autojunk=False).ratio() >= _ALIKE for other in others
    )


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _is_comment(text: str) -> bool:
    return text.lstrip().startswith(_COMMENT)

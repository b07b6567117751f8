# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers in blocks that their versions share, each cut once. Pure, but for what it remembers.

A header is divided at empty lines, where these stand between declarations. From one version to
the next nearly all blocks stay the same, so that reading a version costs what changed in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from kbisect.api import chunks
from kbisect.api.chunks import Pieces
from kbisect.api.levels import BEGIN, State

Meaning = TypeVar("Meaning")

_END = b"\n\n"
# Past these the rest of the file is one block.
_MAX_BLOCK = 65_536  # bytes
_MAX_TRIES = 200  # empty lines
_MAX_KNOWN = 150_000  # blocks


@dataclass(eq=False, slots=True)
class Block(Generic[Meaning]):
    """A part of a header. Two of one identity say the same, but for their lines.

    Attributes
    ----------
    pieces : Pieces
        Lines count from the block's first.
    lines : how many line ends it has
    after : what stands open behind it; None if it doesn't end between two declarations
    meaning : what the reader makes of it, None until somebody asks
    """

    pieces: Pieces
    lines: int
    after: _Place[Meaning] | None
    meaning: Meaning | None = None


@dataclass(eq=False, slots=True)
class _Place(Generic[Meaning]):
    """What came before a block; the blocks seen there by their text, and those that end a file."""

    state: State
    known: dict[bytes, Block[Meaning]] = field(default_factory=dict)
    ends: dict[bytes, Block[Meaning]] = field(default_factory=dict)


class Reader(Generic[Meaning]):
    """Divides headers into blocks, and says once what each means."""

    def __init__(self, meaning: Callable[[Pieces], Meaning]) -> None:
        self._meaning = meaning
        self._places: dict[State, _Place[Meaning]] = {}
        self._count = 0

    def read(self, source: bytes) -> list[tuple[int, Block[Meaning]]]:
        """Return the blocks of a header, each with the number of lines before it."""
        if self._count > _MAX_KNOWN:
            self._places, self._count = {}, 0
        place = self._place(BEGIN)
        result = []
        line = begun = tries = 0
        at = source.find(_END)
        while at >= 0 and at - begun < _MAX_BLOCK and tries < _MAX_TRIES:
            text = source[begun : at + 2]
            at = source.find(_END, at + 2)
            tries += 1
            block = place.known.get(text)
            if block is None:
                if _is_open(text):
                    continue
                block = self._cut(text, place)
            if block.after is not None:
                result.append((line, block))
                line += block.lines
                begun += len(text)
                place, tries = block.after, 0
        rest = source[begun:]
        end = place.ends.get(rest)
        if end is None:
            pieces, _ = chunks.part(rest, place.state, last=True)
            end = place.ends[rest] = Block(pieces, 0, None)
        result.append((line, end))
        return result

    def meaning(self, block: Block[Meaning]) -> Meaning:
        """Return what a block means."""
        if block.meaning is None:
            block.meaning = self._meaning(block.pieces)
        return block.meaning

    def _place(self, state: State) -> _Place[Meaning]:
        if state not in self._places:
            self._places[state] = _Place(state)
        return self._places[state]

    def _cut(self, text: bytes, place: _Place[Meaning]) -> Block[Meaning]:
        pieces, state = chunks.part(text, place.state, last=False)
        after = None if state is None else self._place(state)
        block = Block[Meaning](pieces, text.count(b"\n"), after)
        place.known[text] = block
        self._count += 1
        return block


def _is_open(text: bytes) -> bool:
    """Whether a glance shows that a block doesn't end here; what it misses the cutter finds."""
    if text.rfind(b"/*") > text.rfind(b"*/"):
        return True
    return text.count(b"{") != text.count(b"}") and b'"C"' not in text

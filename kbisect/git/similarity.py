# SPDX-License-Identifier: GPL-2.0-or-later
"""How alike two files are, by the measure that git finds renames with (its diffcore-delta.c).

git cuts a content behind each newline, and behind every 64th byte of a line that goes on. Pieces
count by a hash; two contents have in common, of each hash, the bytes of the one that has fewer. The
likeness is that over the size of the larger. A merge takes nothing for renamed that is less than
half alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_PIECE = 64
_HASHES = 107927
_LOOKED_AT = 8000
"""Bytes in which git looks for the NUL of a binary file."""
_NEWLINE = ord("\n")


class Pieces(NamedTuple):
    """What a content is made of.

    Attributes
    ----------
    size : bytes of the content
    hashes : int64[K], each once
    lengths : int64[K], bytes of the pieces with that hash
    """

    size: int
    hashes: NDArray[np.int64]
    lengths: NDArray[np.int64]


def pieces(contents: Sequence[bytes]) -> list[Pieces]:
    """Take contents apart, all at once."""
    plain = [_plain(content) for content in contents]
    data = np.frombuffer(b"".join(plain), np.uint8)
    borders = np.cumsum([0, *(len(each) for each in plain)])
    starts, lengths = _cut(data, borders)
    owner = np.searchsorted(borders, starts, side="right") - 1
    keys = owner * _HASHES + _hashed(data, starts, lengths)
    order = np.argsort(keys, kind="stable")
    once, first = np.unique(keys[order], return_index=True)
    total = np.add.reduceat(lengths[order], first) if len(first) else lengths
    # An empty content has no pieces, and may have no owner.
    ends = np.searchsorted(once, np.arange(len(plain) + 1) * _HASHES)
    return [
        Pieces(len(content), once[begin:end] % _HASHES, total[begin:end])
        for content, begin, end in zip(contents, ends[:-1], ends[1:], strict=True)
    ]


def likeness(one: Pieces, others: Sequence[Pieces]) -> list[float]:
    """Return how alike one content is to each of some others: 0 to 1."""
    lengths = np.zeros(_HASHES, np.int64)
    lengths[one.hashes] = one.lengths
    return [
        int(np.minimum(lengths[other.hashes], other.lengths).sum()) / max(one.size, other.size, 1)
        for other in others
    ]


def _plain(content: bytes) -> bytes:
    """Return what git cuts: of a text the ends of DOS lines count as others."""
    text = content.find(b"\0", 0, _LOOKED_AT) < 0
    return content.replace(b"\r\n", b"\n") if text else content


def _cut(
    data: NDArray[np.uint8], borders: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where pieces start, and how long they are."""
    ends = np.unique(np.concatenate([np.flatnonzero(data == _NEWLINE) + 1, borders]))
    starts, lengths = ends[:-1], np.diff(ends)
    of_line = -(-lengths // _PIECE)
    at = np.arange(of_line.sum()) - np.repeat(np.cumsum(of_line) - of_line, of_line)
    starts = np.repeat(starts, of_line) + at * _PIECE
    return starts, np.minimum(np.repeat(ends[1:], of_line) - starts, _PIECE)


def _hashed(
    data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the hash of each piece: two registers of 32 bits, each shifted into the other."""
    order = np.argsort(-lengths, kind="stable")
    places, lasting = starts[order], -lengths[order]
    low, high = (np.zeros(len(order), np.uint32) for _ in range(2))
    for at in range(-int(lasting[0]) if len(order) else 0):
        # The longest come first: a slice holds those that go on.
        going = slice(int(np.searchsorted(lasting, -at)))
        one, two = low[going], high[going]
        was = one.copy()
        low[going] = ((one << 7) ^ (two >> 25)) + data[places[going] + at]
        high[going] = (two << 7) ^ (was >> 25)
    hashes = np.empty(len(order), np.int64)
    hashes[order] = (low + high * np.uint32(0x61)) % _HASHES
    return hashes

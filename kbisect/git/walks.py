# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole history in arrays: the commits, their parents, times and root tree objects.

For a quarter of a million commits a tuple each costs more than git's own work; here a megabyte of
git's answer becomes arrays at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from kbisect.git.repository import Repository

Bytes = NDArray[np.uint8]

# What git prints for each commit, in two lines: `TIME commit OID`, `TREE PARENT PARENT…`. All of it
# stands in a commit-graph file, so where there is one, git opens no commit.
_FORMAT = ("--timestamp", "--format=%T %P")
_COMMIT = b" commit "
_HEX = 40


@dataclass(frozen=True, slots=True)
class Walk:
    """N commits in git's order by date: children before parents, but where clocks were wrong.

    Attributes
    ----------
    oids : uint8[N, 20]
    trees : uint8[N, 20], their root tree objects
    times : int64[N], commit times in Unix seconds
    counts : int32[N], how many parents each has
    parents : uint8[M, 20], one commit's after the other's; parents outside the walk are named too
    """

    oids: Bytes
    trees: Bytes
    times: NDArray[np.int64]
    counts: NDArray[np.int32]
    parents: Bytes


def walk(
    repository: Repository,
    tips: Iterable[str],
    exclude: Iterable[str] = (),
    *,
    watch: Callable[[Walk], None] = lambda _: None,
) -> Walk:
    """Walk the history of `tips` without that of `exclude`.

    Parameters
    ----------
    watch : called with some commits at a time, as they come
    """
    asked = "".join(f"{oid}\n" for oid in tips) + "".join(f"^{oid}\n" for oid in exclude)
    parts = []
    arguments = ("rev-list", *_FORMAT, "--stdin")
    with repository.stream(*arguments, stdin=[asked.encode("ascii")]) as pipe:
        rest = b""
        while chunk := pipe.read(1 << 20):
            block = rest + chunk
            # Whole records only; the line that begins one is the one with `commit`.
            end = block.rfind(b"\n", 0, max(0, block.rfind(_COMMIT))) + 1
            rest = block[end:]
            if end:
                parts.append(_parse(block[:end]))
                watch(parts[-1])
        if rest:
            parts.append(_parse(rest))
            watch(parts[-1])
    return _joined(parts)


def _joined(parts: list[Walk]) -> Walk:
    if not parts:
        return _parse(b"")
    return Walk(
        np.concatenate([part.oids for part in parts]),
        np.concatenate([part.trees for part in parts]),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.parents for part in parts]),
    )


def _parse(block: bytes) -> Walk:
    text = np.frombuffer(block, np.uint8)
    breaks = np.flatnonzero(text == ord("\n"))
    heads, ends = breaks[0::2], breaks[1::2]
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    trees = heads + 1
    parents = trees + _HEX + 1
    # Behind each but the last parent is a blank.
    counts = (ends + 1 - parents) // (_HEX + 1)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    nth = np.arange(len(first)) - first
    return Walk(
        _unhex(text, heads - _HEX),
        _unhex(text, trees),
        _numbers(text, starts, heads - _HEX - len(_COMMIT)),
        counts.astype(np.int32),
        _unhex(text, np.repeat(parents, counts) + (_HEX + 1) * nth),
    )


def _unhex(text: Bytes, starts: NDArray[np.int64]) -> Bytes:
    """Read an id in hex at each place."""
    if not len(starts):
        return np.empty((0, 20), np.uint8)
    digits = sliding_window_view(text, _HEX)[starts].tobytes()
    return np.frombuffer(bytes.fromhex(digits.decode("ascii")), np.uint8).reshape(-1, 20)


def _numbers(text: Bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read a decimal number from each place to its end."""
    value = np.zeros(len(starts), np.int64)
    for at in range(int((ends - starts).max(initial=0))):
        inside = starts + at < ends
        value[inside] = value[inside] * 10 + (text[starts[inside] + at] - ord("0"))
    return value

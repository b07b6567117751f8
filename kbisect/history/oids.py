# SPDX-License-Identifier: GPL-2.0-or-later
"""A table of object ids: 20 bytes each, found by full id or by its first digits. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


class Oids(Sequence[str]):
    """Hex oids by number, held as uint8[N, 20]; numbers by oid or by prefix.

    Parameters
    ----------
    raw : uint8[N, 20]
    order : int32[N], optional
        The numbers sorted by oid; worked out when it is first needed.
    """

    def __init__(self, raw: Bytes, order: NDArray[np.int32] | None = None) -> None:
        self.raw = raw
        self._order = order

    @classmethod
    def of(cls, oids: Iterable[str]) -> Oids:
        """Pack hex oids."""
        return cls(packed(oids))

    def __len__(self) -> int:
        return len(self.raw)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return list(_hexes(self.raw[index]))
        return bytes(self.raw[index]).hex()

    def __iter__(self) -> Iterator[str]:
        return _hexes(self.raw)

    @property
    def order(self) -> NDArray[np.int32]:
        """The numbers in the order of their oids, int32[N]."""
        if self._order is None:
            keys = _keys(self.raw)
            order = np.argsort(keys, kind="stable")
            if np.any(keys[order[1:]] == keys[order[:-1]]):
                # Sought out by somebody, who must not make us slow: the whole id decides.
                order = np.argsort(_wholes(self.raw), kind="stable")
            self._order = order.astype(np.int32)
        return self._order

    @cached_property
    def _sorted_keys(self) -> NDArray[np.uint64]:
        return _keys(self.raw)[self.order]

    @cached_property
    def _bisecting(self) -> tuple[memoryview, Callable[[int], bytes]]:
        """The numbers by oid, and what they are sorted by, as Python reads them fastest."""
        flat = np.ascontiguousarray(self.raw).reshape(-1).data
        return self.order.data, lambda number: bytes(flat[20 * number : 20 * number + 20])

    def matching(self, prefix: str) -> list[int]:
        """Return the numbers of all oids that start with some hex digits, in the oids' order."""
        order, oid = self._bisecting
        low, high = (bytes.fromhex(prefix.ljust(40, digit)) for digit in "0f")
        first = bisect_left(order, low, key=oid)
        return list(order[first : bisect_right(order, high, first, key=oid)])

    def numbers(self, raw: Bytes) -> NDArray[np.int32]:
        """Return the numbers of many full oids, uint8[M, 20]: int32[M], -1 for those not here."""
        if not len(self):
            return np.full(len(raw), -1, np.int32)
        wanted = _keys(raw)
        at = np.minimum(np.searchsorted(self._sorted_keys, wanted), len(self) - 1)
        found: NDArray[np.int32] = self.order[at].astype(np.int32)
        found[(self.raw[found] != raw).any(axis=1)] = -1
        missed = np.flatnonzero((found < 0) & (self._sorted_keys[at] == wanted))
        if len(missed):
            # Of those that share their first 8 bytes the search found one.
            theirs = _wholes(raw[missed])
            ours = _wholes(self.raw[self.order])
            at = np.minimum(np.searchsorted(ours, theirs), len(self) - 1)
            found[missed] = np.where(ours[at] == theirs, self.order[at], -1)
        return found

    def number(self, oid: str) -> int | None:
        """Return the number of a full oid; None if it isn't here."""
        found = self.matching(oid) if len(oid) == 40 else []
        return found[0] if found else None


def packed(oids: Iterable[str]) -> Bytes:
    """Pack full hex oids: uint8[N, 20]."""
    return np.frombuffer(bytes.fromhex("".join(oids)), np.uint8).reshape(-1, 20)


def _keys(raw: Bytes) -> NDArray[np.uint64]:
    return np.ascontiguousarray(raw[:, :8]).view(">u8").reshape(-1).astype(np.uint64)


def _wholes(raw: Bytes) -> NDArray[np.bytes_]:
    """Return all 20 bytes as what sorts by them: right, but several times slower than `_keys`."""
    return np.ascontiguousarray(raw).view("S20").reshape(-1)


def _hexes(raw: Bytes) -> Iterator[str]:
    whole = raw.tobytes().hex()
    return (whole[start : start + 40] for start in range(0, len(whole), 40))

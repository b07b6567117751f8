# SPDX-License-Identifier: GPL-2.0-or-later
"""A table of object ids: 20 bytes each, found by full id or by its first digits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
        self._keys: NDArray[np.uint64] | None = None

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
            # The first 8 bytes decide; the rest, for two that share them, comes from the full sort.
            self._order = np.argsort(_keys(self.raw), kind="stable").astype(np.int32)
        return self._order

    @property
    def _sorted_keys(self) -> NDArray[np.uint64]:
        if self._keys is None:
            self._keys = _keys(self.raw)[self.order]
        return self._keys

    def matching(self, prefix: str) -> list[int]:
        """Return the numbers of all oids that start with some hex digits."""
        if not prefix:
            return list(range(len(self)))
        head = prefix[:16]
        low = int(head.ljust(16, "0"), 16)
        high = int(head.ljust(16, "f"), 16)
        first = int(np.searchsorted(self._sorted_keys, np.uint64(low), "left"))
        last = int(np.searchsorted(self._sorted_keys, np.uint64(high), "right"))
        found = (int(number) for number in self.order[first:last])
        return [number for number in found if self[number].startswith(prefix)]

    def numbers(self, raw: Bytes) -> NDArray[np.int32]:
        """Return the numbers of many full oids, uint8[M, 20]: int32[M], -1 for those not here."""
        if not len(self):
            return np.full(len(raw), -1, np.int32)
        wanted = _keys(raw)
        at = np.minimum(np.searchsorted(self._sorted_keys, wanted), len(self) - 1)
        found: NDArray[np.int32] = self.order[at].astype(np.int32)
        found[(self.raw[found] != raw).any(axis=1)] = -1
        # Of two that share their first 8 bytes the search finds one.
        for missed in np.flatnonzero((found < 0) & (self._sorted_keys[at] == wanted)):
            number = self.number(bytes(raw[missed]).hex())
            found[missed] = -1 if number is None else number
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


def _hexes(raw: Bytes) -> Iterator[str]:
    whole = raw.tobytes().hex()
    return (whole[start : start + 40] for start in range(0, len(whole), 40))

# SPDX-License-Identifier: GPL-2.0-or-later
"""Columns of Arrow from Python's lists.

`pyarrow.array` does the same, but imports pandas to see whether a list isn't a frame of it: more
time than a small update of the index takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import ArrayLike


def text(values: Iterable[str | None]) -> pa.StringArray:
    """Return a column of text; None is NULL."""
    import pyarrow as pa

    listed = list(values)
    here = [value or "" for value in listed]
    joined = "".join(here)
    data = joined.encode()
    # Nearly always ASCII, where a character is a byte.
    sizes = map(len, here) if len(data) == len(joined) else (len(one.encode()) for one in here)
    offsets = np.zeros(len(here) + 1, np.int32)
    np.cumsum(np.fromiter(sizes, np.int64, len(here)), out=offsets[1:])
    known = np.fromiter((value is not None for value in listed), np.bool_, len(listed))
    mask = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.StringArray.from_buffers(len(here), pa.py_buffer(offsets), pa.py_buffer(data), mask)


def int32(values: ArrayLike) -> pa.Int32Array:
    """Return a column of numbers of 32 bits."""
    import pyarrow as pa

    return _plain(pa.int32(), np.asarray(values, np.int32))


def int64(values: ArrayLike) -> pa.Int64Array:
    """Return a column of numbers of 64 bits, times among them."""
    import pyarrow as pa

    return _plain(pa.int64(), np.asarray(values, np.int64))


def boolean(values: ArrayLike) -> pa.BooleanArray:
    """Return a column of truths."""
    import pyarrow as pa

    listed = np.asarray(values, np.bool_)
    bits = pa.py_buffer(np.packbits(listed, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(listed), [None, bits])


def _plain(kind: pa.DataType, values: np.ndarray[tuple[int], np.dtype[np.generic]]) -> pa.Array:
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a `Cc: stable` notice asks for: which versions. Pure.

The forms are those of Documentation/process/stable-kernel-rules.rst and the ones people write.
"""

from __future__ import annotations

import re

from kbisect.history.releases import version

_PLUS = re.compile(r"(?:>=?\s*)?v?(\d+(?:\.\d+)+)\s*(?:\+|and (?:later|newer|up)|onwards?)")
_AT_LEAST = re.compile(r">=\s*v?(\d+(?:\.\d+)+)")
_RANGE = re.compile(r"v?(\d+(?:\.\d+)+)(?:\.x)?\s*(?:\.\.+|-|to)\s*v?(\d+(?:\.\d+)+)")
_ONE = re.compile(r"v?(\d+\.\d+(?:\.\d+)*)(?:\.[xy])?\b")


def wants(note: str | None, base: str) -> bool:
    """Whether a notice asks for a branch that grew from the release `base`.

    Parameters
    ----------
    note : what stands behind the address (`v3.11+`, `[3.10+]`, `3.12.x`), or None
    base : a mainline release, `v3.12`

    Returns
    -------
    bool
        True where nothing is said about versions: every branch is meant.
    """
    here = version(base)
    if not note or here is None or "after -rc" in note:
        return True
    text = note.lower()
    for pattern in (_PLUS, _AT_LEAST):
        lows = [_key(found) for found in pattern.findall(text)]
        if lows:
            return any(low <= here for low in lows)
    between = _RANGE.search(text)
    if between:
        return _key(between[1]) <= here and here[:2] <= _key(between[2])[:2]
    listed = [_key(found) for found in _ONE.findall(text)]
    if listed:
        return any(one[: _series(one)] == here[: _series(here)] for one in listed)
    return True


def _key(numbers: str) -> tuple[int, ...]:
    return version(f"v{numbers}") or ()


def _series(key: tuple[int, ...]) -> int:
    """Numbers that make a stable series: 2.6.32.y has three, 3.12.y two."""
    return 3 if key[:2] == (2, 6) else 2

# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of files as git quotes them (core.quotePath, quote.c). Pure: patch/diffs.py uses it too."""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = dict(zip(b"abtnvfr", b"\a\b\t\n\v\f\r", strict=True))


def unquoted(name: bytes) -> bytes:
    """Return the bytes that git put in quotes, `"a\\303\\266\\t"`; another name as it is."""
    if name[:1] != b'"':
        return name
    return _ESCAPE.sub(_plain, name[1:].removesuffix(b'"'))


def _plain(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8) & 255 if code.isdigit() else _LETTERS.get(code[0], code[0])])

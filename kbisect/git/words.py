# SPDX-License-Identifier: GPL-2.0-or-later
"""Which words stand in some files of a commit, all of them read in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kbisect.git.repository import Repository

WORD = re.compile(rb"\b[A-Za-z_]\w{3,}")
"""An identifier of four letters or more; shorter ones stand everywhere."""
_CHUNK = 1 << 24


def words(repository: Repository, commit: str, paths: Iterable[str]) -> set[bytes]:
    """Return the words in the files that `paths` (git's pathspecs) match at a commit."""
    found: set[bytes] = set()
    arguments = ("grep", "-h", "-I", "--no-color", "-e", "", commit, "--", *paths)
    with repository.stream(*arguments) as pipe:
        rest = b""
        while chunk := pipe.read(_CHUNK):
            whole, newline, rest = (rest + chunk).rpartition(b"\n")
            found.update(WORD.findall(whole + newline))
        found.update(WORD.findall(rest))
    return found

# SPDX-License-Identifier: GPL-2.0-or-later
"""Fingerprints of patches: with context, as `git patch-id`, and of the changed lines alone."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable

from kbisect.git.repository import Repository

Print = tuple[str, str, frozenset[int]]

_FLAGS = (
    *("--root", "-r", "-p", "-U3", "--full-index", "--no-renames", "--no-color", "--no-ext-diff"),
    *("--no-textconv", "--diff-algorithm=myers", "--indent-heuristic", "--no-relative"),
    *("-O/dev/null", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"),
)
_HEAD = re.compile(rb"[0-9a-f]{40}\n\Z")
_SHORT = 3
"""A line of a brace or two says nothing."""
# Lines of hunks; and, so that a patch without any has a print, of binary files and changed modes.
_COUNTS = (b" ", b"+", b"-", b"B", b"o", b"n")


def prints(repository: Repository, oids: Iterable[str]) -> dict[str, Print]:
    """Read the patches of some commits and take their fingerprints; merges have none.

    Returns
    -------
    dict
        oid → (hash of all lines of its hunks, hash of those that go and come, hash of each of
        these), without blanks, line numbers and folders
    """
    found: dict[str, Print] = {}
    asked = [f"{oid}\n".encode("ascii") for oid in oids]
    if not asked:
        return found
    with repository.stream("diff-tree", "--stdin", *_FLAGS, stdin=asked) as lines:
        oid = ""
        exact = bare = hashlib.sha1(usedforsecurity=False)
        single: set[int] = set()
        for line in lines:
            first = line[:1]
            if _HEAD.match(line):
                if oid:
                    found[oid] = (exact.hexdigest(), bare.hexdigest(), frozenset(single))
                oid = line[:40].decode("ascii")
                exact, bare = (hashlib.sha1(usedforsecurity=False) for _ in range(2))
                single = set()
            elif first in _COUNTS:
                # A file counts by its name: its folder may have been renamed.
                named = line.startswith((b"--- ", b"+++ "))
                text = line.rsplit(b"/", 1)[-1] if named else b"".join(line.split())
                exact.update(first + text)
                if first != b" ":
                    bare.update(first + text)
                    if not named and len(text) > _SHORT:
                        single.add(zlib.crc32(first + text))
        if oid:
            found[oid] = (exact.hexdigest(), bare.hexdigest(), frozenset(single))
    return found

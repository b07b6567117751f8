# SPDX-License-Identifier: GPL-2.0-or-later
"""Names that a patch's new lines use and the tree it is put on doesn't have.

A patch can apply and yet call a function, or read a field, that isn't there: it doesn't compile.
Only names whose use shows what they are count (a call, a member, a tag, a word in capitals), and
only where neither the headers nor the patched files have the word. What macros put together has no
place in any tree: a word that the tree of the patch itself doesn't have either is passed over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from kbisect.api import chunks
from kbisect.git.snapshot import Snapshot
from kbisect.patch.diffs import FileDiff

_SOURCES = (".c", ".h")
_USES = re.compile(
    r"(?<![\w.>])(?P<call>[A-Za-z_]\w{3,})\s*\("
    r"|(?:->|(?<![\w.])\.|(?<=[\w\])])\.)\s*(?P<member>[A-Za-z_]\w{3,})\b"
    r"|\b(?:struct|union|enum)\s+(?P<tag>\w{4,})\b(?!\s*[{;])"
    r"|\b(?P<capitals>[A-Z][A-Z0-9_]{3,})\b(?!\s*\()"
)
_WORD = re.compile(r"[A-Za-z_]\w{3,}")
_HEAD = re.compile(r"[A-Za-z_][^=]*?\b([A-Za-z_]\w{3,})\s*\(")
_DEFINED = re.compile(r"\s*#\s*define\s+(\w+)")
_ENUMERATOR = re.compile(r"\s+([A-Z][A-Z0-9_]{3,})\s*(?:=[^=;]*)?,?\s*$")
_INSIDE = re.compile(r"\s*\*(?:\s|/|$)")
_CONFIGURED = "CONFIG_"
_MOST = 200


def lacking(
    gitdir: Path, tree: str, files: Iterable[FileDiff], made_on: str | None = None
) -> tuple[str, ...]:
    """Return the names that the new lines use and a tree lacks, in the order of the diff.

    Parameters
    ----------
    gitdir : object store that has both trees
    tree : a commit or tree object, before the patch
    made_on : one that has the patch, or on which it was made; None where that isn't known
    """
    known = [file for file in files if file.path.endswith(_SOURCES)]
    used = list(dict.fromkeys(_used(known)))[:_MOST]
    if not used:
        return ()
    own = sorted({path for file in known for path in (file.path, file.old_path) if path})
    missing = _missing(gitdir, tree, used, ["*.h", *own])
    if missing and made_on is not None:
        strange = set(_missing(gitdir, made_on, missing, ["*.h", *own]))
        return tuple(name for name in missing if name not in strange)
    return tuple(_missing(gitdir, tree, missing, [])) if missing else ()


def _missing(gitdir: Path, tree: str, names: list[str], paths: list[str]) -> list[str]:
    there: set[str] = set()
    for _, _, text in Snapshot(gitdir, tree).lines_with(names, paths):
        there.update(_WORD.findall(text))
    return [name for name in names if name not in there]


def _used(files: Iterable[FileDiff]) -> Iterator[str]:
    """Yield the names that new lines use and no new line declares."""
    lines = [line for file in files for line in _new_lines(file)]
    used: Counter[str] = Counter()
    declared: set[str] = set()
    words: Counter[str] = Counter()
    for line in lines:
        words.update(_WORD.findall(line))
        for pattern in (_HEAD, _DEFINED, _ENUMERATOR):
            if found := pattern.match(line):
                declared.add(found[1])
        used.update(found[found.lastgroup or 0] for found in _USES.finditer(line))
    for name, count in used.items():
        # A word that also stands where nothing is used is declared there, or is a value.
        is_own = name in declared or words[name] > count
        if not is_own and not name.startswith(_CONFIGURED):
            yield name


def _new_lines(file: FileDiff) -> Iterator[str]:
    """Yield the lines that come, without comments and strings."""
    for hunk in file.hunks:
        whole = [raw for raw in hunk.lines if raw[:1] != b"-"]
        clean = chunks.clean(b"\n".join(raw[1:] for raw in whole)).split("\n")
        for raw, line in zip(whole, clean, strict=False):
            if raw[:1] == b"+" and not _INSIDE.match(line):
                yield line

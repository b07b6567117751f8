# SPDX-License-Identifier: GPL-2.0-or-later
"""What a diff does to functions, read from the diff alone: whose bodies, which calls. Pure.

A changed line belongs to the function whose head is the last one before it, in the hunk or in the
hunk's `@@` line: git's own rule. So it is named without the file; a head that the hunk doesn't show
in whole may be missed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kbisect.patch.diffs import FileDiff

_SOURCES = (".c", ".h", ".S", ".rs")
_HEAD = re.compile(r"(?:[A-Za-z_][\w\s*]*?\**\b)?(?P<name>[A-Za-z_]\w*)\s*\((?!.*;\s*$)")
"""What a function returns may stand on the line before its name."""
_BARE_TYPE = re.compile(r"[A-Za-z_][\w\s*]*(?:\{\s*)?\Z")
"""Such a line, or an enum without a name: whoever owned the lines before doesn't own the next."""
_NO_HEAD = {"if", "for", "while", "switch", "return", "sizeof", "defined", "do", "else"}
_AGGREGATE = re.compile(
    r"(?:static |const |typedef )*(?P<kind>struct|union|enum)\s+(?P<name>\w+)[^;()]*\{?\s*$"
)
_VARIABLE = re.compile(
    r"[A-Za-z_][\w\s*]*?\b(?P<name>[A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*(?:__\w+\s*)*=(?!=)"
)
_MACRO = re.compile(r"#\s*define\s+(?P<name>\w+)")
_EXPORT = re.compile(r"EXPORT_(?:PER_CPU_)?SYMBOL\w*\(\s*(\w+)")
_COMMENT = re.compile(r"//.*|/\*.*?(?:\*/|\Z)")
_LOCK = re.compile(
    r"\b(?:(?:raw_)?(?:spin|read|write)_(?:try|un)?lock\w*|mutex_(?:try|un)?lock\w*"
    r"|rcu_read_(?:un)?lock\w*|(?:__)?rtnl_(?:net_)?(?:un|try)?lock\w*|(?:bh_)?(?:un)?lock_sock\w*"
    r"|release_sock|(?:down|up)_(?:read|write)\w*|down|up|local_bh_(?:dis|en)able"
    r"|local_irq_(?:save|restore|disable|enable)|synchronize_(?:net|rcu\w*|irq)"
    r"|netif_(?:addr|tx)_(?:un)?lock\w*|(?:read|write)_seq\w+|(?:scoped_)?guard"
    r"|netdev_(?:un)?lock\w*|call_rcu\w*|kfree_rcu\w*)(?=\s*\()"
)
_REFERENCE = re.compile(
    r"\b(?:\w+_(?:get|put|hold|tryget)|(?:get|put)_(?:net|device|page|pid|cred|task_struct)\w*"
    r"|dev_(?:hold|put)|refcount_\w+|kref_\w+|atomic_(?:inc|dec|add_unless)\w*"
    r"|(?:consume|kfree)_skb\w*|skb_get|module_put|(?:__)?try_module_get)(?=\s*\()"
)


_SHORT = 3
"""Names as short as this mean something else elsewhere."""


@dataclass(frozen=True, slots=True)
class Touched:
    """A function, type, table or macro whose lines a patch changes."""

    name: str
    path: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class CallChange:
    """How often a call to something of interest comes and goes.

    Attributes
    ----------
    what : `locking` or `reference`
    """

    what: str
    name: str
    added: int
    removed: int


def touched(files: Iterable[FileDiff]) -> tuple[Touched, ...]:
    """Name what is changed, in the order of the diff."""
    counts: dict[tuple[str, str], list[int]] = {}
    for file in files:
        if not file.path.endswith(_SOURCES):
            continue
        for name, mark in _owners(file):
            count = counts.setdefault((file.path, name), [0, 0])
            count[mark == "-"] += 1
    return tuple(Touched(name, path, *count) for (path, name), count in counts.items())


def _owners(file: FileDiff) -> Iterator[tuple[str, str]]:
    """Yield (owner, mark) for each changed line that has an owner."""
    for hunk in file.hunks:
        owner = _head(hunk.section)
        for raw in hunk.lines:
            mark, line = chr(raw[0]), raw[1:].decode("utf-8", "replace")
            if line[:1] not in "} \t\n/*" and line.strip():
                # A label stands at the margin too, and ends nothing.
                is_end = line.rstrip().endswith(";") or _BARE_TYPE.match(line)
                owner = _head(line) or (None if is_end else owner)
            if mark in "+-" and owner and line.strip():
                yield owner, mark
            is_short = _MACRO.match(line) is not None and not line.endswith("\\")
            if is_short or (line[:1] == "}" and mark != "-"):
                owner = None


def _head(line: str) -> str | None:
    for pattern in (_MACRO, _VARIABLE, _AGGREGATE, _HEAD):
        found = pattern.match(line)
        if found and found["name"] not in _NO_HEAD:
            kind = found.groupdict().get("kind")
            if pattern is _HEAD and found["name"].isupper():
                return None  # EXPORT_SYMBOL(), MODULE_LICENSE(): statements
            return f"{kind} {found['name']}" if kind else found["name"]
    return None


def introduced(files: Iterable[FileDiff]) -> tuple[str, ...]:
    """Return the functions, types and macros whose heads a patch adds and doesn't take away."""
    came: dict[str, None] = {}
    gone: set[str] = set()
    for mark, line in _changed(files):
        named = _head(line) if line[:1] not in " \t{}/*" else None
        if named and mark == "+":
            came[named.rpartition(" ")[2]] = None
        elif named:
            gone.add(named.rpartition(" ")[2])
    return tuple(name for name in came if name not in gone and len(name) > _SHORT)


def exports(files: Iterable[FileDiff]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the symbols that are exported now, and those that no longer are."""
    came: dict[str, None] = {}
    gone: dict[str, None] = {}
    for mark, line in _changed(files):
        if found := _EXPORT.match(line):
            (came if mark == "+" else gone)[found[1]] = None
    both = came.keys() & gone.keys()
    return (
        tuple(name for name in came if name not in both),
        tuple(name for name in gone if name not in both),
    )


def calls(files: Iterable[FileDiff]) -> tuple[CallChange, ...]:
    """Count the calls that take or drop a lock or a reference, where their number changes."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for mark, line in _changed(files):
        code = _COMMENT.sub("", line)
        for what, pattern in (("locking", _LOCK), ("reference", _REFERENCE)):
            for found in pattern.finditer(code):
                counts[what, found.group(), mark] += 1
    names = dict.fromkeys((what, name) for what, name, _ in counts)
    found_ = (
        CallChange(what, name, counts[what, name, "+"], counts[what, name, "-"])
        for what, name in names
    )
    return tuple(sorted((c for c in found_ if c.added != c.removed), key=lambda c: c.what))


def _changed(files: Iterable[FileDiff]) -> Iterator[tuple[str, str]]:
    for file in files:
        if file.path.endswith(_SOURCES):
            for hunk in file.hunks:
                for raw in hunk.lines:
                    if raw[:1] in {b"+", b"-"}:
                        yield chr(raw[0]), raw[1:].decode("utf-8", "replace")

# SPDX-License-Identifier: GPL-2.0-or-later
"""Symbols that modules may link with: what net/ and drivers/net/ export, and who changed it. Pure.

A function that left the headers is told there; here it is told when only the export went, and
when it became one for GPL modules only.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import Compatibility, Finding

WORDS = (
    *("EXPORT_SYMBOL", "EXPORT_SYMBOL_GPL", "EXPORT_SYMBOL_NS", "EXPORT_SYMBOL_NS_GPL"),
    *("EXPORT_PER_CPU_SYMBOL", "EXPORT_PER_CPU_SYMBOL_GPL", "EXPORT_SYMBOL_GPL_FUTURE"),
    *("EXPORT_UNUSED_SYMBOL", "EXPORT_UNUSED_SYMBOL_GPL", "EXPORT_IPV6_MOD", "EXPORT_IPV6_MOD_GPL"),
)
FOLDERS = ("net", "drivers/net")
_LINE = re.compile(r"^\s*(EXPORT_(?:PER_CPU_|UNUSED_)?(?:SYMBOL|IPV6_MOD)\w*)\s*\(\s*(\w+)")


@dataclass(frozen=True, slots=True)
class Export:
    """One commit's line that exports a symbol: `came` or went, for GPL modules only or for all."""

    commit: str
    name: str
    came: bool
    gpl: bool


def exports(commit: str, removed: Sequence[bytes], added: Sequence[bytes]) -> Iterator[Export]:
    """Find the exports that one hunk takes away or brings."""
    for lines, came in ((removed, False), (added, True)):
        for line in lines:
            if b"EXPORT_" in line and (found := _LINE.match(line.decode("utf-8", "replace"))):
                yield Export(commit, found[2], came, _for_gpl(found[1]))


def declared(lines: Iterable[tuple[str, int, str]]) -> dict[str, Declaration]:
    """Return the exported symbols by name, from lines (path, number, text)."""
    result = {}
    for path, number, text in lines:
        found = _LINE.match(text)
        if found and path.endswith(".c"):
            result[found[2]] = Declaration(
                What.SYMBOL, found[2], "", path, number, f"{found[1]}({found[2]})", found[1]
            )
    return result


def compare(
    old: Mapping[str, Declaration],
    new: Mapping[str, Declaration],
    told: Iterable[Finding],
    history: Sequence[Export] = (),
    inline: Container[str] = (),
) -> Iterator[Finding]:
    """Compare the exports of two versions.

    Parameters
    ----------
    told : findings about declarations: what went or came with its declaration isn't told again
    history : the exports that commits took away or brought, oldest first
    inline : names that the new headers define themselves: who uses those needs no export
    """
    known = {
        name.split()[-1]
        for finding in told
        if finding.kind.endswith(("-removed", "-added", "-renamed", "-moved"))
        for name in (finding.name, finding.new_name)
        if name
    }
    for name in sorted(old.keys() | new.keys()):
        mine, yours = old.get(name), new.get(name)
        if mine is not None and yours is None and name not in known:
            commit = _turn(history, name, came=False)
            effect = Compatibility.COMPATIBLE if name in inline else Compatibility.BREAKING
            yield _finding("symbol-removed", effect, mine, None, commit)
        elif mine is None and yours is not None and name not in known:
            commit = _turn(history, name, came=True)
            yield _finding("symbol-added", Compatibility.COMPATIBLE, None, yours, commit)
        elif mine is not None and yours is not None:
            gpl = _for_gpl(yours.type)
            if _for_gpl(mine.type) != gpl:
                # It breaks the modules under another licence, and no other.
                effect = Compatibility.UNKNOWN if gpl else Compatibility.COMPATIBLE
                commit = _turn(history, name, came=True, gpl=gpl)
                yield _finding("symbol-retyped", effect, mine, yours, commit)


def inline(declarations: Iterable[Sequence[Declaration]]) -> frozenset[str]:
    """Return the names that headers define: macros and inline functions, variants together."""
    return frozenset(
        one.name
        for variants in declarations
        for one in variants
        if one.what is What.MACRO or (one.what is What.FUNCTION and "inline" in one.text)
    )


def _for_gpl(word: str) -> bool:
    return word.endswith(("_GPL", "_GPL_FUTURE"))


def _turn(
    history: Sequence[Export], name: str, *, came: bool, gpl: bool | None = None
) -> str | None:
    """Return the last commit that turned it so; one that only moves the line did not."""
    found = None
    for export in history:
        if export.name == name and export.came is came and gpl in (None, export.gpl):
            found = export.commit
    return found


def _finding(
    kind: str,
    effect: Compatibility,
    old: Declaration | None,
    new: Declaration | None,
    commit: str | None,
) -> Finding:
    one = old or new
    assert one is not None
    return Finding(kind, one.name, effect, one.header, old=old, new=new, commit=commit)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Symbols that modules may link with: what net/ and drivers/net/ export, and who changed it. Pure.

Where a function left or entered the headers, that its export did so too is told with it. Where
only the export went or came, or is for GPL modules only now, that is a finding of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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
    inline: Collection[str] = (),
) -> list[Finding]:
    """Compare the exports of two versions.

    Parameters
    ----------
    old, new : exported symbols by name
    told : findings about declarations
    history : the exports that commits took away or brought, oldest first
    inline : names that the new headers define themselves: who uses those needs no export

    Returns
    -------
    The findings told, those of exported functions with `symbol-removed` and the like among what
    changed as well; then one for each other symbol that changed. Of a rename by which modules
    lose the function, as its new name isn't exported, a removal and an addition are left.
    """
    went, came = old.keys() - new.keys(), new.keys() - old.keys()
    listed = []
    known: set[str] = set()
    for finding in told:
        if finding.kind.endswith(("-removed", "-added", "-renamed", "-moved")):
            names = [_name(finding.old), _name(finding.new)]
            known.update(names)
            parts = [finding]
            if names[0] in went and names[1] not in (*new, *inline):
                parts = list(_apart(finding))
            for part in parts:
                also = _also(went=_name(part.old) in went, came=_name(part.new) in came)
                listed.append(replace(part, also=(*part.also, *also)))
        else:
            listed.append(finding)
    for name in sorted((went | came) - known):
        effect = Compatibility.COMPATIBLE
        if name in went and name not in inline:
            effect = Compatibility.BREAKING
        kind = "symbol-removed" if name in went else "symbol-added"
        commit = _turn(history, name, came=name in came)
        listed.append(_finding(kind, effect, old.get(name), new.get(name), commit))
    for name in sorted(old.keys() & new.keys()):
        gpl = _for_gpl(new[name].type)
        if _for_gpl(old[name].type) != gpl:
            # It breaks the modules under another licence, and no other.
            effect = Compatibility.UNKNOWN if gpl else Compatibility.COMPATIBLE
            commit = _turn(history, name, came=True, gpl=gpl)
            listed.append(_finding("symbol-retyped", effect, old[name], new[name], commit))
    return listed


def _apart(finding: Finding) -> Iterator[Finding]:
    """Take a rename apart, where the new name is no replacement for whom the old one served."""
    if not finding.kind.endswith("-renamed") or finding.old is None or finding.new is None:
        yield finding
        return
    yield replace(
        finding,
        kind=f"{finding.old.what.value}-removed",
        compatibility=Compatibility.BREAKING,
        new=None,
        new_name=None,
        new_header=None,
        also=(),
        signals=("its new name is not exported", *finding.signals),
        replacements=(finding.new.shown, *finding.replacements),
    )
    yield Finding(
        f"{finding.new.what.value}-added",
        finding.new.shown,
        Compatibility.COMPATIBLE,
        finding.new.header,
        new=finding.new,
        condition=" && ".join(finding.new.condition) or None,
        commit=finding.commit,
        steps=finding.steps,
    )


def _name(declaration: Declaration | None) -> str:
    """Return the name a symbol could have; structs and fields are none."""
    return declaration.name if declaration is not None and declaration.key[0] == "name" else ""


def _also(*, went: bool, came: bool) -> tuple[str, ...]:
    if went and came:
        return ("symbol-renamed",)
    if went:
        return ("symbol-removed",)
    return ("symbol-added",) if came else ()


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

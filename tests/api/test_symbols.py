# SPDX-License-Identifier: GPL-2.0-or-later
"""Exported symbols: what came, went, or became one for GPL modules only."""

from __future__ import annotations

from kbisect.api import symbols
from kbisect.api.declarations import Declaration
from kbisect.api.extraction import extract
from kbisect.api.findings import Compatibility, Finding


def exported(*words: str) -> dict[str, Declaration]:
    return symbols.declared(("net/core/a.c", n, f"{word};") for n, word in enumerate(words, 1))


def test_exports_that_went_came_or_changed_their_licence_are_told_with_their_commits() -> None:
    old = exported("EXPORT_SYMBOL(stays)", "EXPORT_SYMBOL(goes)", "EXPORT_SYMBOL(closes)")
    new = exported("EXPORT_SYMBOL(stays)", "EXPORT_SYMBOL_GPL(closes)", "EXPORT_SYMBOL(comes)")
    history = [
        *symbols.exports("c1", [b"EXPORT_SYMBOL(goes);"], [b"EXPORT_SYMBOL(comes);"]),
        *symbols.exports("c2", [b"EXPORT_SYMBOL(closes);"], [b"EXPORT_SYMBOL_GPL(closes);"]),
    ]
    found = {f.name: f for f in symbols.compare(old, new, (), history)}
    assert {name: (f.kind, f.commit) for name, f in found.items()} == {
        "goes": ("symbol-removed", "c1"),
        "comes": ("symbol-added", "c1"),
        "closes": ("symbol-retyped", "c2"),
    }
    assert found["closes"].compatibility is Compatibility.UNKNOWN


def test_what_went_with_its_declaration_is_told_once() -> None:
    gone = Finding("function-removed", "goes", Compatibility.BREAKING, "include/net/a.h")
    assert list(symbols.compare(exported("EXPORT_SYMBOL(goes)"), {}, (gone,))) == []


def test_an_export_that_moves_to_another_file_is_no_change() -> None:
    here = exported("EXPORT_SYMBOL(moves)")
    there = symbols.declared([("net/ipv4/b.c", 7, "EXPORT_SYMBOL(moves);")])
    assert list(symbols.compare(here, there, ())) == []


def test_only_sources_export() -> None:
    assert symbols.declared([("net/core/a.h", 1, "EXPORT_SYMBOL(x)")]) == {}
    assert symbols.declared([("net/core/a.c", 1, " * EXPORT_SYMBOL(x)")]) == {}


def test_an_export_that_went_as_its_function_became_inline_breaks_nobody() -> None:
    header = extract(
        "include/net/a.h",
        b"static inline int shrinks(int a)\n{\n\treturn a;\n}\n#define becomes(a) (a)\n",
    )
    names = symbols.inline([one] for one in header.declarations)
    old = exported("EXPORT_SYMBOL(shrinks)", "EXPORT_SYMBOL(becomes)", "EXPORT_SYMBOL(goes)")
    effects = {f.name: f.compatibility for f in symbols.compare(old, {}, (), (), names)}
    assert effects == {
        "shrinks": Compatibility.COMPATIBLE,
        "becomes": Compatibility.COMPATIBLE,
        "goes": Compatibility.BREAKING,
    }

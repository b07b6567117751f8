# SPDX-License-Identifier: GPL-2.0-or-later
"""Exported symbols: what came, went, or became one for GPL modules only."""

from __future__ import annotations

from kbisect.api import symbols
from kbisect.api.declarations import Declaration, What
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


def test_what_went_or_came_with_its_declaration_is_told_with_it() -> None:
    def declared(name: str) -> Declaration:
        return Declaration(What.FUNCTION, name, "", "include/net/a.h", 1, f"int {name}(void)")

    def finding(kind: str, old: Declaration | None, new: Declaration | None) -> Finding:
        return Finding(kind, "f", Compatibility.BREAKING, "include/net/a.h", old=old, new=new)

    goes, comes, own = declared("goes"), declared("comes"), declared("own")
    old, new = exported("EXPORT_SYMBOL(goes)"), exported("EXPORT_SYMBOL(comes)")
    for told, also in (
        ([finding("function-renamed", goes, comes)], [("symbol-renamed",)]),
        (
            [finding("function-removed", goes, None), finding("function-added", None, comes)],
            [("symbol-removed",), ("symbol-added",)],
        ),
    ):
        assert [each.also for each in symbols.compare(old, new, told)] == also
    # Linux kernel commit 4417da668c00 (in v2.6.23) called dev_mc_upload() dev_set_rx_mode(), which
    # modules can't call.
    renamed = finding("function-renamed", goes, own)
    gone, came = symbols.compare(old, {}, [renamed])
    assert (gone.kind, gone.also, gone.replacements) == (
        "function-removed",
        ("symbol-removed",),
        ("own",),
    )
    assert (came.kind, came.name, came.also) == ("function-added", "own", ())
    # Whoever compiles against a header that defines it needs no export.
    (still,) = symbols.compare(old, {}, [renamed], (), {"own"})
    assert (still.kind, still.also) == ("function-renamed", ("symbol-removed",))


def test_a_struct_is_no_symbol_of_its_name() -> None:
    tag = Declaration(What.STRUCT, "goes", "", "include/net/a.h", 1, "struct goes")
    gone = Finding("struct-removed", "struct goes", Compatibility.BREAKING, "a.h", old=tag)
    found = symbols.compare(exported("EXPORT_SYMBOL(goes)"), {}, (gone,))
    assert [each.kind for each in found] == ["struct-removed", "symbol-removed"]


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

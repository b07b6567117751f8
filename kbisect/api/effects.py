# SPDX-License-Identifier: GPL-2.0-or-later
"""What the difference of two declarations does to code that uses the old one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kbisect.api.annotations import same_but_annotation
from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import Compatibility

_CALLABLE = {What.FUNCTION, What.MACRO}


def changes(old: Declaration, new: Declaration) -> Iterator[tuple[str, Compatibility]]:
    """Tell what a user of the declaration notices, where it stands left out."""
    if old.what is not new.what:
        yield "kind-changed", _kind_effect(old, new)
        return
    if old.what is What.MACRO:
        if old.signature != new.signature and (old.parameters is None) == (new.parameters is None):
            yield "macro-signature", Compatibility.BREAKING
        elif old.signature != new.signature:
            # `#define f g` and `#define f(a) g(a)` are called alike.
            yield "macro-signature", Compatibility.UNKNOWN
        return
    if old.what is What.FUNCTION or (
        old.what is What.FIELD and old.parameters is not None and new.parameters is not None
    ):
        word = "function-signature" if old.what is What.FUNCTION else "callback-signature"
        if (old.type, old.parameters) != (new.type, new.parameters):
            yield word, _signature_effect(old, new)
        elif old.sparse != new.sparse:
            yield word, Compatibility.ANNOTATION_ONLY
        return
    if old.what in (What.FIELD, What.TYPEDEF):
        if (old.type, old.parameters) != (new.type, new.parameters):
            same = old.parameters == new.parameters and same_but_annotation(old.type, new.type)
            effect = Compatibility.ANNOTATION_ONLY if same else Compatibility.BREAKING
            yield f"{old.what.value}-retyped", effect
        elif old.sparse != new.sparse:
            yield f"{old.what.value}-retyped", Compatibility.ANNOTATION_ONLY


def _kind_effect(old: Declaration, new: Declaration) -> Compatibility:
    if {old.what, new.what} == _CALLABLE:
        function, macro = (old, new) if old.what is What.FUNCTION else (new, old)
        if macro.parameters is None:
            return Compatibility.COMPATIBLE if macro.type else Compatibility.UNKNOWN
        variadic = any("..." in name for name in macro.parameters)
        count = len(function.parameters or ())
        same = variadic or count == len(macro.parameters)
        return Compatibility.COMPATIBLE if same else Compatibility.BREAKING
    if {old.what, new.what} == {What.MACRO, What.ENUMERATOR}:
        return Compatibility.COMPATIBLE
    return Compatibility.BREAKING


def _signature_effect(old: Declaration, new: Declaration) -> Compatibility:
    mine, yours = old.parameters or (), new.parameters or ()
    if len(mine) != len(yours):
        return Compatibility.BREAKING
    types = [(old.type, new.type), *zip(mine, yours, strict=True)]
    if all(same_but_annotation(one, other) for one, other in types):
        return Compatibility.ANNOTATION_ONLY
    if old.what is What.FUNCTION:
        looser = all(
            same_but_annotation(one, other.replace("const ", "", 1)) for one, other in types[1:]
        )
        if looser and (old.type == "void" or same_but_annotation(old.type, new.type)):
            return Compatibility.COMPATIBLE
    return Compatibility.BREAKING


_ORDER = (
    Compatibility.COMPATIBLE,
    Compatibility.ANNOTATION_ONLY,
    Compatibility.UNKNOWN,
    Compatibility.BREAKING,
)


def worse(one: Compatibility, other: Compatibility) -> Compatibility:
    """Return the effect that breaks more."""
    return max(one, other, key=_ORDER.index)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a header declares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kbisect.api.conditions import Condition


class What(Enum):
    """The sorts of declaration that the API is made of."""

    FIELD = "field"
    FUNCTION = "function"
    MACRO = "macro"
    STRUCT = "struct"
    UNION = "union"
    ENUM = "enum"
    ENUMERATOR = "enumerator"
    TYPEDEF = "typedef"
    HEADER = "header"
    SYMBOL = "symbol"


_TAGS = {What.STRUCT, What.UNION, What.ENUM}


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declaration as a header has it.

    Attributes
    ----------
    what : What
    name : str
        `skb_pad`, `sk_buff`; of a field the path inside its struct, `u.dst` (anonymous members
        have no name and so no place in it).
    owner : str
        The struct or union a field belongs to, the enum of an enumerator; empty else.
    header : str
        Path in the tree.
    line : int
        1-based.
    text : str
        The declaration in one line, annotations included.
    type : str
        Type of a field or typedef, return type of a function or callback, body of a macro.
    parameters : tuple of str, or None
        Parameter types of a function or callback, parameter names of a function-like macro.
    sparse : tuple of str
        The annotations for sparse in it, sorted.
    condition : tuple of str
        The terms of the `#if` lines around it, all of which must hold.
    """

    what: What
    name: str
    owner: str
    header: str
    line: int
    text: str
    type: str = ""
    parameters: tuple[str, ...] | None = None
    sparse: tuple[str, ...] = ()
    condition: Condition = ()

    @property
    def key(self) -> tuple[str, str]:
        """The C name space and the name in it: two declarations of one key are one thing."""
        if self.what is What.FIELD:
            return ("field", f"{self.owner}.{self.name}")
        if self.what is What.SYMBOL:  # exported, whether a header declares it or not
            return ("symbol", self.name)
        return ("tag" if self.what in _TAGS else "name", self.name)

    @property
    def shown(self) -> str:
        """The name as findings give it: `sk_buff.mac`, `skb_pad`, `struct tcp_func`."""
        if self.what is What.FIELD:
            return f"{self.owner}.{self.name}"
        if self.what in _TAGS:
            return f"{self.what.value} {self.name}"
        return self.name

    @property
    def signature(self) -> tuple[object, ...]:
        """What a user of it can notice, where it stands and under which condition left out."""
        if self.what is What.MACRO:  # what its arguments are called is its own affair
            return (self.what, None if self.parameters is None else len(self.parameters))
        return (self.what, self.type, self.parameters, self.sparse)


@dataclass(frozen=True, slots=True)
class Gap:
    """A span of a header that was not understood: nothing is known about what it declares."""

    header: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Header:
    """All that one header declares, in its order.

    `includes` holds the names on its `#include` lines.
    """

    path: str
    declarations: tuple[Declaration, ...]
    gaps: tuple[Gap, ...] = ()
    includes: tuple[str, ...] = ()

# SPDX-License-Identifier: GPL-2.0-or-later
"""One change of the API, with its evidence. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kbisect.api.declarations import Declaration


class Compatibility(Enum):
    """What a change does to source code that uses the old declaration."""

    BREAKING = "breaking"
    COMPATIBLE = "compatible"
    ANNOTATION_ONLY = "annotation-only"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CallerChange:
    """What callers became: so many lines with `use` (`nh.iph`) now have `became` (`ip_hdr`).

    `became` ends with `()` when it is called. `commit` is the one that changed most of them.
    """

    use: str
    became: str
    count: int
    commit: str


@dataclass(frozen=True, slots=True)
class Caution:
    """Why the new declaration can't just be put in the old one's place, and since which commit."""

    text: str
    commit: str | None


@dataclass(frozen=True, slots=True)
class UsesLeft:
    """Lines of a tree that use an old name still, comments and strings not counted.

    Attributes
    ----------
    certain : lines that use what the old declaration was: of a member, by the type of the object
    possible : those, and lines whose name may be of something else, in files that could mean it
    """

    certain: int
    possible: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One change between two versions. See DESIGN, section 4, for the words of `kind`.

    Attributes
    ----------
    kind, also : the change, and what changed with it
    name, new_name : as findings name things (`sk_buff.mac`, `struct tcp_func`, a header's path)
    old, new : the declarations, None where there is none
    header, new_header : paths; new_header only where it is another one
    commit : full oid of the commit that made the change, None when unknown
    steps : oids of all commits of the range that changed either declaration, oldest first
    release : the first release that contains it, None when unknown
    confidence : 0 to 1 for what was inferred (renames, moves), 1 for what was read
    signals : the evidence, strongest first
    replacements : names that callers were moved to, most used first
    call_sites : number of lines in the range's patches that gave the old name up
    callers : the same by use
    uses_left : of a name that went, where a tree was asked; None else
    """

    kind: str
    name: str
    compatibility: Compatibility
    header: str
    old: Declaration | None = None
    new: Declaration | None = None
    new_name: str | None = None
    new_header: str | None = None
    also: tuple[str, ...] = ()
    condition: str | None = None
    old_condition: str | None = None
    commit: str | None = None
    steps: tuple[str, ...] = ()
    release: str | None = None
    confidence: float = 1.0
    signals: tuple[str, ...] = ()
    replacements: tuple[str, ...] = ()
    call_sites: int = 0
    callers: tuple[CallerChange, ...] = ()
    caution: Caution | None = None
    uses_left: UsesLeft | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kind and the rest of it."""
        return (self.kind, *self.also)

    @property
    def struct(self) -> str | None:
        """The struct or union it is about, if it is about one."""
        for declaration in (self.old, self.new):
            if declaration is not None and declaration.key[0] == "field":
                return declaration.owner
            if declaration is not None and declaration.key[0] == "tag":
                return declaration.name
        return None

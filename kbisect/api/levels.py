# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands open at a place of a header: its conditionals, and the include guard. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kbisect.api import conditions
from kbisect.api.conditions import Condition


@dataclass(slots=True)
class Level:
    """One open `#if`.

    `before` are the negations of the branches passed, `depth` is that of the braces at the `#if`,
    `depth_after` what its first branch leaves; `cuts` says that it began inside a declaration.
    """

    condition: Condition | None
    depth: int
    cuts: bool
    skipping: bool
    around: Condition | None
    guard: bool = False
    before: Condition | None = ()
    depth_after: int | None = None

    @property
    def fields(self) -> tuple[Any, ...]:
        """All of it, in the order of the class."""
        return (
            *(self.condition, self.depth, self.cuts, self.skipping),
            *(self.around, self.guard, self.before, self.depth_after),
        )

    @property
    def total(self) -> Condition | None:
        if self.guard:
            return self.around
        return conditions.join((self.around, self.before, self.condition))


# Past these, input is no header any more; what counts then is to end.
MAX_LEVELS = 100
MAX_TERMS = 100


@dataclass(frozen=True, slots=True)
class State:
    """What stands open between two outermost declarations.

    Attributes
    ----------
    levels : the conditionals that are open
    guard : the name of the include guard, once it was seen
    begun : whether there was anything but comments
    """

    levels: tuple[tuple[Any, ...], ...] = ()
    guard: str = ""
    begun: bool = False


BEGIN = State()

# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of a function through the commits that changed them, one step after another. Pure.

Two commits of one release may change a function; a comparison of releases knows only the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kbisect.api import conversion
from kbisect.api.declarations import Declaration
from kbisect.api.findings import Compatibility, Finding
from kbisect.api.lives import Life, Version


def count(declaration: Declaration) -> int | None:
    """Return how many arguments a call has; None where it has none or any number."""
    listed = declaration.parameters
    if listed is None or any("..." in each for each in listed):
        return None
    return 0 if listed == ("void",) else len(listed)


def takes(declaration: Declaration, line: str) -> bool:
    """Whether a line's call of a function has as many arguments as that wants."""
    given = conversion.call(line, declaration.name)
    wanted = count(declaration)
    return given is None or wanted is None or wanted == len(given[2])


def steps(life: Life, given: int) -> list[Finding]:
    """Return the changes since a function last took so many arguments, the oldest first.

    Empty where it never took as many, or takes them still.
    """
    listed = life.versions
    begun = [
        at
        for at, (one, other) in enumerate(pairwise(listed))
        if count(one.declaration) == given and count(other.declaration) not in (given, None)
    ]
    return [_step(*pair) for pair in pairwise(listed[begun[-1] :])] if begun else []


def _step(before: Version, after: Version) -> Finding:
    old, new = before.declaration, after.declaration
    return Finding(
        f"{old.what.value}-signature",
        old.name,
        Compatibility.BREAKING,
        old.header,
        old,
        new,
        commit=after.commit,
        release=after.release,
    )


def current(lives: Sequence[Life]) -> Life | None:
    """Return the life that hasn't ended."""
    return next((life for life in lives if life.until is None), None)

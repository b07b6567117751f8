# SPDX-License-Identifier: GPL-2.0-or-later
"""Several branches side by side: one row a fix, one column a branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kbisect.backport.candidates import Survey
from kbisect.backport.fixes import Standing, Strength
from kbisect.history.store import Index


class Cell(StrEnum):
    """What a fix is to one branch."""

    BASE = "in base"
    PRESENT = "present"
    MISSING = "missing"
    MAYBE = "maybe missing"
    UNAFFECTED = "unaffected"
    SET_ASIDE = "set aside"
    NONE = "no fix here"


@dataclass(frozen=True, slots=True)
class Row:
    """A fix over the branches.

    Attributes
    ----------
    cells : one a branch, in the order given
    regression : an older branch has it, a newer one lacks it: an upgrade brings the bug back
    """

    oid: str
    subject: str
    cells: tuple[Cell, ...]
    regression: bool


def rows(index: Index, surveys: Sequence[Survey]) -> list[Row]:
    """Return the fixes that a branch misses, in upstream's order.

    Parameters
    ----------
    surveys : of the branches, oldest first, against one upstream
    """
    subjects = {each.oid: each.subject for one in surveys for each in one.candidates}
    contained = [index.graph.ancestors([index.number(one.branch)]) for one in surveys]
    columns = [_column(one) for one in surveys]
    found = []
    for oid in sorted(subjects, key=index.number):
        number = index.number(oid)
        cells = tuple(
            Cell.BASE if inside[number] else column.get(oid, Cell.NONE)
            for inside, column in zip(contained, columns, strict=True)
        )
        found.append(Row(oid, subjects[oid], cells, _regresses(cells)))
    return found


def _column(surveyed: Survey) -> dict[str, Cell]:
    cells = {
        each.oid: Cell.UNAFFECTED if each.standing is Standing.UNAFFECTED else Cell.SET_ASIDE
        for each in surveyed.excluded
    }
    cells |= {each.oid: Cell.PRESENT for each in surveyed.already}
    for each in surveyed.candidates:
        cells[each.oid] = Cell.MAYBE if each.strength is Strength.WEAK else Cell.MISSING
    return cells


def _regresses(cells: Sequence[Cell]) -> bool:
    had = False
    for cell in cells:
        if had and cell in {Cell.MISSING, Cell.MAYBE}:
            return True
        had = had or cell in {Cell.PRESENT, Cell.BASE}
    return False

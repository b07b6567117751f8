# SPDX-License-Identifier: GPL-2.0-or-later
"""Backport candidates as a page: states, reasons that fold out, and what must come before what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from kbisect.backport.candidates import Survey
from kbisect.backport.forecast import Forecast, State
from kbisect.backport.matrix import Cell, Row
from kbisect.history import releases as naming
from kbisect.report import backport, html
from kbisect.report.charts import Series, bars, element
from kbisect.report.strands import named, strands

Subject = Callable[[str], str]

WORDS = {
    State.CLEAN: ("applies", "good"),
    State.CLEAN_AFTER: ("applies after others", "good"),
    State.CONFLICT: ("conflict", "bad"),
    State.EMPTY: ("changes nothing", "warn"),
    State.MISSING: ("no such file here", "bad"),
}
"""What each state is called, and its tone."""
_TONES = {
    State.CLEAN: "c",
    State.CLEAN_AFTER: "e",
    State.CONFLICT: "b",
    State.EMPTY: "g",
    State.MISSING: "d",
}

CELLS = {
    Cell.MISSING: ("missing", "bad", "b"),
    Cell.MAYBE: ("maybe missing", "warn", "f"),
    Cell.PRESENT: ("backported", "good", "c"),
    Cell.BASE: ("in its base", "good", "e"),
    Cell.UNAFFECTED: ("unaffected", "", "g"),
    Cell.SET_ASIDE: ("set aside", "", "d"),
    Cell.NONE: ("no fix here", "", "g"),
}
"""What each cell of a matrix is called, its tone in the table and in the picture."""


def listing(
    surveyed: Survey, forecasts: Sequence[Forecast], subject: Subject, names: tuple[str, str]
) -> str:
    """Render a branch's missing fixes.

    Parameters
    ----------
    subject : a commit's first line by its oid
    names : of the branch and of upstream, as the user gave them
    """
    named = {each.candidate.release or "no release yet" for each in forecasts}
    releases = sorted(named, key=lambda name: naming.version(name) or (1 << 30,))
    series = [
        Series(
            _TONES[state],
            words,
            [
                sum(
                    each.state is state and (each.candidate.release or "no release yet") == release
                    for each in forecasts
                )
                for release in releases
            ],
        )
        for state, (words, _) in WORDS.items()
        if any(each.state is state for each in forecasts)
    ]
    return html.page(
        "backport_list.html",
        surveyed=surveyed,
        forecasts=forecasts,
        subject=subject,
        branch=names[0],
        upstream=names[1],
        legend=backport.LEGEND,
        column=backport.column,
        words=WORDS,
        known={each.candidate.oid for each in forecasts},
        states=bars(releases, series, "candidates by release and state, as in the table"),
        tones=[(each.tone, each.name) for each in series],
        order=order(forecasts, subject),
    )


def matrix(branches: Sequence[str], rows: Sequence[Row]) -> str:
    """Render several branches side by side: one row a fix, one column a branch."""
    held = {cell: [sum(row.cells[at] is cell for row in rows) for at in range(len(branches))]
            for cell in CELLS}  # fmt: skip
    series = [
        Series(tone, words, held[cell])
        for cell, (words, _, tone) in CELLS.items()
        if any(held[cell]) and cell not in {Cell.NONE, Cell.SET_ASIDE}
    ]
    return html.page(
        "backport_matrix.html",
        branches=branches,
        rows=rows,
        cells=CELLS,
        missing=held[Cell.MISSING],
        held=bars(branches, series, "fixes by branch, as in the table"),
        tones=[(each.tone, each.name) for each in series],
    )


def order(forecasts: Sequence[Forecast], subject: Subject) -> Markup | None:
    """Draw what must be taken before what; None if every candidate stands alone."""
    known = {each.candidate.oid: each for each in forecasts}
    below: dict[str, list[str]] = {oid: list(each.prerequisites) for oid, each in known.items()}
    mends: set[tuple[str, str]] = set()
    for oid, each in known.items():
        for later in each.candidate.followups:
            if later in below and oid not in below[later]:
                below[later].append(oid)
                mends.add((later, oid))
    tied = {oid for oid, needed in below.items() if needed}
    tied |= {needed for oid in tied for needed in below[oid]}
    if not tied:
        return None
    # What a candidate needs and is none itself comes first; candidates stand in upstream's order.
    shown = [*sorted(tied - known.keys()), *(oid for oid in known if oid in tied)]

    def row(oid: str, x: float, y: float, beside: float) -> Iterable[Markup]:
        forecast = known.get(oid)
        tone = _TONES[forecast.state] if forecast else "g"
        yield element("circle", class_=tone, cx=x, cy=y, r=5.5)
        words = [WORDS[forecast.state][0] if forecast else "no candidate itself"]
        words += [f"mends {other[:12]}" for later, other in mends if later == oid]
        yield named(oid, subject(oid), "; ".join(words), (beside, y))

    def dotted(child: str, parent: str) -> bool:
        return (child, parent) in mends

    return strands(
        {oid: below.get(oid, []) for oid in shown}, row, dotted, f"{len(shown)} commits, by need"
    )

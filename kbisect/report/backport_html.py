# SPDX-License-Identifier: GPL-2.0-or-later
"""Backport candidates as a page: states, reasons that fold out, and what must come before what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from kbisect.backport.candidates import Survey
from kbisect.backport.forecast import Forecast
from kbisect.history import releases as naming
from kbisect.report import backport, html
from kbisect.report.charts import Series, bars, element
from kbisect.report.strands import named, strands

Subject = Callable[[str], str]

WORDS = {
    "clean": ("applies", "good"),
    "clean-after": ("applies after others", "good"),
    "conflict": ("conflict", "bad"),
    "empty": ("changes nothing", "warn"),
    "file-missing": ("no such file here", "bad"),
}
"""What each state is called, and its tone."""
_TONES = {
    "clean": "c",
    "clean-after": "e",
    "conflict": "b",
    "empty": "g",
    "file-missing": "d",
}


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
                    each.state == state and (each.candidate.release or "no release yet") == release
                    for each in forecasts
                )
                for release in releases
            ],
        )
        for state, (words, _) in WORDS.items()
        if any(each.state == state for each in forecasts)
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

# SPDX-License-Identifier: GPL-2.0-or-later
"""Backport candidates as text, with Sasha Levin's [M|N][+|-][R] column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kbisect.backport.candidates import Candidate, Survey
from kbisect.backport.forecast import Forecast, State
from kbisect.report.terminal import PLAIN, Style, printable

LEGEND = "M tagged for stable, N not    + applies, - conflict    R mends what is here"


def column(forecast: Forecast) -> str:
    """Return `[M+R]`: tagged, applies, relevant."""
    tagged = "M" if forecast.candidate.tagged else "N"
    applies = "-" if forecast.conflicts else "+"
    return f"[{tagged}{applies}{'R' if forecast.candidate.targets else ' '}]"


def listing(
    surveyed: Survey,
    forecasts: Sequence[Forecast],
    subject: Callable[[str], str],
    names: tuple[str, str],
    style: Style = PLAIN,
) -> str:
    """Render a branch's missing fixes, in upstream's order, and the list's blind spot.

    Parameters
    ----------
    subject : oid → subject, for the commits that reasons name
    names : of the branch and of upstream, as the user gave them
    """
    branch, upstream = (printable(name) for name in names)
    grew = f" (grew from {surveyed.base})" if surveyed.base else ""
    lines = [style(f"{branch}{grew} against {upstream}", "bold"), LEGEND, ""]
    known = {forecast.candidate.oid for forecast in forecasts}
    for forecast in forecasts:
        lines.extend(_entry(forecast, known, subject, style))
    if not forecasts:
        lines.append("nothing is missing that the history marks as a fix")
    if surveyed.excluded:
        lines.append("")
        lines.append(style("Not to be taken", "bold"))
        lines.extend(
            f"  {item.oid[:12]} {printable(item.subject)}\n"
            f"       {item.standing.value}: {printable(item.why)}"
            for item in surveyed.excluded
        )
    lines += ["", *_counts(surveyed, [forecast.candidate for forecast in forecasts])]
    return "\n".join(lines) + "\n"


def _entry(
    forecast: Forecast, known: set[str], subject: Callable[[str], str], style: Style
) -> Iterable[str]:
    candidate = forecast.candidate
    mark = column(forecast)
    color = "yellow" if forecast.conflicts else "green"
    where = candidate.release or "no release yet"
    yield f"{style(mark, color)} {candidate.oid[:12]} {printable(candidate.subject)}   {where}"
    for reason in candidate.reasons:
        weak = "   (weak)" if reason.weak else ""
        yield f"       {printable(reason.text)}{weak}"
    if forecast.state is State.EMPTY:
        yield "       changes nothing here: its effect seems to be there already"
    if forecast.conflicts:
        yield f"       conflict {', '.join(map(printable, forecast.conflicts))}"
    if forecast.prerequisites:
        proved = "clean after (replayed)" if forecast.conflicts else "take first"
        yield f"       {proved}"
        for oid in forecast.prerequisites:
            also = "   (also a candidate)" if oid in known else ""
            yield f"         {oid[:12]} {printable(subject(oid))}{also}"
    elif forecast.blockers:
        first = ", ".join(oid[:12] for oid in forecast.blockers[:3])
        more = len(forecast.blockers) - 3
        yield f"       changed before it upstream: {first}" + (
            f" and {more} more" if more > 0 else ""
        )
    if candidate.followups:
        later = ", ".join(oid[:12] for oid in candidate.followups)
        yield f"       then also {later}, which mends it"


def _counts(surveyed: Survey, candidates: Sequence[Candidate]) -> Iterable[str]:
    tagged = sum(candidate.tagged for candidate in candidates)
    aimed = sum(bool(candidate.targets) for candidate in candidates)
    yield (
        f"{len(candidates)} candidates ({tagged} tagged for stable, {aimed} name what they mend),"
        f" {len(surveyed.already)} already here, {len(surveyed.excluded)} set aside,"
        f" of {surveyed.examined:,} upstream commits in scope."
    )
    yield "A fix that names neither its culprit nor stable isn't found: this can't be complete."
    yield '"Applies" is not "correct": build and test what you take.'
    if candidates:
        yield f"Next: kbisect show {candidates[0].oid[:12]}"

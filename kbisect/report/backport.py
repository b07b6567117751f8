# SPDX-License-Identifier: GPL-2.0-or-later
"""Backport candidates as text, with Sasha Levin's [E|M|N][+|-][R] column, and as JSON."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from kbisect.backport.candidates import Survey
from kbisect.backport.explanation import Explanation
from kbisect.backport.fixes import Candidate, Strength
from kbisect.backport.forecast import Forecast, State
from kbisect.backport.matrix import Cell, Row
from kbisect.backport.picking import Progress
from kbisect.backport.silent import Absent
from kbisect.report.terminal import PLAIN, Style, name, printable

LEGEND = (
    "M tagged for stable, E and on another branch, N not   + applies in its turn, - conflicts   "
    "R mends what is here"
)
Subject = Callable[[str], str]
_LENGTH = 120
"""Letters of a reason that a list quotes; `explain` quotes all."""
_NAMED = re.compile(r"\b[0-9a-f]{7,40}\b")
_MOST = 4
"""Of a candidate's prerequisites and absent names a list shows so many."""


def column(forecast: Forecast) -> str:
    """Return `[M+R]`: tagged, applies, relevant."""
    candidate = forecast.candidate
    tagged = ("E" if candidate.elsewhere else "M") if candidate.tagged else "N"
    applies = "+" if forecast.in_turn else "-"
    return f"[{tagged}{applies}{'R' if candidate.here else ' '}]"


def listing(
    surveyed: Survey,
    forecasts: Sequence[Forecast],
    subject: Subject,
    names: tuple[str, str],
    style: Style = PLAIN,
    *,
    everything: bool = False,
) -> str:
    """Render a branch's missing fixes, and the list's blind spot.

    Parameters
    ----------
    subject : oid → subject, for the commits that reasons name
    names : of the branch and of upstream, as the user gave them
    everything : also what is weak, and each that is set aside
    """
    branch, upstream = (printable(each) for each in names)
    grew = f" (grew from {surveyed.base})" if surveyed.base else ""
    lines = [style(f"{branch}{grew} against {upstream}", "bold"), LEGEND, ""]
    known = {forecast.candidate.oid for forecast in forecasts}
    shown = [each for each in forecasts if everything or not _weak(each.candidate)]
    for forecast in shown:
        lines.extend(_entry(forecast, known, subject, style))
    if not shown:
        lines.append("nothing is missing that the history marks as a fix")
    lines += _aside(surveyed, [each.candidate for each in forecasts], style, everything=everything)
    lines += ["", *_counts(surveyed, [forecast.candidate for forecast in forecasts], names)]
    return "\n".join(lines) + "\n"


def _weak(candidate: Candidate) -> bool:
    return candidate.strength is Strength.WEAK


def _quoted(text: str) -> str:
    """Cut a reason to a line's length, around the first commit that it names."""
    if len(text) <= _LENGTH:
        return text
    named = _NAMED.search(text)
    first = max(0, (named.start() if named else 0) - _LENGTH // 2)
    # At a sentence, if one begins in between; else at a word.
    sentence = text.rfind(". ", 0, named.start()) + 2 if named else 0
    first = sentence if sentence > max(1, first) else text.find(" ", first) + 1 if first else 0
    last = text.rfind(" ", first, first + _LENGTH)
    more = last > first and len(text) > first + _LENGTH
    return ("… " if first else "") + (f"{text[first:last]} …" if more else text[first:])


def _absent(names: Sequence[Absent], most: int | None) -> str:
    """Name what isn't there, in one line, by the commits that brought it."""
    brought: dict[str | None, list[str]] = {}
    for each in names[:most]:
        brought.setdefault(each.commit, []).append(printable(each.name))
    parts = (
        f"{', '.join(some)} ({f'{oid[:12]} brought it' if oid else 'not on the branch'})"
        for oid, some in brought.items()
    )
    more = len(names[most:]) if most else 0
    return "; ".join(parts) + (f"; and {more} more" if more else "")


def _entry(
    forecast: Forecast,
    known: set[str],
    subject: Subject,
    style: Style,
    most: int | None = _MOST,
) -> Iterable[str]:
    candidate = forecast.candidate
    mark = column(forecast)
    color = "yellow" if forecast.conflicts else "green"
    where = candidate.release or "no release yet"
    yield f"{style(mark, color)} {candidate.oid[:12]} {printable(candidate.subject)}   {where}"
    for reason in candidate.reasons:
        weak = "   (weak)" if reason.weak else ""
        yield f"       {printable(_quoted(reason.text) if most else reason.text)}{weak}"
    if candidate.doubt:
        yield f"       {printable(candidate.doubt)}   (weak)"
    if forecast.state is State.EMPTY:
        yield "       changes nothing here: its effect seems to be there already"
    if forecast.state is State.MISSING:
        yield f"       not on the branch: {', '.join(map(printable, forecast.conflicts))}"
    elif forecast.conflicts:
        yield f"       conflict {', '.join(map(printable, forecast.conflicts))}"
    if forecast.absent:
        proved = "applies, but uses" if not forecast.conflicts else "uses"
        yield f"       {proved} {_absent(forecast.absent, most)}"
    if forecast.prerequisites:
        proved = "clean after (replayed)" if forecast.conflicts else "take first"
        yield f"       {proved}"
        for oid in forecast.prerequisites[:most]:
            also = "   (also a candidate)" if oid in known else ""
            yield f"         {oid[:12]} {printable(subject(oid))}{also}"
        more = len(forecast.prerequisites[most:]) if most else 0
        if more:
            yield f"         and {more} more (explain {candidate.oid[:12]})"
    elif forecast.blockers:
        last = ", ".join(oid[:12] for oid in forecast.blockers[-3:])
        more = len(forecast.blockers) - 3
        yield f"       builds on lines of {last}" + (f" and {more} more" if more > 0 else "")
    if candidate.posting:
        last, more = candidate.posting[-1], len(candidate.posting) - 1
        others = f" and {more} more that are not here" if more else ", which is not here"
        yield f"       posted in one series behind {last[:12]}{others}"
    if candidate.followups:
        later = ", ".join(oid[:12] for oid in candidate.followups)
        mend = "mend" if len(candidate.followups) > 1 else "mends"
        yield f"       then also {later}, which {mend} it"


def _aside(
    surveyed: Survey, candidates: Sequence[Candidate], style: Style, *, everything: bool
) -> list[str]:
    """Say what isn't to be taken: one by one, or how many for which reason."""
    weak = [each for each in candidates if _weak(each)]
    if not surveyed.excluded and not weak:
        return []
    lines = ["", style("Not to be taken", "bold")]
    if everything:
        return lines + [
            f"  {item.oid[:12]} {printable(item.subject)}\n"
            f"       {item.standing.value}: {printable(item.why)}"
            for item in surveyed.excluded
        ]
    counts = Counter(item.standing.value for item in surveyed.excluded)
    counts += Counter(f"weak: {(each.doubt or 'prose alone').split(':')[0]}" for each in weak)
    taken = sum(bool(each.doubt and each.doubt.startswith("taken")) for each in weak)
    if taken:
        counts = Counter({k: v for k, v in counts.items() if not k.startswith("weak: taken as")})
        counts["weak: taken and reverted here"] = taken
    return [
        *lines,
        *(f"{count:8,}  {printable(why)}" for why, count in counts.most_common()),
        "  --all shows each",
    ]


def _counts(
    surveyed: Survey, candidates: Sequence[Candidate], names: tuple[str, str]
) -> Iterable[str]:
    firm = [each for each in candidates if not _weak(each)]
    tagged = sum(candidate.tagged for candidate in firm)
    aimed = sum(bool(candidate.targets) for candidate in firm)
    noun = "candidate" if len(firm) == 1 else "candidates"
    yield (
        f"{len(firm):,} {noun} ({tagged} tagged for stable, {aimed} name what they mend),"
        f" {len(candidates) - len(firm)} weak, {len(surveyed.already)} already here,"
        f" {len(surveyed.excluded)} set aside, of {surveyed.examined:,} upstream commits in"
        f" {looked_in(surveyed)}."
    )
    if surveyed.outside:
        yield f"{surveyed.outside:,} that touch nothing there were not looked at, fixes among them."
    if not surveyed.tags:
        yield "Tags are rare in this history: this list cannot be complete."
    yield "A fix that names neither its culprit nor stable isn't found: this can't be complete."
    yield '"Applies" is not "correct": build and test what you take.'
    if firm:
        branch, upstream = (printable(shlex.quote(each)) for each in names)
        yield f"Next: kbisect backport explain {firm[0].oid[:12]} {branch} --upstream {upstream}"


def looked_in(surveyed: Survey) -> str:
    """Return the folders that count."""
    folders = ", ".join(map(printable, surveyed.looked_in))
    return folders or "the network folders and headers"


def news(
    surveyed: Survey,
    forecasts: Sequence[Forecast],
    subject: Subject,
    *,
    first: bool,
    style: Style = PLAIN,
) -> str:
    """Render what is new since the last look."""
    if first:
        return (
            f"first look: {len(surveyed.candidates):,} candidates; the next one tells what is new\n"
        )
    if not forecasts:
        return "nothing new\n"
    known = {forecast.candidate.oid for forecast in forecasts}
    lines = [style(f"{len(forecasts)} new", "bold"), LEGEND, ""]
    for forecast in forecasts:
        lines.extend(_entry(forecast, known, subject, style))
    return "\n".join(lines) + "\n"


def explanation(found: Explanation, subject: Subject, branch: str, style: Style = PLAIN) -> str:
    """Render the whole reasoning for one commit."""
    lines = [style(name(found.oid, found.subject), "bold")]
    lines.append(f"{printable(branch)}: {found.verdict.value}: {printable(found.why)}")
    if found.forecast:
        lines += _entry(found.forecast, set(), subject, style, most=None)
        candidate = found.forecast.candidate
        for target in dict.fromkeys(candidate.here):
            lines.append(f"       here: {name(target, subject(target))}")
        for target in candidate.coming:
            lines.append(f"       not here, a candidate itself: {name(target, subject(target))}")
        lines.append(f"       strength {found.forecast.candidate.strength.value}")
    if found.match:
        lines.append(f"  {name(found.match.on_branch, subject(found.match.on_branch))}")
    if found.removal:
        lines.append(
            f"  taken as {name(found.removal.on_branch, subject(found.removal.on_branch))},"
            f" reverted here by {name(found.removal.by, subject(found.removal.by))}"
        )
    return "\n".join(lines) + "\n"


_CELLS = {
    Cell.BASE: "base",
    Cell.PRESENT: "yes",
    Cell.MISSING: "MISSING",
    Cell.MAYBE: "maybe",
    Cell.UNAFFECTED: "-",
    Cell.SET_ASIDE: "aside",
    Cell.NONE: ".",
}


def matrix(branches: Sequence[str], rows: Sequence[Row], style: Style = PLAIN) -> str:
    """Render one row a fix, one column a branch; errors stand out."""
    widths = [max(7, len(branch)) for branch in branches]
    head = "  ".join(b.ljust(w) for b, w in zip(map(printable, branches), widths, strict=True))
    lines = [style(f"   {'':12}  {head}", "bold")]
    for row in rows:
        cells = "  ".join(_CELLS[c].ljust(w) for c, w in zip(row.cells, widths, strict=True))
        mark = style("!! ", "red") if row.regression else "   "
        lines.append(f"{mark}{row.oid[:12]}  {cells}  {printable(row.subject)}")
    wrong = sum(row.regression for row in rows)
    lines += [
        "",
        "base: grew from it   yes: backported   maybe: weak   -: unaffected   aside: set aside"
        "   .: no fix there",
        f"{len(rows):,} fixes; !! {wrong:,} that an older branch has and a newer one lacks:"
        " an upgrade brings the bug back.",
    ]
    return "\n".join(lines) + "\n"


def progress(now: Progress, worktree: Path, style: Style = PLAIN) -> str:
    """Render how far a branch is, and what to do next."""
    lines = [f"{printable(now.name)}: {len(now.picked)} picked, {len(now.skipped)} left out"]
    if now.done:
        lines.append(f"Next: git log --oneline {now.start[:12]}..{printable(now.name)}")
    else:
        lines += [
            style(f"conflict: {now.todo[0][:12]}, {len(now.todo) - 1} behind it", "yellow"),
            f"  in {', '.join(map(printable, now.conflicts))}",
            f"  resolve it in {printable(str(worktree))}, and git add",
            f"Next: kbisect backport pick --branch {printable(now.name)} --continue (or --skip)",
        ]
    return "\n".join(lines) + "\n"


def dropped(name: str) -> str:
    """Render that a branch is no longer being made."""
    return f"dropped {printable(name)}\n"


def table(forecasts: Iterable[Forecast]) -> str:
    """Return a list as CSV, the weak too: one row a candidate, its reasons joined by `; `."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["oid", "subject", "strength", "state", "applies", "reasons"])
    for one in forecasts:
        candidate = one.candidate
        why = "; ".join(printable(reason.text) for reason in candidate.reasons)
        applies = "yes" if one.in_turn else "no"
        rows.writerow(
            [
                *(candidate.oid, printable(candidate.subject), candidate.strength.value),
                *(one.state.value, applies, why),
            ]
        )
    return text.getvalue()


def content(surveyed: Survey, forecasts: Iterable[Forecast]) -> dict[str, object]:
    """Return the JSON of a list."""
    return {
        "branch": surveyed.branch,
        "upstream": surveyed.upstream,
        "base": surveyed.base,
        "candidates": [entry(one) for one in forecasts],
        "already": [
            {"oid": each.oid, "as": each.on_branch, "evidence": each.evidence}
            for each in surveyed.already
        ],
        "removed": surveyed.removals,
        "excluded": surveyed.excluded,
        "examined": surveyed.examined,
        "tags": surveyed.tags,
    }


def entry(one: Forecast) -> dict[str, object]:
    """Return the JSON of one candidate."""
    return {
        "oid": one.candidate.oid,
        "subject": one.candidate.subject,
        "release": one.candidate.release,
        "strength": one.candidate.strength,
        "doubt": one.candidate.doubt,
        "elsewhere": one.candidate.elsewhere,
        "column": column(one),
        "state": one.state,
        "reasons": one.candidate.reasons,
        "prerequisites": one.prerequisites,
        "followups": one.candidate.followups,
        "posting": one.candidate.posting,
        "coming": one.candidate.coming,
        "conflicts": one.conflicts,
        "blockers": one.blockers,
        "absent": one.absent,
    }


def explained(found: Explanation) -> dict[str, object]:
    """Return the JSON of an explanation."""
    return {
        "oid": found.oid,
        "subject": found.subject,
        "verdict": found.verdict,
        "why": found.why,
        "candidate": found.forecast and entry(found.forecast),
        "already": found.match,
        "excluded": found.excluded,
        "removed": found.removal,
    }


def progressed(now: Progress, worktree: Path) -> dict[str, object]:
    """Return the JSON of a branch being made."""
    return asdict(now) | {"done": now.done, "worktree": worktree if now.stopped else None}

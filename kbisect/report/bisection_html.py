# SPDX-License-Identifier: GPL-2.0-or-later
"""A bisection as a page: the verdict, the range, the belief, the time, what the runs printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from kbisect.bisect.course import Course, Landmark, Moment
from kbisect.bisect.events import Outcome, Tested
from kbisect.bisect.verdict import Verdict
from kbisect.report import bisection, fixes, html
from kbisect.report.charts import element, line, picture, rect, text
from kbisect.report.strands import named, strands
from kbisect.report.terminal import name

if TYPE_CHECKING:
    from kbisect.lab.account import Account, Kept
    from kbisect.lab.fixed import Fixed

_TONE = {Verdict.GOOD: "good", Verdict.BAD: "bad", Verdict.SKIP: "skipped"}
# What colours a terminal; a page has colours of its own.
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\r(?=\n)")


def page(
    account: Account, fixed: Fixed | None, journal: str, log: str, subject: Callable[[str], str]
) -> str:
    """Render the page of a campaign, ended or open.

    Parameters
    ----------
    fixed : what is known of fixes of the culprit
    journal : the path of its file
    log : as `git bisect replay` reads it
    subject : a commit's first line by its oid
    """
    result, course = account.result, account.course

    def names(oid: str) -> str:
        return name(oid, subject(oid))

    return html.page(
        "bisection.html",
        account=account,
        result=result,
        course=course,
        headline=headline(account, subject),
        counts=bisection.counts(result),
        duration=bisection.duration,
        subject=subject,
        graph=graph(course, account, subject) if course else None,
        belief=belief(course, subject) if course else None,
        clock=timeline(account.runs, subject),
        already=fixes.already(fixed, names) if fixed else [],
        journal=journal,
        log=log,
        console=_console,
    )


def headline(account: Account, subject: Callable[[str], str]) -> str:
    """Say the answer in one line."""
    result = account.result
    if result.culprit is not None:
        what = "is the commit that ended it" if result.find_fix else "is the first bad commit"
        return f'{result.culprit[:12]} ("{subject(result.culprit)}") {what}'
    if result.outcome is None and account.course is None:
        return "The search is open: an end is missing"
    if result.outcome is None:
        return f"The search is open: {bisection.count(len(result.suspects), 'suspect')} left"
    if result.outcome is Outcome.RANGE:
        return f"The first bad commit is one of {len(result.suspects):,}"
    return {
        Outcome.NO_CULPRIT: "No commit of the range is the culprit",
        Outcome.NOT_REPRODUCED: "The failure was not reproduced",
        Outcome.UNRESOLVED: "No culprit could be named",
    }.get(result.outcome, "The search was given up")


# --- the range ------------------------------------------------------------------------------------


def graph(course: Course, account: Account, subject: Callable[[str], str]) -> Markup:
    """Draw the landmarks of a range, newest above, with what was found at each."""
    known = {mark.oid: mark for mark in course.landmarks}

    def row(oid: str, x: float, y: float, beside: float) -> Iterable[Markup]:
        return _landmark(known[oid], account, subject(oid), (x, y), beside)

    def dotted(child: str, parent: str) -> bool:
        return known[child].between > 0 or known[parent].place < 0

    what = f"{len(known)} of {course.size:,} commits; every test is listed in the table Every run"
    return strands({oid: mark.parents for oid, mark in known.items()}, row, dotted, what)


def _landmark(
    mark: Landmark, account: Account, subject: str, at: tuple[float, float], beside: float
) -> Iterable[Markup]:
    (x, y), state, result = at, account.state, account.result
    runs = [run for run in state.answers if run.oid == mark.oid and not _elsewhere(run)]
    said = {verdict: sum(run.verdict is verdict for run in runs) for verdict in Verdict}
    held = max(
        (verdict for verdict in Verdict if said[verdict]), key=lambda each: said[each], default=None
    )
    if held is None and mark.place < 0:
        held = Verdict.BAD if state.started.find_fix else Verdict.GOOD
    if mark.oid == result.culprit:
        yield element("circle", class_="line bad", cx=x, cy=y, r=10)
    yield sign(held, x, y)
    words = []
    if mark.oid == result.culprit:
        words.append("this ended it" if result.find_fix else "culprit")
    elif mark.oid in result.suspects:
        words.append("suspect")
    if mark.place < 0:
        words.append("older end")
    elif mark.place == (account.course.size if account.course else 0) - 1:
        words.append("newer end")
    if sum(said.values()) > 1:
        words.append(", ".join(f"{n} {verdict}" for verdict, n in said.items() if n))
    elif held is not None:
        words.append(str(held))
    if mark.between:
        words.append(f"+{mark.between:,}")
    is_culprit = mark.oid == result.culprit
    yield named(mark.oid, subject, "; ".join(words), (beside, y), strong=is_culprit)


def sign(verdict: Verdict | None, x: float, y: float) -> Markup:
    """Return a verdict's sign: a dot is good, a triangle bad, a ring skipped, small untested."""
    if verdict is Verdict.BAD:
        points = f"{x},{y - 6} {x + 6},{y + 5} {x - 6},{y + 5}"
        return element("polygon", class_="bad", points=points)
    if verdict is Verdict.SKIP:
        return element("circle", class_="ring", cx=x, cy=y, r=4.5)
    if verdict is Verdict.GOOD:
        return element("circle", class_="good", cx=x, cy=y, r=5.5)
    return element("circle", class_="g", cx=x, cy=y, r=3)


def _elsewhere(answer: object) -> bool:
    """Whether a run was made with a commit taken back, so that it doesn't speak of this one."""
    return isinstance(answer, Tested) and answer.reverted is not None


# --- the belief -----------------------------------------------------------------------------------

_CELL, _NAMES, _FIELD = 22, 190, 620


def belief(course: Course, subject: Callable[[str], str]) -> Markup:
    """Draw the belief after each answer: dark is where the culprit is most likely to be."""
    right = _NAMES + _FIELD
    head, height = 26, 26 + len(course.moments) * _CELL + 22
    shapes = [
        text(_NAMES, 16, "older end", "dim"),
        text(right, 16, "newer end", "dim end"),
        text(right + 14, 16, "suspects left", "dim"),
    ]
    most = max(moment.suspects for moment in course.moments)
    for number, moment in enumerate(course.moments):
        shapes += _moment(number, moment, head + number * _CELL, most, subject)
    return picture(right + 210, height, "the belief after each answer, as in Every answer", shapes)


def _moment(
    number: int, moment: Moment, y: float, most: int, subject: Callable[[str], str]
) -> Iterable[Markup]:
    middle, right, answer = y + _CELL / 2, _NAMES + _FIELD, moment.answer
    if answer is None:
        yield text(0, middle + 4, "beforehand", "dim")
    else:
        yield text(24, middle + 4, f"{number}", "dim end")
        yield sign(answer.verdict, 40, middle)
        hint = element("title", subject(answer.oid))
        yield element("text", hint, answer.oid[:12], class_="mono", x=56, y=middle + 4)
    yield rect(_NAMES, y + 2, _FIELD, _CELL - 4, "ground")
    wide = _FIELD / len(moment.bands)
    top = max(float(moment.bands.max()), 1e-9)
    for at, mass in enumerate(moment.bands.tolist()):
        if mass > 5e-4:
            hint = element("title", f"{mass:.1%} of the belief")
            yield element(
                "rect", hint, class_="a", x=f"{_NAMES + at * wide:.1f}", y=y + 2,
                width=f"{max(wide, 2):.1f}", height=_CELL - 4,
                fill_opacity=f"{0.12 + 0.88 * (mass / top) ** 0.5:.2f}",
            )  # fmt: skip
    if answer is not None and moment.place is not None:
        x = _NAMES + moment.place * _FIELD
        yield line([(x, y), (x, y + _CELL)], "line ink")
        yield sign(answer.verdict, x, middle)
    share = 0.0 if most <= 1 else (moment.suspects.bit_length() - 1) / max(1, most.bit_length() - 1)
    yield rect(right + 14, y + 5, 2 + 90 * share, _CELL - 10, "e")
    yield text(right + 24 + 90 * share, middle + 4, f"{moment.suspects:,}")


# --- the time -------------------------------------------------------------------------------------

_LINE, _SPAN, _WORKER = 26, 800, 110


def timeline(runs: Sequence[Kept], subject: Callable[[str], str]) -> Markup | None:
    """Draw the runs along the time, a line a worker; pauses are cut out, and marked."""
    timed = [kept for kept in runs if kept.run.seconds > 0]
    if not timed:
        return None
    spans = sorted((kept.run.at - kept.run.seconds, kept.run.at) for kept in timed)
    place, pauses, whole = _without_pauses(spans)
    scale = _SPAN / max(whole, 1e-9)
    workers = sorted({kept.run.worker or "" for kept in timed})
    foot = 10 + len(workers) * _LINE
    shapes = []
    for at, worker in enumerate(workers):
        shapes.append(text(0, 10 + at * _LINE + 17, f"worker {worker}" if worker else "", "dim"))
    step = _step(whole)
    for tick in range(int(whole / step) + 1):
        x = _WORKER + tick * step * scale
        shapes.append(line([(x, 6), (x, foot)], "grid"))
        shapes.append(text(x, foot + 16, bisection.duration(tick * step), "dim middle"))
    for start, length in pauses:
        x = _WORKER + start * scale
        hint = element("title", f"a pause of {bisection.duration(length)}")
        shapes.append(element("path", hint, class_="axis", d=f"M{x} 4V{foot}", stroke_width=3,
                              stroke_dasharray="3 3"))  # fmt: skip
    for kept in timed:
        begun = _WORKER + place(kept.run.at - kept.run.seconds) * scale
        shapes += _run(kept, begun, 10 + workers.index(kept.run.worker or "") * _LINE, scale,
                       subject(kept.run.oid))  # fmt: skip
    what = f"{len(timed)} runs, as in the table Every run"
    return picture(_WORKER + _SPAN + 30, foot + 26, what, shapes)


def _run(kept: Kept, x: float, y: float, scale: float, subject: str) -> Iterable[Markup]:
    run = kept.run
    hint = f'{run.verdict}: {run.oid[:12]} ("{subject}"), {bisection.duration(run.seconds)}'
    hint += "".join(f"\n{part.stage} {bisection.duration(part.seconds)}" for part in kept.parts)
    width = max(2.0, run.seconds * scale - 1)
    yield rect(x, y + 3, width, _LINE - 6, _TONE[run.verdict], hint)
    built = sum(part.seconds for part in kept.parts if part.stage in {"config", "build"})
    if built:
        # What goes to building is paler.
        pale = min(width, built * scale)
        yield element("rect", element("title", hint), class_="pale", x=f"{x:.1f}", y=y + 3,
                      width=f"{pale:.1f}", height=_LINE - 6)  # fmt: skip


def _without_pauses(
    spans: Sequence[tuple[float, float]],
) -> tuple[Callable[[float], float], list[tuple[float, float]], float]:
    """Return seconds since the start without long pauses, the pauses (where, how long), the sum."""
    busy = sum(end - start for start, end in spans)
    cuts: list[tuple[float, float]] = []  # (when it ends, how much of it is cut)
    last = spans[0][0]
    for start, end in spans:
        if start - last > max(30.0, busy * 0.25):
            cuts.append((start, start - last - busy * 0.02))
        last = max(last, end)
    first = spans[0][0]

    def place(moment: float) -> float:
        return moment - first - sum(cut for end, cut in cuts if end <= moment + 1e-6)

    pauses = [(place(end) - busy * 0.01, cut) for end, cut in cuts]
    return place, pauses, place(last)


def _step(whole: float) -> float:
    """Return a round number of seconds, so that there are about six of them."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
    return next((step for step in steps if whole / step <= 7), 28800)


def _console(words: str) -> str:
    return _COLOURS.sub("", words)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A bisection, as text and as a mail: its progress, its result, its standing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping

from kbisect.bisect.events import Event, Outcome, Tested
from kbisect.bisect.plan import End, Try
from kbisect.bisect.priors import Source
from kbisect.bisect.result import Result
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Cause, Role, Verdict
from kbisect.errors import UsageError
from kbisect.report.document import utc
from kbisect.report.terminal import PLAIN, Style, printable

Namer = Callable[[str], str]
"""Names a commit by its oid: `12hex ("subject")`."""

_COLOURS = {Verdict.GOOD: "green", Verdict.BAD: "red", Verdict.SKIP: "yellow"}
_MANY = 20  # suspects listed one by one on a terminal
_WHY = {
    Role.BAD_END: "bad end",
    Role.GOOD_END: "good end",
    Role.BASE: "merge base",
    Role.CONFIRM: "again",
}


def progress(run: Tested, planned: Try | End, name: Namer) -> str:
    """Tell of one test in a line."""
    cause = "" if run.cause is Cause.TEST else f" {run.cause},"
    why = f", {_WHY[run.role]}" if run.role in _WHY else ""
    line = f"{run.verdict:<4} {name(run.oid)}{why}:{cause} {run.seen}, {duration(run.seconds)}"
    if isinstance(planned, Try) and planned.role is Role.SEARCH:
        line += (
            f"; {count(planned.suspects, 'suspect')} left, "
            f"about {count(planned.tests_left, 'test')}"
        )
    return line


def document(result: Result, journal: str, more: Mapping[str, object]) -> dict[str, object]:
    """Return the JSON keys of a bisection."""
    return {
        "outcome": result.outcome,
        "culprit": result.culprit,
        "suspects": result.suspects,
        "confidence": result.confidence,
        "tests": result.tests,
        "tests_ends": result.tests_ends,
        "tests_confirm": result.tests_confirm,
        "builds": result.builds,
        "skips": result.skips,
        "seconds": result.seconds,
        "journal": journal,
        "candidates": result.candidates,
        "reason": result.reason or None,
        "hint": result.hint or None,
        "ends": [_fields(run) for run in result.ends],
        "confirmed": [_fields(run) for run in result.confirmed],
        "unchecked": result.unchecked,
        **more,
    }


def events(journal: Iterable[Event]) -> list[dict[str, object]]:
    """Return a journal's events for a JSON document."""
    return [{"event": event.event, **_fields(event)} for event in journal]


def _fields(event: Event) -> dict[str, object]:
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return fields | {"at": utc(event.at)}


def text(result: Result, journal: str, name: Namer, style: Style = PLAIN) -> str:
    """Tell of a campaign that has ended."""
    lines: list[str] = []
    if result.culprit is not None:
        what = "the commit that ended it" if result.find_fix else "the first bad commit"
        lines.append(f"{style(name(result.culprit), 'bold')} is {what}")
        lines += [f"  {line}" for line in _checks(result, style)]
    elif result.outcome is Outcome.RANGE:
        lines.append(f"The first bad commit is one of these {len(result.suspects):,}:")
        lines += [f"  {name(oid)}" for oid in result.suspects]
        lines.append(f"{printable(result.reason)}.")
    elif result.outcome is Outcome.UNRESOLVED:
        lines.append(f"No culprit: {printable(result.reason)}.")
        lines += [f"  the search led to {name(oid)}" for oid in result.suspects]
    elif result.outcome is not None:
        lines.append(f"{str(result.outcome).capitalize()}: {printable(result.reason)}.")
    if result.confidence is not None:
        lines.append(f"Confidence {result.confidence:.3f} by {_runs(result)}.")
    lines.append(counts(result))
    lines.append(f"Journal: {printable(journal)}")
    if result.culprit is not None:
        lines.append(f"Next: kbisect show {result.culprit[:12]}; kbisect bisect log")
    elif result.hint:
        lines.append(f"Next: {printable(result.hint)}")
    return "\n".join(lines) + "\n"


def standing(
    state: State, result: Result, planned: Try | End | None, journal: str, name: Namer
) -> str:
    """Tell how far an open campaign is."""
    start = state.started
    lines = []
    for verdict in (Verdict.BAD, Verdict.GOOD):
        lines += [f"{verdict:<5}{name(oid)}" for oid in state.named(verdict)]
    if start.script is not None:
        lines.append(f"script {printable(' '.join((start.script, *start.arguments)))}")
    lines.append(counts(result))
    if planned is None:
        missing = "bad" if not state.named(Verdict.BAD) else "good"
        lines.append(f"No {missing} commit is known yet.")
        lines.append(f"Next: kbisect bisect {missing} REV")
    elif isinstance(planned, Try):
        lines.append(
            f"{count(planned.suspects, 'suspect')} left, about {count(planned.tests_left, 'test')}"
        )
        if len(result.suspects) <= _MANY:
            lines += [f"  {name(oid)}" for oid in result.suspects]
        lines.append(f"to test: {name(planned.oid)}")
        lines.append(_next(state, planned))
    lines.append(f"Journal: {printable(journal)}")
    return "\n".join(lines) + "\n"


def proposal(state: State, planned: Try | End | None) -> str:
    """Say what a person should do next, in a line."""
    if isinstance(planned, Try):
        return _next(state, planned)
    return ""


def _next(state: State, planned: Try) -> str:
    if state.started.script is not None:
        return "Next: kbisect bisect run --resume"
    return (
        f"Next: git checkout --detach {planned.oid[:12]}, test it, "
        "then: kbisect bisect good | bad | skip"
    )


def mail(result: Result, state: State, log: str, name: Namer) -> str:
    """Write the body of a regression report.

    Raises
    ------
    UsageError
        No culprit was found, or nothing confirms it.
    """
    if result.culprit is None or not result.confirmed:
        raise UsageError(
            "a regression report names a confirmed culprit, and this campaign has none",
            hint="kbisect bisect report --format text",
        )
    start = state.started
    bad = start.bad or ""
    lines = [
        "To: (maintainers of the culprit's files)",
        "Cc: netdev@vger.kernel.org, regressions@lists.linux.dev",
        f"Subject: [REGRESSION] (what breaks), since {result.culprit[:12]}",
        "",
        f"Commit {name(result.culprit)}",
        f"makes {printable(start.script or '')} fail.",
        f"Good end {', '.join(good[:12] for good in start.goods)}, bad end {bad[:12]}.",
        "",
        *(f"  {line}" for line in _checks(result, PLAIN)),
        counts(result),
        "",
        "The bisection, for `git bisect replay`:",
        *(f"  {line}" for line in log.splitlines()),
        "",
        f"For the fix: Fixes: {name(result.culprit)}",
        "",
        f"#regzbot introduced: {result.culprit[:12]}",
    ]
    return "\n".join(lines) + "\n"


def why(sources: Iterable[Source]) -> str:
    """Say which commits are suspected beforehand, and how much."""
    lines = ["Suspected beforehand:"]
    lines += [
        f"  {printable(each.what)}: {count(each.commits, 'commit')}, {each.share:.2f} of the belief"
        for each in sources
    ]
    return "\n".join(lines) + "\n"


def _runs(result: Result) -> str:
    return count(result.tests + result.tests_ends + result.tests_confirm, "run")


def counts(result: Result) -> str:
    """Say what it took, in a line."""
    parts = [count(result.tests, "test")]
    extra = []
    if result.tests_ends:
        extra.append(f"{result.tests_ends} of the ends")
    if result.tests_confirm:
        extra.append(f"{result.tests_confirm} to confirm")
    if extra:
        parts[0] += f" (and {', '.join(extra)})"
    parts.append(count(result.skips, "skip"))
    if result.seconds:
        parts.append(duration(result.seconds))
    if result.candidates is not None:
        parts.append(count(result.candidates, "candidate"))
    return ", ".join(parts) + "."


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it must be."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _checks(result: Result, style: Style) -> list[str]:
    rows = [("bad end" if run.role is Role.BAD_END else "good end", run) for run in result.ends]
    rows += [
        ("culprit" if run.oid == result.culprit else "parent", run) for run in result.confirmed
    ]
    lines = [
        f"{what:<9} {style(f'{run.verdict:<4}', _COLOURS[run.verdict])} {run.oid[:12]} "
        f"({'tested again: ' if run in result.confirmed else ''}{run.seen})"
        for what, run in rows
    ]
    lines += [f"unchecked: {line}" for line in result.unchecked]
    return lines

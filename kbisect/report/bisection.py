# SPDX-License-Identifier: GPL-2.0-or-later
"""A bisection as text and JSON: its progress, its result, its standing."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from kbisect.bisect.events import Event, Outcome, Started
from kbisect.bisect.forecast import Forecast
from kbisect.bisect.moves import Planned, Try
from kbisect.bisect.priors import SUSPICION, Source
from kbisect.bisect.result import Check, Result
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Cause, Role, Verdict
from kbisect.report import fixes
from kbisect.report.document import utc
from kbisect.report.terminal import PLAIN, Style, printable

if TYPE_CHECKING:
    from kbisect.lab.driver import Progress
    from kbisect.lab.executors import Gap
    from kbisect.lab.fixed import Fixed
    from kbisect.lab.repairs import Repair
    from kbisect.lab.running import Crewed, Job

Namer = Callable[[str], str]
"""Names a commit by its oid: `12hex ("subject")`."""

_COLOURS = {Verdict.GOOD: "green", Verdict.BAD: "red", Verdict.SKIP: "yellow"}
_MANY = 20  # suspects listed one by one on a terminal
_SAMPLES = 3
_WHY = {
    Role.BAD_END: "bad end",
    Role.GOOD_END: "good end",
    Role.BASE: "merge base",
    Role.CONFIRM: "again",
    Role.REVERT: "reverted",
    Role.TIP: "tip",
}


def progress(seen: Progress, name: Namer) -> str:
    """Tell of one test in a line."""
    run = seen.run
    cause = "" if run.cause is Cause.TEST else f" {run.cause},"
    why = f", {_WHY[run.role]}" if run.role in _WHY else ""
    if run.reverted is not None:
        why = f" without {run.reverted[:12]}"
    line = f"{run.verdict:<4} {name(run.oid)}{why}:{cause} {run.seen}, {duration(run.seconds)}"
    line += f"; {count(seen.tests, 'test')} done"
    if run.role not in {Role.CONFIRM, Role.REVERT}:
        line += f", {count(seen.suspects, 'suspect')} left"
    if seen.forecast is not None:
        line += f", {_expected(seen.forecast)}"
    return line


def _expected(forecast: Forecast) -> str:
    """Say what is left to do: `about 9 tests (7-11), 12 min (9-20)`."""
    words = f"about {count(round(forecast.tests), 'test')}"
    words += f" ({forecast.tests_low}-{forecast.tests_high})"
    if forecast.seconds is None or forecast.seconds_high is None or forecast.seconds_high < 10:
        return words
    low, high = forecast.seconds_low or 0.0, forecast.seconds_high
    return f"{words}, {duration(forecast.seconds)} ({duration(low)} to {duration(high)})"


def working(job: Job, now: float, name: Namer) -> str:
    """Say what a worker is at."""
    what = _WHY.get(job.test.role, "")
    more = f", {what}" if what else ""
    return f"{name(job.test.oid)}{more}, since {duration(max(0.0, now - job.since))}"


def gap(seen: Gap | None) -> str:
    """Say that there is no worker, or that there is one again."""
    if seen is None:
        return "a worker has joined; going on"
    return (
        f"no worker since {utc(seen.since)}, waiting until {utc(seen.until)}; "
        f"start one with: {printable(seen.start)}"
    )


def progress_document(crewed: Crewed | None, expected: Forecast | None) -> dict[str, object]:
    """Return the JSON keys of a campaign that goes on."""
    running = None
    if crewed is not None:
        running = {
            "process": crewed.pid,
            "workers": crewed.workers,
            "no_worker_since": utc(crewed.gap.since) if crewed.gap else None,
            "jobs": [
                {
                    "oid": job.test.oid,
                    "role": job.test.role,
                    "reverts": job.test.reverts,
                    "attempt": job.attempt,
                    "since": utc(job.since),
                }
                for job in crewed.jobs
            ],
        }
    return {"running": running, "expected": expected}


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
        "aside": result.aside,
        "aside_checked": result.aside_checked,
        "old_branches": result.old,
        "skips": result.skips,
        "seconds": result.seconds,
        "journal": journal,
        "candidates": result.candidates,
        "reason": result.reason or None,
        "hint": result.hint or None,
        "ends": [_fields(run) for run in result.ends],
        "confirmed": [_fields(run) for run in result.confirmed],
        "checks": result.checks,
        "unchecked": result.unchecked,
        **more,
    }


def events(journal: Iterable[Event]) -> list[dict[str, object]]:
    """Return a journal's events for a JSON document."""
    return [{"event": event.event, **_fields(event)} for event in journal]


def _fields(event: Event) -> dict[str, object]:
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return fields | {"at": utc(event.at)}


def text(
    result: Result,
    journal: str,
    name: Namer,
    style: Style = PLAIN,
    fixed: Fixed | None = None,
    repairs: Iterable[Repair] = (),
) -> str:
    """Tell of a campaign that has ended; that it is already fixed is said first."""
    lines = [style(line, "bold") for line in fixes.already(fixed, name)] if fixed else []
    if result.culprit is not None:
        what = "the commit that ended it" if result.find_fix else "the first bad commit"
        lines.append(f"{style(name(result.culprit), 'bold')} is {what}")
        if result.reason:
            lines.append(f"  {printable(result.reason)}")
        lines += [f"  {line}" for line in checks(result, style)]
        lines += [f"  {line}" for line in fixes.vain(fixed, name)] if fixed is not None else []
    elif result.outcome is Outcome.RANGE:
        lines.append(f"The first bad commit is one of these {len(result.suspects):,}:")
        lines += _listed(result.suspects, name)
        lines.append(f"{printable(result.reason)}.")
    elif result.outcome is Outcome.UNRESOLVED:
        lines.append(f"No culprit: {printable(result.reason)}.")
        lines += [f"  the search led to {name(oid)}" for oid in result.suspects]
    elif result.outcome is not None:
        lines.append(f"{str(result.outcome).capitalize()}: {printable(result.reason)}.")
    if result.confidence is not None:
        lines.append(f"Confidence {result.confidence:.3f} by {_runs(result)}.")
    lines.append(counts(result))
    lines += left_out(result)
    lines += set_aside(result)
    for repair in repairs:
        lines += fixup(repair, name)
    lines.append(f"Journal: {printable(journal)}")
    if fixed and fixed.links:
        first = fixed.links[0]  # in no known tree there is no mainline to take it from
        word = "backport explain" if first.trees else "show"
        lines.append(f"Next: kbisect {word} {first.oid[:12]}")
    elif result.culprit is not None and result.is_confirmed and not result.find_fix:
        lines.append(
            f"Next: kbisect show {result.culprit[:12]}; kbisect bisect report --format mail"
        )
    elif result.culprit is not None:
        lines.append(f"Next: kbisect show {result.culprit[:12]}; kbisect bisect log")
    elif result.hint:
        lines.append(f"Next: {printable(result.hint)}")
    return "\n".join(lines) + "\n"


def _listed(suspects: Sequence[str], name: Namer) -> list[str]:
    """Name suspects, parents first; of many the oldest and the newest."""
    if len(suspects) <= _MANY:
        return [f"  {name(oid)}" for oid in suspects]
    half = _MANY // 2
    lines = [f"  {name(oid)}" for oid in (*suspects[:half], *suspects[-half:])]
    return [*lines[:half], f"  ... {len(suspects) - _MANY:,} more, with --json", *lines[half:]]


def standing(
    state: State,
    result: Result,
    planned: Planned | None,
    journal: str,
    name: Namer,
    crewed: Crewed | None = None,
    expected: Forecast | None = None,
    now: float | None = None,
) -> str:
    """Tell how far an open campaign is."""
    start = state.started
    lines = []
    for verdict in (Verdict.BAD, Verdict.GOOD):
        lines += [f"{verdict:<5}{name(oid)}" for oid in state.named(verdict)]
    if start.recipe is not None:
        lines.append(f"recipe {printable(start.recipe)}")
    if start.script is not None:
        lines.append(f"script {printable(shlex.join((start.script, *start.arguments)))}")
    lines.append(counts(result))
    if planned is None:
        missing = "bad" if not state.named(Verdict.BAD) else "good"
        lines.append(f"No {missing} commit is known yet.")
        lines.append(f"Next: kbisect bisect {missing} REV")
    elif isinstance(planned, Try):
        left = count(planned.suspects, "suspect")
        about = f"about {count(planned.tests_left, 'test')}"
        lines.append(f"{left} left, {_expected(expected) if expected and start.script else about}")
        if len(result.suspects) <= _MANY:
            lines += [f"  {name(oid)}" for oid in result.suspects]
        if crewed is None:
            lines.append(f"to test: {name(planned.oid)}")
            lines.append(_next(state, planned))
    if crewed is not None:
        workers = count(crewed.workers, "worker")
        lines.append(f"at work: process {crewed.pid}, {workers}")
        last = max((job.since for job in crewed.jobs), default=0.0)
        lines += [f"  {working(job, now or last, name)}" for job in crewed.jobs]
        if crewed.gap is not None:
            lines.append(gap(crewed.gap))
        lines.append("Next: kbisect bisect status --watch")
    lines.append(f"Journal: {printable(journal)}")
    return "\n".join(lines) + "\n"


def _next(state: State, planned: Try) -> str:
    if not state.started.by_hand:
        return "Next: kbisect bisect run --resume"
    return (
        f"Next: git checkout --detach {planned.oid[:12]}, test it, "
        "then: kbisect bisect good | bad | skip"
    )


def suspicion(started: Started, sources: Iterable[Source]) -> str:
    """Say in a line what the paths that the user named do to the search."""
    paths = printable(" ".join(started.only or started.suspects))
    if started.only:
        commits = sum(each.commits for each in sources)
        return f"only {count(commits, 'commit')} changing {paths} can be it (--only)"
    commits = sum(each.commits for each in sources if each.what == SUSPICION)
    if not commits:
        return f"no commit of the range changes {paths}: none is suspected for it"
    return f"{count(commits, 'commit')} changing {paths}: suspected first, none is left out"


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


def left_out(result: Result) -> list[str]:
    """Say which branches were left out because they had it before the range began."""
    how = "passes as they always did" if result.find_fix else "has the failure of old"
    shown = ", ".join(oid[:12] for oid in result.old)
    return [f"Left out: what branches off from {shown}, and {how}."] if shown else []


def set_aside(result: Result) -> list[str]:
    """Say how many commits were not built, and how that was checked."""
    if result.aside_refused:
        return [f"No commit was set aside: {printable(result.aside_refused)}."]
    if not result.aside:
        return []
    checked = ", ".join(oid[:12] for oid in result.aside_checked[:_SAMPLES])
    how = f"checked: {checked}, built, is the same binary" if checked else "none of them was built"
    what = "can't change what is built"
    return [f"{count(result.aside, 'commit')} {what}, by the files it is made of ({how})."]


def fixup(repair: Repair, name: Namer) -> list[str]:
    """Offer a commit as a fix-up of what couldn't be tested, as a recipe has it."""
    where = f'{{ commit = "{repair.oid}", since = "{repair.breaker}" }}'
    lost = count(len(repair.lost), "commit")
    return [
        f"Fix-up to try, for {lost} that can't be tested: {name(repair.oid)} "
        f"repairs {name(repair.breaker)}",
        f"  in the recipe, above its tables: fixup = [{where}]",
    ]


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


def checks(result: Result, style: Style = PLAIN) -> list[str]:
    """Say what the result rests on, a line a commit."""
    lines = [_check(check, style) for check in result.checks]
    said = {f"{each.kind} not tested: {each.note}" for each in result.checks if not each.verdict}
    return lines + [f"unchecked: {line}" for line in result.unchecked if line not in said]


def _check(check: Check, style: Style) -> str:
    what = f"{check.tree} tip" if check.tree else str(check.kind)
    if check.verdict is None:
        return f"{what:<12} not tested: {printable(check.note)}"
    of = {Verdict.BAD: check.bad, Verdict.GOOD: check.good, Verdict.SKIP: check.skipped}
    runs = f"{of[check.verdict]} of {count(check.runs, 'run')}"
    said = style(f"{check.verdict:<4}", _COLOURS[check.verdict])
    return f"{what:<12} {said} {check.oid[:12]} {runs} ({check.seen})"

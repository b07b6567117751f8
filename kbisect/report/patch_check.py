# SPDX-License-Identifier: GPL-2.0-or-later
"""What the list's rules say of a series, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kbisect.patch.check import Verdict
from kbisect.patch.rules import Level, Result
from kbisect.patch.series import Series
from kbisect.patch.target import Target, spelled
from kbisect.report.document import utc
from kbisect.report.terminal import PLAIN, Style, printable

_COLORS = {
    Level.FAIL: "red",
    Level.WARN: "yellow",
    Level.ADVICE: "cyan",
    Level.PASS: "green",
    Level.SKIPPED: "dim",
}
_DETAILS = 6


def text(
    verdict: Verdict, series: Series, style: Style = PLAIN, *, everything: bool = False
) -> str:
    """Render the rules that have something to say; all of them with `everything`."""
    titles = {patch.subject.number: patch.title for patch in series.patches}
    shown = [r for r in verdict.results if everything or r.level is not Level.PASS]
    alike: dict[tuple[object, ...], list[Result]] = {}
    for result in shown:
        alike.setdefault((result.rule, result.level, result.text, result.detail), []).append(result)
    lines = []
    last: tuple[int, ...] = ()
    for same in sorted(alike.values(), key=_numbers):
        numbers = _numbers(same)
        if numbers and numbers != last and len(titles) > 1:
            lines.append(style(_whose(numbers, titles, series.total), "bold"))
        last = numbers
        lines += _lines(same[0], style)
    counts = {level: sum(r.level is level for r in verdict.results) for level in Level}
    said = ", ".join(f"{count} {level.value}" for level, count in counts.items() if count)
    lines.append(f"{said}.")
    if verdict.level in {Level.PASS, Level.SKIPPED, Level.ADVICE}:
        lines.append(f"Nothing stands against it. It goes to {printable(_goal(verdict.target))}.")
    if verdict.target.foreign:
        lines.append("These are the rules of Linux's network list: not that tree's.")
    lines.append("These rules see form, not sense; what nipa builds and runs isn't looked at.")
    return "\n".join(lines) + "\n"


def _goal(target: Target) -> str:
    family = spelled(target.family)
    return target.tree or target.foreign or f"{family} or {family}-next"


def _whose(numbers: Sequence[int], titles: Mapping[int, str], total: int) -> str:
    if len(numbers) == 1:
        return f"{numbers[0]}/{total} {printable(titles.get(numbers[0], ''))}"
    if len(numbers) == len(titles):
        return "every patch"
    return f"patches {', '.join(map(str, numbers))} of {total}"


def _numbers(same: Sequence[Result]) -> tuple[int, ...]:
    """Return the patches that results of the same words are about; none for the series."""
    return tuple(result.patch for result in same if result.patch is not None)


def _lines(result: Result, style: Style) -> list[str]:
    mark = style(f"{result.level.value:7}", _COLORS[result.level])
    lines = [f"{mark} {result.rule.name}: {printable(result.text)}"]
    lines += [f"          {printable(each)}" for each in result.detail[:_DETAILS]]
    if len(result.detail) > _DETAILS:
        lines.append(f"          and {len(result.detail) - _DETAILS} more")
    if result.level in {Level.FAIL, Level.WARN, Level.ADVICE}:
        lines.append(style(f"          {result.rule.says} ({result.rule.source})", "dim"))
    return lines


def content(verdict: Verdict) -> dict[str, object]:
    """Return the content of kbisect.patch-check/1.

    `level`; `results`: `rule` (nipa's name where nipa has it), `level` (fail, warn, advice, pass,
    skipped), `patch` (None: the series), `text`, `detail`, `source`, `nipa`; `target`: `tree`,
    `family`, `why`, `fixed`, `foreign` (address of a tree that isn't networking's); `window` as
    `kbisect window` has it.
    """
    window = verdict.window
    return {
        "level": verdict.level,
        "results": [
            {
                "rule": result.rule.name,
                "level": result.level,
                "patch": result.patch,
                "text": result.text,
                "detail": result.detail,
                "source": result.rule.source,
                "nipa": result.rule.nipa,
            }
            for result in verdict.results
        ],
        "target": {
            "tree": verdict.target.tree,
            "family": verdict.target.family,
            "why": verdict.target.why,
            "fixed": verdict.target.fixed,
            "foreign": verdict.target.foreign,
        },
        "window": None
        if window is None
        else {
            "net_next": window.net_next,
            "since": utc(window.since),
            "predicted": utc(window.predicted),
            "release": window.release,
            "as_of": utc(window.as_of),
        },
    }

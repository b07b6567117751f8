# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series intends and risks, on one screen."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from kbisect.history.releases import Window
from kbisect.patch.application import Forecast, State
from kbisect.patch.declarations import CARRIERS
from kbisect.patch.functions import CallChange
from kbisect.patch.posting import closed
from kbisect.patch.reading import ITS_BASE, Mended, PatchFacts, Reading
from kbisect.report import patch_forecast
from kbisect.report.document import plain
from kbisect.report.terminal import PLAIN, Style, name, printable

_ROWS = 12
_OTHERS = 4


def text(
    reading: Reading, given: Sequence[str], window: Window | None = None, style: Style = PLAIN
) -> str:
    """Render a reading.

    Parameters
    ----------
    given : what the user named, for the next command
    window : the merge window now, None where no release is known
    """
    lines = list(_head(reading, style))
    shut = closed(window)
    if shut and (reading.series.first.tree or "").endswith("-next"):
        lines.append(style(f"  {shut}", "yellow"))
    lines += [*_patches(reading, style), *_code(reading, style)]
    for tree in reading.trees:
        holds = all(each.state.holds for each in tree.forecasts)
        if tree.tree == ITS_BASE and holds and not tree.broken:
            continue
        lines.append(style(f"onto {printable(tree.tree)} ({tree.oid[:12]})", "bold"))
        lines += _forecasts(tree.forecasts, style)
        lines += (f"  {line}" for line in patch_forecast.broken(tree.broken, style))
    lines += [f"Not looked at: {printable(what)}" for what in reading.blind]
    lines.append(f"Next: kbisect patch check {printable(shlex.join(given))}")
    return "\n".join(lines) + "\n"


def _forecasts(forecasts: Sequence[Forecast], style: Style) -> Iterable[str]:
    """Render how patches apply; of several, those that are simply clean on one line."""
    clean = [each for each in forecasts if each.state is State.CLEAN]
    if len(forecasts) == 1 or len(clean) < 2:
        clean = []
    others = [each for each in forecasts if each not in clean]
    for forecast in others[:_ROWS]:
        yield from (f"  {line}" for line in patch_forecast.lines(forecast, style))
    yield from _rest(len(others) - _ROWS, "patches")
    if clean:
        whole = "all" if not others else "the other"
        yield f"  {patch_forecast.mark(State.CLEAN, style)} {whole} {len(clean)} patches"


def _head(reading: Reading, style: Style) -> Iterable[str]:
    series = reading.series
    first = series.first
    added = sum(patch.added for patch in reading.patches)
    removed = sum(patch.removed for patch in reading.patches)
    count = len(reading.patches)
    more = (
        f", and {count - 1} more" if count > 1 and series.title == series.patches[0].title else ""
    )
    yield style(printable(series.title) + more, "bold")
    target = first.tree or "no tree named"
    version = f", v{first.version}" if first.version > 1 else ""
    rfc = ", RFC" if first.is_rfc else ""
    if series.source == "mail":
        yield f"  for {printable(target)}{version}{rfc}   {printable(reading.patches[0].author)}"
    else:
        commits = f"{count} commits" if count > 1 else "a commit"
        yield f"  {commits} of this repository   {printable(reading.patches[0].author)}"
    yield f"  {_subsystems(reading)}"
    whole = "" if series.is_complete else f" of {series.total}"
    patches = f"{count}{whole} patch{'es' if count != 1 else ''}"
    yield f"  {patches}, {_files(len(series.paths))}, +{added} -{removed}"
    if not series.is_complete:
        missing = ", ".join(f"{number}/{series.total}" for number in series.missing)
        yield style(f"  incomplete: {missing} missing", "red")
    if series.total > 1 and series.cover is None and series.source == "mail":
        yield "  no cover letter"
    if series.is_unfinished:
        yield style("  the cover letter still has git's placeholders", "yellow")
    if series.replies:
        tags = f", which give {len(series.tags)} tags" if series.tags else ""
        yield f"  {series.replies} replies{tags}"
    yield from (f"    {printable(tag)}" for tag in series.tags)
    yield from (f"  also in the mailbox: {printable(other)}" for other in series.others)


def _subsystems(reading: Reading) -> str:
    """Name the section that most of it falls in, then the others."""
    if reading.subsystem is None:
        return "no section of MAINTAINERS takes it"
    others = [title for title, _ in reading.subsystems if title != reading.subsystem]
    named = ", ".join(map(printable, others[:_OTHERS]))
    more = f" and {len(others) - _OTHERS} more" if len(others) > _OTHERS else ""
    return printable(reading.subsystem) + (f"; also {named}{more}" if others else "")


def _patches(reading: Reading, style: Style) -> Iterable[str]:
    alone = len(reading.patches) == 1
    for patch in reading.patches:
        if not alone:
            yield f"  {patch.number:2} {printable(patch.title)}   +{patch.added} -{patch.removed}"
        yield from _of_patch(patch, style, "  " if alone else "       ")


def _of_patch(patch: PatchFacts, style: Style, indent: str) -> Iterable[str]:
    for mended in patch.fixes:
        yield indent + _mended(mended, style)
        if mended.lacking:
            yield f"{indent}  {style('verify_fixes', 'yellow')}: {printable(mended.lacking)}"
    yield from (f"{indent}note: {printable(remark)}" for remark in patch.remarks)


def _mended(mended: Mended, style: Style) -> str:
    if mended.oid is None:
        return style(f"{printable(mended.text)}: not in this repository", "yellow")
    since = f", in since {mended.release}" if mended.release else ""
    days = f", broken for {mended.days:,} days" if mended.days is not None else ""
    return f"fixes {name(mended.oid, mended.subject or '')}{since}{days}"


def _code(reading: Reading, style: Style) -> Iterable[str]:
    if reading.functions:
        yield style("touches", "bold")
        for each in reading.functions[:_ROWS]:
            counts = f"+{each.added} -{each.removed}"
            yield f"  {each.name}   {printable(each.path)}   {counts}"
        yield from _rest(len(reading.functions) - _ROWS, "functions and types")
    for what in ("locking", "reference"):
        calls = [call for call in reading.calls if call.what == what]
        if calls:
            yield style(what + (" counts" if what == "reference" else ""), "bold")
            yield f"  {_calls(calls)}"
    if reading.exported or reading.hidden:
        yield style("exported symbols", "bold")
        yield "  " + ", ".join(
            [*(f"+{each}" for each in reading.exported), *(f"-{each}" for each in reading.hidden)]
        )
    if reading.api:
        where = f"on {reading.api_base}"
        if reading.api_base == CARRIERS:
            where = f"by {CARRIERS}"
        yield style(f"API changes ({where})", "bold")
        for finding in reading.api[:_ROWS]:
            new = f" -> {finding.new_name}" if finding.new_name else ""
            yield f"  {finding.kind} {finding.name}{new}   {finding.compatibility.value}"
        yield from _rest(len(reading.api) - _ROWS, "changes")
    fixed = [each for each in reading.history if each.fixes]
    if fixed:
        yield style("fixed before", "bold")
        for seen in fixed[:5]:
            some = f"{seen.fixes} of {seen.commits} commits"
            yield f"  {printable(seen.path)}: {some} name what they fix"


def _calls(calls: Sequence[CallChange]) -> str:
    return ", ".join(f"{call.name} {' '.join(_counts(call))}" for call in calls)


def _counts(call: CallChange) -> Iterable[str]:
    if call.added:
        yield f"+{call.added}"
    if call.removed:
        yield f"-{call.removed}"


def _files(count: int) -> str:
    return f"{count} file{'s' if count != 1 else ''}"


def _rest(more: int, what: str) -> list[str]:
    return [f"  and {more} more {what}"] if more > 0 else []


def content(reading: Reading) -> dict[str, object]:
    """Return the content of kbisect.patch-read/1.

    Of the series: `title`, `tree`, `version`, `rfc`, `source` (mail, repository), `complete`,
    `total`, `missing`, `cover_letter`, `replies`, `tags`, `others`, `paths`, `subsystem` (that most
    of it falls in), `subsystems` (`title`, `paths`: how many are its own). Of each of `patches`:
    `number`, `title`, `author`, `files`, `added`, `removed`, `fixes` (`text`, `oid`, `subject`,
    `release`, `days`, `lacking`: that the base hasn't it, and who has), `remarks`. Of the code:
    `functions`, `calls`, `exported`, `hidden`, `api` (compared on `api_base`), `history`. `trees`:
    `tree`, `oid`, `states`, `blockers`, `broken` (lines that would no longer compile).
    `blind`: what could not be looked at.
    """
    series = reading.series
    first = series.first
    return {
        "title": series.title,
        "tree": first.tree,
        "version": first.version,
        "rfc": first.is_rfc,
        "source": series.source,
        "complete": series.is_complete,
        "total": series.total,
        "missing": series.missing,
        "cover_letter": series.cover is not None,
        "replies": series.replies,
        "tags": series.tags,
        "others": series.others,
        "subsystem": reading.subsystem,
        "subsystems": [{"title": title, "paths": count} for title, count in reading.subsystems],
        "patches": reading.patches,
        "paths": series.paths,
        "functions": reading.functions,
        "calls": reading.calls,
        "exported": reading.exported,
        "hidden": reading.hidden,
        "api": [
            {
                "kind": finding.kind,
                "name": finding.name,
                "new_name": finding.new_name,
                "header": finding.header,
                "compatibility": plain(finding.compatibility),
            }
            for finding in reading.api
        ],
        "api_base": reading.api_base,
        "history": reading.history,
        "trees": [
            {
                "tree": each.tree,
                "oid": each.oid,
                "states": [forecast.state for forecast in each.forecasts],
                "blockers": [
                    blocker for forecast in each.forecasts for blocker in forecast.blockers
                ],
                "broken": each.broken,
            }
            for each in reading.trees
        ],
        "blind": reading.blind,
    }

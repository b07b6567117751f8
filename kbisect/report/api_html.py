# SPDX-License-Identifier: GPL-2.0-or-later
"""API differences and lives as pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from markupsafe import Markup

from kbisect.api.comparison import Result
from kbisect.api.findings import Finding
from kbisect.api.lives import Lives
from kbisect.report import api, api_answers, charts, html, lifelines
from kbisect.report.charts import Series
from kbisect.report.wording import beside

_HEADERS_SHOWN = 15
_CHANGED = "changed"
_FATES = (
    ("b", "gone", ("removed",)),
    ("d", "renamed, moved or replaced", ("renamed", "moved", "replaced")),
    ("a", _CHANGED, ()),
)
_LEGEND = tuple((tone, name) for tone, name, _ in _FATES)


def difference(
    result: Result,
    findings: Sequence[Finding],
    span: str,
    subject: Callable[[str], str],
    lives: Sequence[Lives] = (),
) -> str:
    """Render the page of a difference.

    Parameters
    ----------
    subject : a commit's first line by its oid
    lives : of the structs that were asked for, to be drawn
    """
    parts = [
        (title.lower(), [finding for finding in findings if finding.compatibility in wanted])
        for title, wanted in api.TITLES
    ]
    return html.page(
        "api_diff.html",
        span=span,
        parts_of=[(name, listed) for name, listed in parts if listed],
        counts=[(name, len(listed)) for name, listed in parts],
        findings=findings,
        where=_where(parts[0][1]),
        where_legend=_LEGEND,
        place=api.place,
        gaps=result.unclassified,
        attributed=sum(finding.commit is not None for finding in findings),
        told=api.told,
        beside=beside,
        subject=subject,
        pictures=[(each.name, lifelines.bars(each)) for each in lives if each.lives],
        legend=lifelines.LEGEND,
    )


def _where(findings: Sequence[Finding]) -> Markup | None:
    """Draw how many of these changes each header has, if there is anything to compare."""
    counted: dict[str, Counter[str]] = {}
    for finding in findings:
        counted.setdefault(finding.header, Counter())[_fate(finding)] += 1
    if len(counted) < 2:
        return None
    ranked = sorted(counted, key=lambda header: (-counted[header].total(), header))
    labels = ranked[:_HEADERS_SHOWN]
    if rest := ranked[_HEADERS_SHOWN:]:
        labels = [*labels, f"{len(rest)} more"]
        counted[labels[-1]] = sum((counted[header] for header in rest), Counter())
    series = [
        Series(tone, name, [counted[label][name] for label in labels]) for tone, name, _ in _FATES
    ]
    return charts.rows(labels, series, "Breaking changes by header")


def _fate(finding: Finding) -> str:
    last = finding.kind.rpartition("-")[2]
    return next((name for _, name, endings in _FATES if last in endings), _CHANGED)


def history(lives: Lives, subject: Callable[[str], str]) -> str:
    """Render the page of a name: its picture, its lives, what changed."""
    return html.page(
        "api_history.html",
        lives=lives,
        picture=lifelines.bars(lives),
        legend=lifelines.LEGEND,
        changed=api_answers.changed(lives),
        type_of=api_answers.type_of,
        subject=subject,
    )

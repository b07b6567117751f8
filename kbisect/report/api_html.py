# SPDX-License-Identifier: GPL-2.0-or-later
"""API differences and lives as pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kbisect.api.comparison import Result
from kbisect.api.findings import Finding
from kbisect.api.lifetimes import Lives
from kbisect.report import api, api_answers, html, lifelines
from kbisect.report.wording import beside


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
    return html.page(
        "api_diff.html",
        span=span,
        groups=api.grouped(findings),
        findings=findings,
        titles=api.TITLES,
        gaps=result.unclassified,
        attributed=sum(finding.commit is not None for finding in findings),
        told=api.told,
        beside=beside,
        subject=subject,
        pictures=[(each.name, lifelines.bars(each)) for each in lives if each.lives],
        legend=lifelines.LEGEND,
    )


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

# SPDX-License-Identifier: GPL-2.0-or-later
"""A simulation, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kbisect.report.bisection import why
from kbisect.report.terminal import PLAIN, Style, table

_ROWS = (
    ("right", "correct"),
    ("tests, mean", "tests_mean"),
    ("tests, 95 of 100 at most", "tests_p95"),
    ("tests, most", "tests_max"),
    ("runs with confirmation", "runs_mean"),
    ("builds", "builds_mean"),
    ("skips", "skips_mean"),
    ("cost", "cost_mean"),
    ("time", "time_mean"),
    ("time until one suspect is left", "time_found_mean"),
    ("suspects at the end", "suspects_mean"),
    ("stated confidence", "confidence_mean"),
    ("share where what was stated holds", "held_mean"),
)


def text(content: Mapping[str, Any], style: Style = PLAIN) -> str:
    """Tell what the trials took, git's own rule beside ours."""
    baseline = content["baseline"]
    rows = [(what, f"{content[key]:.4g}", f"{baseline[key]:.4g}") for what, key in _ROWS]
    head = f"{content['trials']:,} trials on {content['candidates']:,} candidates"
    outcomes = ", ".join(f"{count} {name}" for name, count in content["outcomes"].items())
    figures = table(("", "kbisect", "git"), rows, style)
    return f"{head}\nOutcomes: {outcomes}.\n\n{figures}\n{why(content['prior'])}"

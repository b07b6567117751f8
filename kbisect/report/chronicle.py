# SPDX-License-Identifier: GPL-2.0-or-later
"""The chronicle of a subsystem as text, and as a page with its pictures."""

from __future__ import annotations

from kbisect.history.chronicle import Chronicle, Cycle
from kbisect.report.bisection import count
from kbisect.report.terminal import PLAIN, Style, printable, table

_SHOWN = 10


def text(told: Chronicle, style: Style = PLAIN) -> str:
    """Tell a subsystem's history in three tables."""
    commits = count(told.commits, "commit")
    head = f"{told.name}: {commits}, {told.fixing:,} of them name the culprit they fix"
    cycles = [
        (
            label(each),
            each.commits,
            each.net,
            each.net_next,
            each.other,
            each.fixing,
            each.median_days,
        )
        for each in told.cycles
    ]
    titles = ("release", "commits", "net", "net-next", "other", "fixes", "median days to fix")
    authors = [(each.name, each.commits, each.fixing) for each in told.authors[:_SHOWN]]
    files = [(each.path, each.fixing, each.commits) for each in told.files[:_SHOWN]]
    parts = [
        style(printable(head), "bold") + "\n\n",
        table(titles, cycles, style),
        "\n",
        table(("author", "commits", "fixes"), authors, style),
        "\n",
        table(("file", "fixes", "commits"), files, style),
        "Fixes are those that name their culprit; others aren't counted.\n",
        f"Next: kbisect history '{printable(told.name)}' --format html > history.html\n",
    ]
    return "".join(parts)


def label(cycle: Cycle) -> str:
    """Name a cycle; `next` is what is in no release yet."""
    return cycle.release or "next"


def page(told: Chronicle) -> str:
    """Render a subsystem's history as a page."""
    from kbisect.report import html
    from kbisect.report.charts import Series, bars, lines

    labels = [label(each) for each in told.cycles]
    through = (
        Series("b", "through net", [each.net for each in told.cycles]),
        Series("a", "through net-next", [each.net_next for each in told.cycles]),
        Series("g", "otherwise", [each.other for each in told.cycles]),
    )
    fixing = (Series("b", "fixes and reverts", [each.fixing for each in told.cycles]),)
    delay = (
        Series("d", "nine of ten", [each.p90_days for each in told.cycles]),
        Series("a", "half of them", [each.median_days for each in told.cycles]),
    )
    return html.page(
        "history.html",
        told=told,
        label=label,
        trees=bars(labels, through, "commits by release and tree, as in the table Every release"),
        fixes=bars(labels, fixing, "fixes by release, as in the table Every release"),
        delay=lines(labels, delay, "days to fix, as in the table Every release", "days", log=True),
        tones=[[(each.tone, each.name) for each in series] for series in (through, fixing, delay)],
    )

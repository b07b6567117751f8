# SPDX-License-Identifier: GPL-2.0-or-later
"""What repairs a culprit, in words: which commits say so, where they are, and whether it helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kbisect.bisect.events import Tested
from kbisect.history.messages import LinkKind
from kbisect.report.document import utc
from kbisect.report.terminal import printable

if TYPE_CHECKING:
    from kbisect.lab.fixed import Fixed
    from kbisect.report.bisection import Namer

_QUIET = 30 * 86400
"""Seconds without a commit after which a tree that was fetched looks abandoned."""
_SPEAKS = {
    LinkKind.FIXES: "says that it fixes",
    LinkKind.REVERTS: "reverts",
    LinkKind.BLAMES: "blames",
}


def fixed_tip(run: Tested, bad: str) -> str:
    """Say that a tree's tip passes, as soon as that is known."""
    return (
        f"the tip of {run.tree} passes: already fixed there. To find the fix instead: "
        f"kbisect bisect run --find-fix --bad {bad[:12]} --good {run.oid[:12]}"
    )


def already(fixed: Fixed, name: Namer) -> list[str]:
    """Say which commits look like the fix, and where each has arrived, a line each."""
    lines = []
    for link in fixed.links:
        where = " -> ".join(
            each for each in (link.trees[0] if link.trees else "", link.release) if each
        )
        others = f" (also {', '.join(link.trees[1:])})" if len(link.trees) > 1 else ""
        how = "" if link.is_strong else ", which only names it in prose"
        arrived = printable(where) or "in no known tree"
        lines.append(
            f"already fixed: {name(link.oid)}{how}, {arrived}{others}; not in {fixed.bad[:12]}"
        )
    if not fixed.links and fixed.passing:
        lines.append(
            f"already fixed: the tip of {', '.join(fixed.passing)} passes, "
            "and no commit there names the culprit"
        )
    if lines:
        lines[-1] += as_of(fixed)
    return lines


def as_of(fixed: Fixed) -> str:
    """Say how fresh the trees are that were looked through; where nothing is known, nothing."""
    if fixed.as_of is None:
        return ""
    fetched = f"fetched {(utc(fixed.as_of) or '')[:10]}"
    if fixed.newest is None or fixed.as_of - fixed.newest < _QUIET:
        return f" ({fetched})"
    return f" ({fetched}, but the newest commit here is of {(utc(fixed.newest) or '')[:10]})"


def vain(fixed: Fixed, name: Namer) -> list[str]:
    """Say which commits speak of the culprit and are in the bad end, which fails all the same."""
    lines = []
    for link in fixed.vain:
        lines.append(name(link.oid))
        lines.append(f"  {_SPEAKS[link.kind]} it; the bad end has that and fails all the same")
    return lines

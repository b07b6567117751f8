# SPDX-License-Identifier: GPL-2.0-or-later
"""What a fetch brought, as text."""

from __future__ import annotations

from collections.abc import Sequence

from kbisect.git.fetching import Arrival
from kbisect.report.terminal import Style, printable, table


def arrived(arrivals: Sequence[tuple[str, Arrival]], style: Style) -> str:
    """List the trees and what came."""
    rows = [(tree, _what(each), _range(each), each.ref) for tree, each in arrivals]
    return table(("tree", "arrived", "range", "ref"), rows, style)


def line(tree: str, arrival: Arrival) -> str:
    """Say on one line what came of one tree."""
    return printable(f"{tree}: {_what(arrival)} {_range(arrival)}".rstrip())


def _what(arrival: Arrival) -> str:
    if arrival.old == arrival.oid:
        return "nothing new"
    commits = f"{arrival.new:,} commit{'' if arrival.new == 1 else 's'}"
    return f"{commits}, rewritten" if arrival.rewritten else commits


def _range(arrival: Arrival) -> str:
    if arrival.old is None:
        return f"new at {arrival.oid[:12]}"
    if arrival.old == arrival.oid:
        return arrival.oid[:12]
    dots = "..." if arrival.rewritten else ".."
    return f"{arrival.old[:12]}{dots}{arrival.oid[:12]}"

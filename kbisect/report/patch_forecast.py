# SPDX-License-Identifier: GPL-2.0-or-later
"""Would it apply: forecasts of patches, reverts and rebases as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kbisect.patch.application import Forecast, Outcome, State
from kbisect.patch.breakage import Broken
from kbisect.patch.revert import Use
from kbisect.report.bisection import count
from kbisect.report.terminal import PLAIN, Style, name, printable

_COLORS = {
    State.CLEAN: "green",
    State.MERGED: "green",
    State.ALREADY: "cyan",
    State.FUZZ: "yellow",
    State.CONFLICT: "red",
    State.REFUSED: "red",
}
_NAMES = 6
_LINES = 8


def mark(state: State, style: Style) -> str:
    """Return a state as it stands before a title."""
    return style(f"{state.value:8}", _COLORS[state])


def lines(forecast: Forecast, style: Style = PLAIN) -> Iterable[str]:
    """Yield a forecast's lines: the state, then what is in the way."""
    same = f"as {forecast.same_as[:12]}" if forecast.same_as else ""
    said = "; ".join(filter(None, (same, printable(forecast.how))))
    how = f"   ({said})" if said else ""
    yield f"{mark(forecast.state, style)} {printable(forecast.title)}{how}"
    if forecast.lacks:
        yield "           " + lacks(forecast.lacks, style)
    if forecast.state is not State.CONFLICT:
        return
    for path, line in forecast.conflicts[:5]:
        yield f"           {printable(path)}:{line}"
    if len(forecast.conflicts) > 5:
        yield f"           and {len(forecast.conflicts) - 5} more hunks"
    for blocker in forecast.blockers[:5]:
        why = (
            f"took {count(blocker.lines, 'line')} it expects"
            if blocker.lines
            else "changed the file last"
        )
        yield f"           {name(blocker.oid, blocker.subject)}: {why}"
    if not forecast.blockers:
        yield "           no commit there is in its way: it wants what it was made on"


def lacks(names: Sequence[str], style: Style = PLAIN) -> str:
    """Say which names that new lines use aren't there."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    said = ", ".join(map(printable, names[:_NAMES]))
    return style("won't compile", "red") + f": no {said}{more} there"


def broken(uses: Sequence[Broken | Use], style: Style = PLAIN) -> Iterable[str]:
    """Yield which lines would no longer compile, of how many; nothing where none would."""
    if not uses:
        return
    names = list(dict.fromkeys(use.name for use in uses))
    also = f" and {len(names) - _LINES} more" if len(names) > _LINES else ""
    said = f"{count(len(uses), 'use')} of {', '.join(map(printable, names[:_LINES]))}{also}"
    yield style("would break", "red") + f": {said}"
    for use in uses[:_LINES]:
        by = f"   {use.by[:12]}" if isinstance(use, Use) and use.by else ""
        why = "" if use.why == "is gone" else f"   ({use.why})"
        yield f"  {printable(use.path)}:{use.line}: {printable(use.text)}{why}{by}"
    if len(uses) > _LINES:
        yield f"  and {len(uses) - _LINES} more"


def text(outcome: Outcome, onto: str, branch: str | None, style: Style = PLAIN) -> str:
    """Render a series' forecast.

    Parameters
    ----------
    onto : as the user named it
    branch : the branch that was made, if one was
    """
    said = [style(f"onto {printable(onto)} ({outcome.onto[:12]})", "bold")]
    for forecast in outcome.forecasts:
        said += lines(forecast, style)
    said += broken(outcome.broken, style)
    applied = sum(each.state.holds for each in outcome.forecasts)
    total = len(outcome.forecasts)
    already = sum(each.state is State.ALREADY for each in outcome.forecasts)
    there = f", {already} {'is' if already == 1 else 'are'} there already" if already else ""
    if branch:
        said.append(f"{applied} of {total} applied on the new branch {printable(branch)}{there}.")
        said.append(f"Next: git log {printable(onto)}..{printable(branch)}")
    else:
        said.append(f"{applied} of {total} apply{there}; nothing was changed.")
        if outcome.holds:
            said.append('"Applies" is not "correct". To make a branch: --branch NAME')
    return "\n".join(said) + "\n"


def content(outcome: Outcome, branch: str | None) -> dict[str, object]:
    """Return the content of kbisect.patch-apply/1.

    `onto`, `tree` (object), `applies`, `branch`; `patches`: `title`, `state` (clean, merged, fuzz,
    already, conflict, refused), `how`, `tree`, `conflicts` (`path`, `line`), `blockers` (`oid`,
    `subject`, `paths`, `lines`), `same_as`, `lacks` (names that it uses and that aren't there);
    `broken`: lines that would no longer compile after all of it (`name`, `path`, `line`, `text`,
    `why`).
    """
    return {
        "onto": outcome.onto,
        "tree": outcome.tree,
        "applies": outcome.holds,
        "patches": [
            {
                "title": each.title,
                "state": each.state,
                "how": each.how,
                "tree": each.tree,
                "conflicts": [{"path": path, "line": line} for path, line in each.conflicts],
                "blockers": each.blockers,
                "same_as": each.same_as,
                "lacks": each.lacks,
            }
            for each in outcome.forecasts
        ],
        "broken": outcome.broken,
        "branch": branch,
    }

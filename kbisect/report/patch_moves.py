# SPDX-License-Identifier: GPL-2.0-or-later
"""Reverts and rebases as text."""

from __future__ import annotations

from kbisect.patch.rebase import Fate, Rebase
from kbisect.patch.revert import Revert
from kbisect.report import patch_forecast
from kbisect.report.terminal import PLAIN, Style, name, printable

_COLORS = {
    Fate.CLEAN: "green",
    Fate.UPSTREAM: "cyan",
    Fate.EMPTY: "cyan",
    Fate.CONFLICT: "red",
}
_ROWS = 8


def revert(found: Revert, onto: str, branch: str | None, style: Style = PLAIN) -> str:
    """Render a revert's forecast: the text first, then what would break.

    Parameters
    ----------
    onto : as the user named it
    branch : the branch that was made, if one was
    """
    lines = [
        style(f"revert {name(found.oid, found.subject)}", "bold"),
        f"onto {printable(onto)} ({found.onto[:12]})",
    ]
    if not found.is_there:
        text = "what is taken back is its text" if found.tree else "nor is its text as it was"
        lines.append(f"  not in there by this name: {text}")
    if found.changes_nothing:
        lines.append("  changes nothing: its effect is gone already")
    elif found.tree is not None:
        lines.append(style("  clean", "green") + " as text")
    else:
        conflicts = ", ".join(printable(path) for path in found.conflicts[:_ROWS])
        more = len(found.conflicts) - _ROWS
        also = f" and {more} more" if more > 0 else ""
        lines.append(style("  conflict", "red") + f" {conflicts}{also}")
        # Of what isn't there, who changed the file last says nothing.
        named = [each for each in found.blockers if each.lines or found.is_there]
        for blocker in named[:_ROWS]:
            why = (
                f"changed {blocker.lines} of its lines"
                if blocker.lines
                else "changed the file last"
            )
            lines.append(f"    {name(blocker.oid, blocker.subject)}: {why}")
    lines += (f"  {line}" for line in patch_forecast.broken(found.uses, style))
    if found.later:
        lines.append("  built on it since")
        lines += [
            f"    {name(each.oid, each.subject)}: {each.kind}" for each in found.later[:_ROWS]
        ]
    if branch:
        lines.append(f"Made the branch {printable(branch)}; its message still wants the reason.")
        lines.append(f"Next: git commit --amend on {printable(branch)}")
    else:
        lines.append("Nothing was changed. Uses without the name aren't found: build and test it.")
    return "\n".join(lines) + "\n"


def revert_content(found: Revert, branch: str | None) -> dict[str, object]:
    """Return the content of kbisect.patch-revert/1.

    `oid`, `subject`, `onto`, `is_there`, `clean`, `empty`, `tree` (object), `conflicts`, `blockers`
    (`oid`, `subject`, `paths`, `lines`), `uses` (`name`, `path`, `line`, `text`, `by`, `why`),
    `later` (`oid`, `subject`, `kind`), `branch`.
    """
    return {
        "oid": found.oid,
        "subject": found.subject,
        "onto": found.onto,
        "is_there": found.is_there,
        "clean": found.tree is not None,
        "empty": found.changes_nothing,
        "tree": found.tree,
        "conflicts": found.conflicts,
        "blockers": found.blockers,
        "uses": found.uses,
        "later": found.later,
        "branch": branch,
    }


def rebase(found: Rebase, onto: str, branch: str | None, style: Style = PLAIN) -> str:
    """Render a rebase's forecast, commit by commit; arguments as for `revert`."""
    lines = [style(f"onto {printable(onto)} ({found.onto[:12]})", "bold")]
    for step in found.steps:
        mark = style(f"{step.fate.value:8}", _COLORS[step.fate])
        lines.append(f"{mark} {name(step.oid, step.subject)}")
        if step.upstream:
            lines.append(f"           as {step.upstream[:12]}, by {step.evidence}")
        if step.lacks:
            lines.append("           " + patch_forecast.lacks(step.lacks, style))
        if step.conflicts:
            lines.append("           " + ", ".join(map(printable, step.conflicts[:_ROWS])))
        lines += [f"           {name(*blocker)}" for blocker in step.blockers]
    counts = {fate: sum(step.fate is fate for step in found.steps) for fate in Fate}
    said = [f"{count} {fate.value}" for fate, count in counts.items() if count]
    lines.append(f"{', '.join(said)} of {len(found.steps)}.")
    if branch:
        lines.append(f"Next: git log {printable(onto)}..{printable(branch)}")
    else:
        lines.append("Nothing was changed. To make a branch: --branch NAME")
    return "\n".join(lines) + "\n"


def rebase_content(found: Rebase, branch: str | None) -> dict[str, object]:
    """Return the content of kbisect.patch-rebase/1.

    `onto`, `clean`, `branch`; `steps`: `oid`, `subject`, `fate` (clean, upstream, empty, conflict),
    `upstream`, `evidence`, `conflicts`, `blockers`, `lacks` (names that it uses and that aren't
    there).
    """
    return {
        "onto": found.onto,
        "clean": found.holds,
        "steps": [
            {
                "oid": step.oid,
                "subject": step.subject,
                "fate": step.fate,
                "upstream": step.upstream,
                "evidence": step.evidence,
                "conflicts": step.conflicts,
                "blockers": [{"oid": oid, "subject": subject} for oid, subject in step.blockers],
                "lacks": step.lacks,
            }
            for step in found.steps
        ],
        "branch": branch,
    }

# SPDX-License-Identifier: GPL-2.0-or-later
"""One step, or one guest, as text and JSON."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kbisect.bisect.verdict import Cause, Verdict
from kbisect.report.bisection import duration
from kbisect.report.terminal import PLAIN, Style, printable

if TYPE_CHECKING:
    from kbisect.lab.single import Single
    from kbisect.lab.stages import StageRun

_COLOURS = {Verdict.GOOD: "green", Verdict.BAD: "red", Verdict.SKIP: "yellow"}


def document(done: Single) -> dict[str, object]:
    """Return the JSON keys of a step."""
    return {
        "oid": done.oid,
        "verdict": done.verdict,
        "cause": done.cause,
        "exit_code": done.seen.exit_code,
        "timed_out": done.seen.timed_out,
        "crash": done.seen.crash,
        "stage": done.seen.stage,
        "reports": done.reports,
        "image": done.image,
        "seconds": done.seconds,
        "stages": done.stages,
        "folder": done.folder,
    }


def step(done: Single, style: Style = PLAIN) -> str:
    """Tell of one step: its stages with their command lines, to paste, then the verdict."""
    lines = []
    for run in done.stages:
        lines.append(f"{run.stage:<7}{_came(run)}")
        if not run.reused:
            lines.append(f"       cd {printable(run.directory)} && {printable(run.command)}")
    lines += [f"console: {printable(report)}" for report in done.reports]
    why = "" if done.cause is Cause.TEST else f"{done.cause}: "
    said = style(str(done.verdict), "bold", _COLOURS[done.verdict])
    lines.append(f"{said} {done.oid[:12]} ({why}{done.seen})")
    if done.unhunted is not None:
        lines.append(f"To call this bad: --signature {printable(shlex.quote(done.unhunted))}")
    lines.append(f"Output: {printable(str(done.folder))}")
    return "\n".join(lines) + "\n"


def _came(run: StageRun) -> str:
    if run.reused:
        return "built already"
    how = f"exit {run.exit_code}" if run.exit_code is not None else str(run.why)
    return f"{how}, {duration(run.seconds)}, {printable(run.output)}"


def console(text: str) -> str:
    """Return a console's text, which can't drive the terminal."""
    return "".join(f"{printable(line.rstrip())}\n" for line in text.splitlines())

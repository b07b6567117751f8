# SPDX-License-Identifier: GPL-2.0-or-later
"""A regression report as a mail to the people who can fix it, in the form regzbot reads."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kbisect.bisect.result import Result
from kbisect.report import bisection, fixes
from kbisect.report.bisection import Namer
from kbisect.report.terminal import printable

if TYPE_CHECKING:
    from kbisect.lab.regression import Regression

_NOBODY = "(nobody: the culprit's files have no maintainer)"


def render(report: Regression, log: str, name: Namer) -> str:
    """Write the mail: headers, an empty line, the body.

    Parameters
    ----------
    log : of the bisection, as git prints it
    """
    result, culprit = report.result, report.culprit
    lines = [
        *_header("To", report.to or (_NOBODY,)),
        *_header("Cc", report.cc),
        f"Subject: [REGRESSION] {printable(report.area)}{printable(report.what)} fails "
        f"since {report.since}",
        "",
    ]
    if culprit is not None:
        lines += [f"Commit {name(culprit.oid)}", f"makes {printable(report.what)} fail."]
        lines += _origin(report)
        introduced = culprit.oid[:12]
    else:
        lines.append(f"{printable(report.what)} fails in {report.bad} and works in {report.good}.")
        lines += _suspects(result, name)
        introduced = f"{report.ends[0][:12]}..{report.ends[1][:12]}"
    lines += [f"Last good {report.good}, bad {report.bad}.", ""]
    lines += [f"  {line}" for line in bisection.checks(result)]
    lines += [f"  {line}" for line in _elsewhere(report, name)]
    if result.confidence is not None:
        lines.append(f"Confidence {result.confidence:.3f}. {bisection.counts(result)}")
    else:
        lines.append(bisection.counts(result))
    lines += ["", *_reproduce(report), ""]
    lines += ["The bisection, for `git bisect replay`:", ""]
    lines += [f"  {printable(line)}" for line in log.splitlines()]
    if culprit is not None:
        # A quotation, so that no tool takes it for a trailer of this mail.
        lines += ["", f"For the fix: Fixes: {name(culprit.oid)}"]
    lines += ["", f"#regzbot introduced: {introduced}"]
    return "\n".join(lines) + "\n"


def _header(field: str, addresses: Sequence[str]) -> list[str]:
    """Fold a list of addresses, one a line."""
    if not addresses:
        return []
    first, *rest = (printable(each) for each in addresses)
    lines = [f"{field}: {first}", *(f"    {each}" for each in rest)]
    return [line + "," for line in lines[:-1]] + lines[-1:]


def _origin(report: Regression) -> list[str]:
    lines = []
    if report.lineage:
        landed = f", merged to mainline by {report.landed[:12]}" if report.landed else ""
        lines.append(f"Came through {printable(' > '.join(report.lineage))}{landed}.")
    if report.stable:
        of = f", a backport of {report.upstream[:12]}" if report.upstream else ""
        lines.append(f"Both ends are in the stable series {report.stable}{of}.")
    return lines


def _suspects(result: Result, name: Namer) -> list[str]:
    if result.culprit is not None:
        return [f"A search led to {name(result.culprit)}, which nothing confirms yet."]
    few = result.suspects[:10]
    lines = [f"The first bad commit is one of {len(result.suspects):,}, which can't be told apart:"]
    lines += [f"  {name(oid)}" for oid in few]
    if len(few) < len(result.suspects):
        lines.append("  ...")
    return lines


def _elsewhere(report: Regression, name: Namer) -> list[str]:
    fixed = report.fixed
    if not fixed.looked:
        return ["not looked for fixes: there is no index"]
    if not report.culprit:
        return []
    other = "other " if fixed.vain else ""
    none = f"no {other}later commit here says it repairs the culprit{fixes.as_of(fixed)}"
    return [*fixes.vain(fixed, name), none]


def _reproduce(report: Regression) -> list[str]:
    rev = report.culprit.oid[:12] if report.culprit else report.ends[1][:12]
    words = ["kbisect", "lab", "step", rev]
    if report.recipe:
        words += ["--recipe", report.recipe.rpartition("/")[2]]
    return [f"Reproduce: {printable(shlex.join([*words, *report.command]))}"]

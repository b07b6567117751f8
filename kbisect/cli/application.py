# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches put on, taken back and moved: patch apply, revert, rebase. In memory until asked."""

from __future__ import annotations

import click

from kbisect.cli import posted
from kbisect.cli.session import Session, json_option, pass_session

exit_code = click.option("--exit-code", is_flag=True, help="Exit with 1 if any doesn't apply.")
onto_option = click.option("--onto", required=True, metavar="REV", help="Where to.")


@click.command()
@click.argument("given", metavar="MBOX|FILE|REV|-")
@onto_option
@click.option("--branch", metavar="NAME", help="Make a new branch of it, if all of it applies.")
@exit_code
@json_option
@pass_session
def apply(
    session: Session, given: str, onto: str, branch: str | None, exit_code: bool, as_json: bool
) -> int:
    """Say whether a series applies, patch by patch, and who is in the way; change nothing.

    \b
    kbisect patch apply series.mbox --onto net-next
    kbisect patch apply series.mbox --onto v3.9 --branch try
    """
    from kbisect.git.application import Applier
    from kbisect.history.names import resolve
    from kbisect.patch import application
    from kbisect.patch import branch as branching
    from kbisect.report import patch_forecast as report

    series = posted.load(session, given)
    repository = session.repository
    applier = Applier(repository)
    tip = resolve(repository, onto, session.say)
    outcome = application.forecast(repository, series, tip, applier)
    if not series.is_complete:
        session.say(f"the series is incomplete: {len(series.patches)} of {series.total} are here")
    if branch is not None:
        branching.make(repository, applier, series, outcome, branch)
    session.answer(
        "patch-apply",
        report.content(outcome, branch),
        lambda style: report.text(outcome, onto, branch, style),
        as_json,
    )
    return int(exit_code and not outcome.holds)


COMMANDS = (apply,)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches put on, taken back and moved: patch apply, revert, rebase. In memory until asked."""

from __future__ import annotations

from collections.abc import Callable

import click

from kbisect.cli import posted
from kbisect.cli.session import Command, Session, json_option, pass_session
from kbisect.errors import UsageError


def forecasting(branch: str, failure: str) -> Callable[[Command], Command]:
    """Give a command what all of them take: a place, a branch of it, an exit code that tells.

    Parameters
    ----------
    branch : help of --branch
    failure : help of --exit-code
    """
    options = (
        click.option("--onto", required=True, metavar="REV", help="Where to."),
        click.option("--branch", metavar="NAME", help=branch),
        click.option("--exit-code", is_flag=True, help=failure),
        json_option,
    )

    def give(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return give


@click.command()
@click.argument("given", nargs=-1, required=True, metavar="MBOX|FILE|REV|-…")
@forecasting(
    "Make a new branch of it, if all of it applies.",
    "Exit with 1 if a patch neither applies nor is there already.",
)
@pass_session
def apply(
    session: Session,
    given: tuple[str, ...],
    onto: str,
    branch: str | None,
    exit_code: bool,
    as_json: bool,
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

    series = posted.load(session, *given)
    repository = session.repository
    applier = Applier(repository)
    tip = resolve(repository, onto, session.say)
    outcome = application.forecast(repository, series, tip, applier)
    if not series.is_complete:
        session.say(f"the series is incomplete: {len(series.patches)} of {series.total} are here")
    if branch is not None:
        branching.make(repository, applier, series, outcome, branch)
    for remark in dict.fromkeys(each for patch in series.patches for each in patch.mail.remarks):
        session.say(f"note: {remark}")
    posted.say_rest(session, series)
    session.answer(
        "patch-apply",
        report.content(outcome, branch),
        lambda style: report.text(outcome, onto, branch, style),
        as_json,
    )
    return int(exit_code and outcome.fails)


@click.command()
@click.argument("rev")
@forecasting("Make a new branch with it.", "Exit with 1 if it conflicts or would break something.")
@pass_session
def revert(
    session: Session, rev: str, onto: str, branch: str | None, exit_code: bool, as_json: bool
) -> int:
    """Say whether a commit can be taken back from REV, and what was built on it and would break.

    \b
    kbisect patch revert b23dd4fe42b4 --onto v2.6.39
    """
    from kbisect.history.names import resolve
    from kbisect.patch import revert as reverting
    from kbisect.report import patch_moves as report

    repository = session.repository
    found = reverting.forecast(
        repository,
        resolve(repository, rev, session.say),
        resolve(repository, onto, session.say),
        posted.index_if_any(session),
    )
    if branch is not None:
        reverting.make(repository, found, branch)
    session.answer(
        "patch-revert",
        report.revert_content(found, branch),
        lambda style: report.revert(found, onto, branch, style),
        as_json,
    )
    return int(exit_code and not found.holds)


@click.command()
@click.argument("revisions", metavar="A..B")
@forecasting("Make a new branch of it, if nothing conflicts.", "Exit with 1 if a commit conflicts.")
@pass_session
def rebase(
    session: Session, revisions: str, onto: str, branch: str | None, exit_code: bool, as_json: bool
) -> int:
    """Say how a range moves onto REV: which commits are there already, which conflict.

    \b
    kbisect patch rebase v3.9..topic --onto net-next
    """
    from kbisect.history.names import resolve
    from kbisect.patch import rebase as moving
    from kbisect.report import patch_moves as report

    first, dots, last = revisions.partition("..")
    if not dots or last.startswith("."):
        raise UsageError(f"{revisions} is no range", hint="name it as A..B")
    repository = session.repository
    old, new, base = (
        resolve(repository, name or "HEAD", session.say) for name in (first, last, onto)
    )
    found = moving.forecast(repository, old, new, base)
    if branch is not None:
        moving.make(repository, found, branch)
    session.answer(
        "patch-rebase",
        report.rebase_content(found, branch),
        lambda style: report.rebase(found, onto, branch, style),
        as_json,
    )
    return int(exit_code and not found.holds)


COMMANDS = (apply, revert, rebase)

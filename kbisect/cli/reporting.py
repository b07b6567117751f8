# SPDX-License-Identifier: GPL-2.0-or-later
"""What a campaign says: status, log, report, and the confirmation of its culprit."""

from __future__ import annotations

import sys
import time
from functools import cache
from typing import TYPE_CHECKING

import click

from kbisect.cli import campaigns
from kbisect.cli.session import Session, form_option, json_option, pass_session
from kbisect.errors import UsageError
from kbisect.report import bisection
from kbisect.report.terminal import Style, printable

if TYPE_CHECKING:
    from kbisect.lab.campaign import Campaign

_LOOK = 1.0
"""Seconds between two looks of `status --watch`."""


@click.command()
@click.option("--why", is_flag=True, help="Say which commits are suspected beforehand.")
@click.option("--watch", is_flag=True, help="Go on saying it until the campaign ends or stops.")
@json_option
@pass_session
def status(session: Session, why: bool, watch: bool, as_json: bool) -> None:
    """Say how far the search is."""
    from kbisect.lab.journal import Campaigns

    campaign = campaigns.current(session)
    if not watch:
        if Campaigns(session.repository.store).holder is None:
            campaigns.warn_of_cut(session, campaign)
        campaigns.show(session, campaign, "bisect-status", as_json, why=why)
        return
    if as_json:
        raise UsageError("--watch says many things, --json one", hint="leave one of them out")
    _watch(session, campaign)


def _watch(session: Session, campaign: Campaign) -> None:
    """Say it again whenever something happened."""
    from kbisect.lab import running
    from kbisect.lab.journal import Campaigns

    store = Campaigns(session.repository.store)
    said = None
    while True:
        pid = store.holder
        crewed = running.read(campaign.folder, pid)
        now = len(campaign.journal.events), crewed
        if now != said:
            if said is not None and sys.stdout.isatty():
                click.clear()
            campaigns.show(session, campaign, "bisect-status", as_json=False)
            said = now
        if campaign.state.finished is not None:
            return
        if pid is None:
            if not campaign.state.started.by_hand:
                session.say("nobody is at work on it; to go on: kbisect bisect run --resume")
            return
        time.sleep(_LOOK)
        campaign = campaigns.current(session)


@click.command()
@json_option
@pass_session
def log(session: Session, as_json: bool) -> None:
    """Print the search as `git bisect log` does; `git bisect replay` reads it."""
    campaign = campaigns.current(session)
    campaigns.warn_of_cut(session, campaign)
    written = git_log(session, campaign)
    content = {"log": written, "events": bisection.events(campaign.journal.events)}
    session.answer("bisect-log", content, lambda _: printable(written), as_json)


@click.command()
@form_option(
    "text",
    "mail",
    "html",
    "json",
    explained="html: one page with pictures, of an open campaign too; redirect it.",
)
@json_option
@pass_session
def report(session: Session, form: str, as_json: bool) -> None:
    """Report the campaign that has ended."""
    from kbisect.lab import account, fixed, regression
    from kbisect.report import mail

    campaign = campaigns.current(session)
    result, journal, names = campaign.result(), str(campaign.journal.path), campaigns.namer(session)
    if result.outcome is None and (form != "html" or as_json):
        raise UsageError(
            "the campaign is still open", hint="kbisect bisect status, or --format html"
        )
    found = fixed.look(session.repository, result, campaign.state.ends[0] or "")
    if form == "html" and not as_json:
        from kbisect.report import bisection_html

        subjects = cache(lambda oid: session.repository.commit(oid).subject)
        told, listed = account.give(campaign), git_log(session, campaign)
        session.write(bisection_html.page(told, found, journal, listed, subjects), paged=False)
        return
    written, offered = "", campaign.repairs()
    if form == "mail" and not as_json:
        about = regression.gather(campaign, result, found, time.time())
        written = mail.render(about, git_log(session, campaign), names)

    def render(style: Style) -> str:
        return written or bisection.text(result, journal, names, style, found, offered)

    more = {"already_fixed": found or None, "fixups": offered}
    content = bisection.document(result, journal, more)
    session.answer("bisect-report", content, render, as_json or form == "json")


@click.command()
@campaigns.workers_option
@click.option("--scheduler", metavar="ADDRESS", help="Run the steps on a Dask cluster's workers.")
@json_option
@pass_session
def confirm(session: Session, workers: int | None, scheduler: str | None, as_json: bool) -> int:
    """Test once more what a campaign found: culprit, parents, revert, and the tips."""
    from kbisect.bisect.events import Outcome
    from kbisect.lab import confirmation, fixed
    from kbisect.lab.journal import Campaigns
    from kbisect.lab.work import Work

    with Campaigns(session.repository.store).locked():
        campaign = campaigns.current(session)
        if (
            campaign.state.finished is None
            or campaign.state.finished.outcome is not Outcome.CULPRIT
        ):
            raise UsageError("there is no culprit to confirm yet", hint="kbisect bisect status")
        if campaign.state.started.by_hand:
            raise UsageError(
                "this campaign was by hand: there is no script to confirm it with",
                hint="kbisect lab step REV ./test.sh, at the culprit and its parent",
            )
        work = Work.of(campaign).in_campaign(campaign)
        with campaigns.crew(session, work, workers, scheduler) as crew:
            confirmation.again(
                campaign,
                crew,
                work,
                lambda progress: session.say(
                    bisection.progress(progress, campaigns.namer(session))
                ),
                campaigns.notice(session),
            )
    result = campaign.result()
    found = fixed.look(session.repository, result, campaign.state.ends[0] or "")
    content = {
        "culprit": result.culprit,
        "confirmed": result.is_confirmed,
        "checks": result.checks,
        "unchecked": result.unchecked,
        "already_fixed": found or None,
    }
    journal, names = str(campaign.journal.path), campaigns.namer(session)
    session.answer(
        "bisect-confirm",
        content,
        lambda style: bisection.text(result, journal, names, style, found),
        as_json,
    )
    return 0 if result.is_confirmed else 1


def git_log(session: Session, campaign: Campaign) -> str:
    """Return the campaign as `git bisect log` prints it."""
    from kbisect.bisect import gitlog

    state = campaign.state
    oids = {oid for oid, _ in state.verdicts}
    if state.finished is not None:
        oids.update(state.finished.suspects)
    subjects = {oid: session.repository.commit(oid).subject for oid in oids}
    return gitlog.render(state, subjects, campaign.believed())

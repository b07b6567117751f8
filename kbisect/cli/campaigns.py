# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands on campaigns share: find the current one, show it, name commits."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kbisect.cli.session import Session
from kbisect.errors import UsageError
from kbisect.report import bisection
from kbisect.report.terminal import Style, name

if TYPE_CHECKING:
    from types import FrameType

    from kbisect.lab.campaign import Campaign
    from kbisect.lab.executors import Crew, Gap
    from kbisect.lab.recipe import Recipe


def _workers(context: click.Context, option: click.Parameter, value: str | None) -> int | None:
    """Read a number of workers, or `auto`."""
    if value == "auto":
        return 0  # lab.room.AUTO, which isn't loaded for --help
    if value is None:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= 256:
        raise click.BadParameter(f"{value} is no number from 1 to 256, and not auto")
    return int(value)


_PATIENCE = "kbisect.workerWait"

workers_option = click.option(
    "--workers",
    callback=_workers,
    metavar="N|auto",
    help="Test N commits at a time (1); auto: as many as there is room for.",
)


@contextmanager
def crew(
    session: Session,
    recipe: Recipe,
    asked: int | None,
    scheduler: str | None = None,
    hosts: str | None = None,
) -> Iterator[Crew]:
    """Give the workers of a campaign, and say how many where that is this machine's choice."""
    from kbisect.lab import fleet, room

    if scheduler is None and hosts is None:
        found = room.staff(asked, recipe.memory, room.here())
        if found.note:
            session.say(found.note)
        asked = found.workers
    patience = _patience(session)
    with fleet.connect(scheduler, asked, hosts, recipe.resources, patience) as connected:
        yield connected


def _patience(session: Session) -> float:
    """Return the seconds that a campaign waits for a worker once all are gone."""
    from kbisect.lab import fleet, recipe

    said = session.repository.config(_PATIENCE)
    if said is None:
        return fleet.PATIENCE
    try:
        return recipe.seconds(said)
    except ValueError:
        raise UsageError(
            f"{_PATIENCE} is {said!r}, which is no time", hint=f"git config {_PATIENCE} '90 min'"
        ) from None


def notice(session: Session) -> Callable[[Gap | None], None]:
    """Return what says that there is no worker, or one again."""
    return lambda gap: session.say(bisection.gap(gap))


@contextmanager
def ended_politely() -> Iterator[None]:
    """Take SIGTERM and SIGHUP for ^C: what runs is ended, and how to go on is said."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def resolve(session: Session, revision: str) -> str:
    """Return the oid of a commit that the user named."""
    from kbisect.history import names

    return names.resolve(session.repository, revision, session.say)


def namer(session: Session) -> bisection.Namer:
    """Return what names a commit for people."""
    return lambda oid: name(oid, session.repository.commit(oid).subject)


def current(session: Session) -> Campaign:
    """Return the current campaign.

    Raises
    ------
    UsageError
        There is none.
    """
    from kbisect.lab.campaign import Campaign

    campaign = Campaign.current(session.repository)
    if campaign is None:
        raise UsageError(
            "there is no bisection here",
            hint="kbisect bisect run --good REV ./test.sh, or: kbisect bisect start",
        )
    return campaign


def warn_of_cut(session: Session, campaign: Campaign) -> None:
    """Say that the journal's last line is not whole; nobody else may be writing it."""
    if campaign.journal.cut:
        session.say("the journal's last line was cut in the middle; it is left out")


def say_suspicion(session: Session, campaign: Campaign) -> None:
    """Say in a line what the paths that the user named do, once the ends are known."""
    started = campaign.state.started
    if (started.only or started.suspects) and campaign.ends is not None:
        session.say(bisection.suspicion(started, campaign.sources))


def require_no_open_campaign(session: Session, differing: Sequence[str] = ()) -> None:
    """Refuse to put a campaign aside that somebody gave verdicts to.

    Parameters
    ----------
    differing : what makes it another than the one that is asked for
    """
    from kbisect.lab.campaign import Campaign

    campaign = Campaign.current(session.repository)
    if campaign and campaign.state.finished is None and campaign.state.answers:
        raise UsageError(
            f"another campaign is open here, with {len(campaign.state.answers)} verdicts"
            + (f"; it differs in: {', '.join(differing)}" if differing else ""),
            hint="kbisect bisect status; finish it, or put it aside: kbisect bisect reset",
        )


def show(
    session: Session,
    campaign: Campaign,
    command: str,
    as_json: bool,
    more: Mapping[str, object] | None = None,
    why: bool = False,
) -> None:
    """Print how far a campaign is, or what it found."""
    from kbisect.bisect.moves import Try
    from kbisect.lab import running
    from kbisect.lab.journal import Campaigns

    state, result, names = campaign.state, campaign.result(), namer(session)
    journal = str(campaign.journal.path)
    crewed = running.read(campaign.folder, Campaigns(session.repository.store).holder)
    planned = campaign.planned() if state.finished is None else None
    expected = campaign.forecast(crewed.workers if crewed else 1)
    coming = planned.oid if isinstance(planned, Try) else None
    sources = campaign.sources if why else ()

    def render(style: Style) -> str:
        reasons = bisection.why(sources) if why else ""
        if state.finished is not None:
            return bisection.text(result, journal, names, style) + reasons
        standing = bisection.standing(state, result, planned, journal, names, crewed, expected)
        return standing + reasons

    content = bisection.document(result, journal, {"next": coming, **(more or {})})
    content |= bisection.progress_document(crewed, expected) | ({"why": sources} if why else {})
    session.answer(command, content, render, as_json)

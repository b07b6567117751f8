# SPDX-License-Identifier: GPL-2.0-or-later
"""A bisection by hand: start, good, bad, skip, undo, replay, reset."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

import click

from kbisect.cli import campaigns
from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import UsageError

if TYPE_CHECKING:
    from kbisect.bisect.verdict import Verdict


class _PathsAfterDashes(click.Command):
    """A command whose words after `--` are paths, as git bisect's: they are suspected."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            paths = [word for path in args[at + 1 :] for word in ("--suspect", path)]
            args = [*paths, *args[:at]]
        return super().parse_args(ctx, args)


@click.command(cls=_PathsAfterDashes, options_metavar="[OPTIONS] [BAD] [GOOD]... [-- PATH...]")
@click.argument("bad", required=False, metavar="")
@click.argument("goods", nargs=-1, metavar="")
@click.option("--first-parent", is_flag=True, help="Follow only the first parent of merges.")
@click.option(
    "--suspect", "suspects", multiple=True, metavar="PATH", help="Look here first (repeatable)."
)
@click.option("--only", multiple=True, metavar="PATH", help="Nothing else can be the culprit.")
@json_option
@pass_session
def start(
    session: Session,
    bad: str | None,
    goods: tuple[str, ...],
    first_parent: bool,
    suspects: tuple[str, ...],
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Begin a search by hand.

    A PATH after -- is looked at first. Commits elsewhere stay candidates, other than in git bisect.
    """
    from kbisect.bisect.events import Started
    from kbisect.lab.campaign import Campaign
    from kbisect.lab.journal import Campaigns

    started = Started(
        at=time.time(),
        bad=campaigns.resolve(session, bad) if bad else None,
        goods=tuple(campaigns.resolve(session, good) for good in goods),
        checkout=False,
        first_parent=first_parent,
        suspects=suspects,
        only=only,
    )
    with Campaigns(session.repository.store).locked():
        campaigns.require_no_open_campaign(session)
        campaign = Campaign.begin(session.repository, started)
        campaign.settle()
        campaigns.say_suspicion(session, campaign)
    campaigns.show(session, campaign, "bisect-start", as_json)


def _verdict_command(verdict_name: str, help_text: str) -> click.Command:
    @click.argument("revisions", nargs=-1, metavar="[REV]...")
    @json_option
    @pass_session
    def command(session: Session, revisions: tuple[str, ...], as_json: bool) -> None:
        from kbisect.bisect.verdict import Verdict

        _tell(session, Verdict(verdict_name), revisions, as_json)

    return click.command(verdict_name, help=help_text)(command)


good = _verdict_command("good", "Say that a commit works (default: the one proposed).")
bad = _verdict_command("bad", "Say that a commit fails (default: the one proposed).")
skip = _verdict_command("skip", "Say that a commit can't be tested (default: the one proposed).")


def _tell(session: Session, verdict: Verdict, revisions: Sequence[str], as_json: bool) -> None:
    from kbisect.bisect.moves import Try
    from kbisect.lab.campaign import Campaign
    from kbisect.lab.journal import Campaigns

    with Campaigns(session.repository.store).locked():
        campaign = Campaign.current(session.repository)
        if campaign is None:
            raise UsageError(
                "no bisection is running here",
                hint=f"begin one first: kbisect bisect start; then: kbisect bisect {verdict}",
            )
        campaigns.warn_of_cut(session, campaign)
        if revisions:
            oids = [campaigns.resolve(session, revision) for revision in revisions]
        else:
            planned = campaign.planned()
            proposed = planned.oid if isinstance(planned, Try) else None
            oids = [proposed or campaigns.resolve(session, "HEAD")]
        had_ends = campaign.ends is not None
        for oid in oids:
            campaign.tell(oid, verdict)
            session.say(f"{verdict}: {campaigns.namer(session)(oid)}")
        campaign.settle()
        if not had_ends:
            campaigns.say_suspicion(session, campaign)
    campaigns.show(session, campaign, f"bisect-{verdict}", as_json)


@click.command()
@json_option
@pass_session
def undo(session: Session, as_json: bool) -> None:
    """Take the last verdict back, by hand or by script."""
    from kbisect.lab.journal import Campaigns

    with Campaigns(session.repository.store).locked():
        campaign = campaigns.current(session)
        taken = campaign.undo()
        session.say(f"taken back: {taken.verdict} {campaigns.namer(session)(taken.oid)}")
    campaigns.show(session, campaign, "bisect-undo", as_json)


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8", errors="replace"))
@json_option
@pass_session
def replay(session: Session, file: IO[str], as_json: bool) -> None:
    """Begin with what a log says (`git bisect log`, `kbisect bisect log`; - for stdin)."""
    from kbisect.bisect import gitlog
    from kbisect.bisect.events import Started
    from kbisect.lab.campaign import Campaign
    from kbisect.lab.journal import Campaigns

    read = gitlog.parse(file.read())
    told = [(campaigns.resolve(session, revision), verdict) for revision, verdict in read.verdicts]
    if not told:
        raise UsageError(
            "the log holds no verdict", hint="git bisect log | kbisect bisect replay -"
        )
    held = Campaigns(session.repository.store)
    with held.locked():
        campaigns.require_no_open_campaign(session)
        started = Started(
            at=time.time(), checkout=False, first_parent=read.first_parent, suspects=read.paths
        )
        campaign = Campaign.begin(session.repository, started)
        try:
            for oid, verdict in told:
                campaign.tell(oid, verdict)
        except UsageError:
            held.discard()  # half of a log is another search
            raise
        campaign.settle()
        campaigns.say_suspicion(session, campaign)
    campaigns.show(session, campaign, "bisect-replay", as_json)


@click.command()
@json_option
@pass_session
def reset(session: Session, as_json: bool) -> None:
    """Put the campaign aside, and remove worktrees. Its journal is kept."""
    from kbisect.lab import slots
    from kbisect.lab.journal import Campaigns

    held = Campaigns(session.repository.store)
    with held.locked():
        if slots.are_there(session.repository):
            session.say("removing worktrees and builds, which takes a moment on a large tree")
        slots.clean(session.repository)
        place = held.archive()
    content = {"journal": place / "journal.jsonl" if place else None}
    said = f"put aside: {place}\n" if place else "there is no campaign here\n"
    session.answer("bisect-reset", content, lambda _: said, as_json)

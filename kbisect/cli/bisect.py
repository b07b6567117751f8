# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect bisect`: find the commit that broke it, by a script or a recipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from kbisect.cli import byhand, campaigns
from kbisect.cli.amounts import Amount
from kbisect.cli.reporting import confirm, log, report, status
from kbisect.cli.session import Session, json_option, pass_session
from kbisect.cli.simulate import simulate
from kbisect.errors import UsageError
from kbisect.report import bisection, fixes

if TYPE_CHECKING:
    from kbisect.bisect.events import Started
    from kbisect.lab.campaign import Campaign
    from kbisect.lab.driver import Progress
    from kbisect.lab.script import Script


_BASE = "kbisect.base"
"""git's setting for the good end where none is named."""


@click.group()
def bisect() -> None:
    """Find the commit that broke it."""


@bisect.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: kbisect bisect run --good v2.6.38 --bad v2.6.39 --timeout 600 ./test.sh",
)
@click.option("--good", "goods", multiple=True, metavar="REV", help="Where it works (repeatable).")
@click.option("--bad", metavar="REV", help="Where it fails (default: HEAD).")
@click.option("--recipe", metavar="FILE", help="How to build, boot and test, in TOML.")
@click.option(
    "--timeout",
    type=Amount(0, min_open=True),
    metavar="S",
    help="End a step after S seconds.",
)
@campaigns.workers_option
@click.option("--scheduler", metavar="ADDRESS", help="Run the steps on a Dask cluster's workers.")
@click.option("--hosts", metavar="H1,H2", help="Start Dask workers on these hosts, by ssh.")
@click.option("--no-checkout", is_flag=True, help="Check nothing out; KBISECT_COMMIT says which.")
@click.option("--first-parent", is_flag=True, help="Follow only the first parent of merges.")
@click.option(
    "--trust-ends", is_flag=True, help="Don't test the ends; git's rule says what is bad."
)
@click.option("--no-tips", is_flag=True, help="Don't test whether net and mainline have a fix.")
@click.option("--find-fix", is_flag=True, help="Find what ended the failure; --bad is older.")
@click.option(
    "--suspect", "suspects", multiple=True, metavar="PATH", help="Look here first (repeatable)."
)
@click.option("--only", multiple=True, metavar="PATH", help="Nothing else can be the culprit.")
@click.option(
    "--prior",
    type=click.Choice(["default", "flat"]),
    default="default",
    help="flat: suspect every candidate alike, in scope or not.",
)
@click.option(
    "--confidence",
    type=Amount(0.5, 0.9999),
    default=0.95,
    metavar="P",
    help="Stop at this confidence (0.95).",
)
@click.option("--resume", is_flag=True, help="Go on with the open campaign, whatever it was given.")
@click.argument("script", nargs=-1, type=click.UNPROCESSED, metavar="[SCRIPT] [ARGS]...")
@json_option
@pass_session
def run(
    session: Session,
    goods: tuple[str, ...],
    bad: str | None,
    recipe: str | None,
    timeout: float | None,
    workers: int | None,
    scheduler: str | None,
    hosts: str | None,
    no_checkout: bool,
    first_parent: bool,
    trust_ends: bool,
    no_tips: bool,
    find_fix: bool,
    suspects: tuple[str, ...],
    only: tuple[str, ...],
    prior: str,
    confidence: float,
    resume: bool,
    script: tuple[str, ...],
    as_json: bool,
) -> int:
    """Find the first bad commit with a script, or a recipe.

    The script runs in a worktree of the commit and says by its exit code how it is: 0 good, 125
    can't be tested. Bad is what it does at the bad end: the same exit code, a time-out, or the same
    kernel crash. Run the same command again to go on after an interruption. Without --good and
    --bad it goes on from a search by hand (`bisect start`, `bisect replay`), as git's does.

    It is told KBISECT_COMMIT, KBISECT_TREE (the worktree), KBISECT_BUILD (a folder kept from step
    to step), KBISECT_OUT (for what should be kept), KBISECT_CONSOLE (where QEMU should write its
    serial console), KBISECT_WORKER and KBISECT_ATTEMPT. Of your environment it sees PATH, HOME,
    LANG, USER and what is named KBISECT_*.
    """
    from kbisect.bisect.events import Started
    from kbisect.lab import fixed
    from kbisect.lab.driver import Driver
    from kbisect.lab.journal import Campaigns
    from kbisect.lab.work import Work

    if not script and not resume and recipe is None:
        raise UsageError("no script was given", hint="kbisect bisect run --good REV ./test.sh")
    repository = session.repository
    repository.require_whole_history()  # before anything is written
    with Campaigns(repository.store).locked(), campaigns.ended_politely():
        if resume:
            campaign = _resumed(session, script)
            work = Work.of(campaign)
            if work.is_outdated:
                session.say(
                    f"{campaign.state.started.script} has changed since the campaign began; "
                    "it goes on with its own copy"
                )
        else:
            work = Work.find(script, recipe, timeout)
            open_one = None if goods or bad else _open(session)
            first, others = _ends(session, goods, bad, open_one)
            if open_one is not None:
                before = open_one.state.started
                first_parent = first_parent or before.first_parent
                suspects, only = suspects or before.suspects, only or before.only
            wanted = Started(
                at=time.time(),
                bad=first,
                goods=tuple(dict.fromkeys(others)),
                script=work.script.name if work.script else None,
                digest=work.script.digest if work.script else None,
                arguments=script[1:],
                timeout=timeout,
                checkout=not no_checkout,
                trust_ends=trust_ends,
                first_parent=first_parent,
                suspects=suspects,
                only=only,
                flat=prior == "flat",
                find_fix=find_fix,
                confidence=confidence,
                recipe=work.recipe_name,
                recipe_digest=work.recipe_digest,
                retries=work.retries,
                tips=() if no_tips or find_fix else fixed.tips(repository, [first, *others]),
            )
            campaign = _continued(session, wanted) or _begun(session, wanted, work.script)

        plan = work.in_campaign(campaign)
        try:
            with campaigns.crew(session, plan, workers, scheduler, hosts) as crew:
                listen, notice = _listener(session, campaign), campaigns.notice(session)
                Driver(campaign, crew, plan, listen, notice).run()
        except KeyboardInterrupt:
            on = f" --scheduler {scheduler}" if scheduler else f" --hosts {hosts}" if hosts else ""
            session.say(f"\nstopped; to go on: kbisect bisect run --resume{on}")
            raise
    return _answer(session, campaign, "bisect-run", as_json)


def _listener(session: Session, campaign: Campaign) -> Callable[[Progress], None]:
    """Return what tells of each test, of a fix at a tip, and of fix-ups to try."""
    from kbisect.bisect.verdict import Role, Verdict

    offered: set[str] = set()
    names = campaigns.namer(session)

    def listen(progress: Progress) -> None:
        run = progress.run
        session.say(bisection.progress(progress, names))
        if run.role is Role.TIP and run.verdict is Verdict.GOOD:
            bad_end, _ = campaign.state.ends
            session.say(fixes.fixed_tip(run, bad_end or ""))
        if run.verdict is not Verdict.SKIP:
            return
        for repair in campaign.repairs():
            if repair.oid not in offered:
                offered.add(repair.oid)
                session.say("\n".join(bisection.fixup(repair, names)))

    return listen


def _answer(session: Session, campaign: Campaign, command: str, as_json: bool) -> int:
    """Tell the result, and return 0 if it is what was asked for."""
    from kbisect.bisect.events import Outcome
    from kbisect.lab import fixed

    result, journal = campaign.result(), str(campaign.journal.path)
    found = fixed.look(session.repository, result, campaign.state.ends[0] or "")
    names, offered = campaigns.namer(session), campaign.repairs()
    session.answer(
        command,
        bisection.document(result, journal, {"already_fixed": found or None, "fixups": offered}),
        lambda style: bisection.text(result, journal, names, style, found, offered),
        as_json,
    )
    campaign.mark_seen()
    if as_json and result.outcome not in {Outcome.CULPRIT, Outcome.RANGE}:
        session.say(f"{result.outcome}: {result.reason}")
    return 0 if result.outcome is Outcome.CULPRIT else 1


for _command in (
    *(byhand.start, byhand.good, byhand.bad, byhand.skip, byhand.undo, byhand.replay, byhand.reset),
    *(status, log, report, confirm, simulate),
):
    bisect.add_command(_command)


# --- how a campaign begins and ends ---------------------------------------------------------------


def _goods(session: Session, goods: Sequence[str]) -> Sequence[str]:
    base = session.repository.config(_BASE)
    if not goods and base is None:
        raise UsageError(
            "no good end was given", hint="--good REV, or once for all: git config kbisect.base REV"
        )
    return goods or [base or ""]


def _open(session: Session) -> Campaign | None:
    """Return the campaign that a script without ends goes on with: by hand, as git bisect's does.

    Where no base is configured also one that was begun so, and interrupted.
    """
    from kbisect.lab.campaign import Campaign

    campaign = Campaign.current(session.repository)
    if campaign is None or campaign.state.finished is not None or campaign.ends is None:
        return None
    by_hand = campaign.state.started.by_hand
    return campaign if by_hand or session.repository.config(_BASE) is None else None


def _ends(
    session: Session, goods: Sequence[str], bad: str | None, open_one: Campaign | None
) -> tuple[str, Sequence[str]]:
    """Return the bad end and the good ones: named, or those that an open campaign has come to."""
    if open_one is not None:
        return open_one.narrowed
    first = campaigns.resolve(session, bad or "HEAD")
    return first, [campaigns.resolve(session, good) for good in _goods(session, goods)]


def _resumed(session: Session, script: Sequence[str]) -> Campaign:
    campaign = campaigns.current(session)
    campaigns.warn_of_cut(session, campaign)
    if script:
        raise UsageError("--resume goes on with the script it has", hint="leave the script out")
    if campaign.state.started.by_hand:
        raise UsageError(
            "the open campaign is one by hand", hint="kbisect bisect status, or bisect reset"
        )
    return campaign


def _continued(session: Session, wanted: Started) -> Campaign | None:
    """Return the open campaign if it is this one."""
    from kbisect.lab.campaign import Campaign

    campaign = Campaign.current(session.repository)
    if campaign is None:
        return None
    campaigns.warn_of_cut(session, campaign)
    state = campaign.state
    if state.finished is not None and campaign.seen:
        return None
    if state.started.by_hand and campaign.ends and (wanted.bad, wanted.goods) == campaign.narrowed:
        said = f"{len(state.answers)} verdicts by hand" if state.answers else "the ends by hand"
        session.say(f"going on from {said}, which are put aside")
        return None
    differing = campaign.differs(wanted)
    if not differing:
        session.say(f"going on after {len(state.tested)} tests: {campaign.journal.path}")
        return campaign
    campaigns.require_no_open_campaign(session, differing)
    return None


def _begun(session: Session, wanted: Started, script: Script | None) -> Campaign:
    from kbisect.lab.campaign import Campaign

    campaign = Campaign.begin(session.repository, wanted, script)
    candidates = campaign.state.started.candidates or 0
    session.say(
        f"{bisection.count(candidates, 'candidate')}, "
        f"about {bisection.count((candidates - 1).bit_length(), 'test')} and the ends"
    )
    campaigns.say_suspicion(session, campaign)
    return campaign

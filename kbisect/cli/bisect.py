# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect bisect`: find the commit that broke it, by a script or by hand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

import click

from kbisect.cli.session import Session, json_option, pass_session
from kbisect.cli.simulate import simulate
from kbisect.errors import UsageError
from kbisect.report import bisection
from kbisect.report.terminal import Style, name, printable

if TYPE_CHECKING:
    from kbisect.bisect.events import Started
    from kbisect.bisect.verdict import Verdict
    from kbisect.lab.campaign import Campaign, Progress
    from kbisect.lab.script import Script


@click.group()
def bisect() -> None:
    """Find the commit that broke it."""


@bisect.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: kbisect bisect run --good v2.6.38 --bad v2.6.39 --timeout 600 ./test.sh",
)
@click.option("--good", "goods", multiple=True, metavar="REV", help="Where it works (repeatable).")
@click.option("--bad", metavar="REV", help="Where it fails (default: HEAD).")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="End a step after S seconds.",
)
@click.option("--no-checkout", is_flag=True, help="Check nothing out; KBISECT_COMMIT says which.")
@click.option("--first-parent", is_flag=True, help="Follow only the first parent of merges.")
@click.option(
    "--trust-ends", is_flag=True, help="Don't test the ends; git's rule says what is bad."
)
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
    type=click.FloatRange(0.5, 0.9999),
    default=0.95,
    help="Stop at this confidence (0.95).",
)
@click.option("--scheduler", metavar="ADDRESS", help="Run the steps on a Dask cluster's workers.")
@click.option("--resume", is_flag=True, help="Go on with the open campaign, whatever it was given.")
@click.argument("script", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT [ARGS]...")
@json_option
@pass_session
def run(
    session: Session,
    goods: tuple[str, ...],
    bad: str | None,
    timeout: float | None,
    no_checkout: bool,
    first_parent: bool,
    trust_ends: bool,
    find_fix: bool,
    suspects: tuple[str, ...],
    only: tuple[str, ...],
    prior: str,
    confidence: float,
    scheduler: str | None,
    resume: bool,
    script: tuple[str, ...],
    as_json: bool,
) -> int:
    """Find the first bad commit with a script.

    The script runs in a worktree of the commit and says by its exit code how it is: 0 good, 125
    can't be tested. Bad is what it does at the bad end: the same exit code, a time-out, or the same
    kernel crash. Run the same command again to go on after an interruption.

    It is told KBISECT_COMMIT, KBISECT_TREE (the worktree), KBISECT_BUILD (a folder kept from step
    to step), KBISECT_OUT (for what should be kept), KBISECT_CONSOLE (where QEMU should write its
    serial console), KBISECT_WORKER and KBISECT_ATTEMPT. Of your environment it sees PATH, HOME,
    LANG, USER and what is named KBISECT_*.
    """
    from kbisect.bisect.events import Outcome, Started
    from kbisect.lab import executors
    from kbisect.lab import script as scripts
    from kbisect.lab.journal import Campaigns

    if not script and not resume:
        raise UsageError("no script was given", hint="kbisect bisect run --good REV ./test.sh")
    repository = session.repository
    repository.require_whole_history()  # before anything is written
    with Campaigns(repository.store).locked():
        if resume:
            campaign = _script_campaign(session, script)
        else:
            found = scripts.find(script[0])
            wanted = Started(
                at=time.time(),
                bad=_resolve(session, bad or "HEAD"),
                goods=tuple(
                    dict.fromkeys(_resolve(session, good) for good in _goods(session, goods))
                ),
                script=found.name,
                digest=found.digest,
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
            )
            campaign = _continued(session, wanted) or _begun(session, wanted, found)

        def listen(progress: Progress) -> None:
            session.say(bisection.progress(progress.run, progress.planned, _namer(session)))

        try:
            with executors.connect(scheduler) as executor:
                state = campaign.run(executor, listen)
        except KeyboardInterrupt:
            session.say("\nstopped; to go on: kbisect bisect run --resume")
            raise
    result = campaign.result()
    journal = str(campaign.journal.path)
    session.answer(
        "bisect-run",
        bisection.document(result, journal, {}),
        lambda style: bisection.text(result, journal, _namer(session), style),
        as_json,
    )
    campaign.mark_seen()
    assert state.finished is not None
    found_something = state.finished.outcome in {Outcome.CULPRIT, Outcome.RANGE}
    if as_json and not found_something:
        session.say(f"{state.finished.outcome}: {state.finished.reason}")
    return 0 if found_something else 1


@bisect.command()
@click.argument("bad", required=False)
@click.argument("goods", nargs=-1, metavar="[GOOD]...")
@click.option("--first-parent", is_flag=True, help="Follow only the first parent of merges.")
@json_option
@pass_session
def start(
    session: Session, bad: str | None, goods: tuple[str, ...], first_parent: bool, as_json: bool
) -> None:
    """Begin a search by hand."""
    from kbisect.bisect.events import Started
    from kbisect.lab.campaign import Campaign
    from kbisect.lab.journal import Campaigns

    started = Started(
        at=time.time(),
        bad=_resolve(session, bad) if bad else None,
        goods=tuple(_resolve(session, good) for good in goods),
        checkout=False,
        first_parent=first_parent,
    )
    with Campaigns(session.repository.store).locked():
        _require_no_open_campaign(session)
        campaign = Campaign.begin(session.repository, started)
        campaign.settle()
    _show(session, campaign, "bisect-start", as_json)


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
for _command in (good, bad, skip, simulate):
    bisect.add_command(_command)


@bisect.command()
@json_option
@pass_session
def undo(session: Session, as_json: bool) -> None:
    """Take the last verdict back, by hand or by script."""
    from kbisect.lab.journal import Campaigns

    with Campaigns(session.repository.store).locked():
        campaign = _campaign(session)
        taken = campaign.undo()
        session.say(f"taken back: {taken.verdict} {_namer(session)(taken.oid)}")
    _show(session, campaign, "bisect-undo", as_json)


@bisect.command()
@click.option("--why", is_flag=True, help="Say which commits are suspected beforehand.")
@json_option
@pass_session
def status(session: Session, why: bool, as_json: bool) -> None:
    """Say how far the search is."""
    _show(session, _campaign(session), "bisect-status", as_json, why)


@bisect.command()
@json_option
@pass_session
def log(session: Session, as_json: bool) -> None:
    """Print the search as `git bisect log` does; `git bisect replay` reads it."""
    campaign = _campaign(session)
    written = _log(session, campaign)
    content = {"log": written, "events": bisection.events(campaign.journal.events)}
    session.answer("bisect-log", content, lambda _: printable(written), as_json)


@bisect.command()
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
    if read.paths:
        session.say(f"the log's path limit is left out: {' '.join(read.paths)}")
    told = [(_resolve(session, revision), verdict) for revision, verdict in read.verdicts]
    with Campaigns(session.repository.store).locked():
        _require_no_open_campaign(session)
        started = Started(at=time.time(), checkout=False, first_parent=read.first_parent)
        campaign = Campaign.begin(session.repository, started)
        for oid, verdict in told:
            campaign.tell(oid, verdict)
        campaign.settle()
    _show(session, campaign, "bisect-replay", as_json)


@bisect.command()
@json_option
@pass_session
def reset(session: Session, as_json: bool) -> None:
    """Put the campaign aside, and remove worktrees. Its journal is kept."""
    from kbisect.lab.campaign import Campaign
    from kbisect.lab.journal import Campaigns

    campaigns = Campaigns(session.repository.store)
    with campaigns.locked():
        Campaign.clean_store(session.repository)
        place = campaigns.archive()
    content = {"journal": place / "journal.jsonl" if place else None}
    said = f"put aside: {place}\n" if place else "there is no campaign here\n"
    session.answer("bisect-reset", content, lambda _: said, as_json)


@bisect.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mail", "json"]),
    default="text",
    help="The form.",
)
@json_option
@pass_session
def report(session: Session, form: str, as_json: bool) -> None:
    """Report the campaign that has ended."""
    campaign = _campaign(session)
    result, journal, namer = campaign.result(), str(campaign.journal.path), _namer(session)
    if result.outcome is None:
        raise UsageError("the campaign is still open", hint="kbisect bisect status")

    def render(style: Style) -> str:
        if form == "mail":
            return bisection.mail(result, campaign.state, _log(session, campaign), namer)
        return bisection.text(result, journal, namer, style)

    content = bisection.document(result, journal, {})
    session.answer("bisect-report", content, render, as_json or form == "json")


# --- what the commands share ----------------------------------------------------------------------


def _resolve(session: Session, revision: str) -> str:
    from kbisect.history.names import resolve

    return resolve(session.repository, revision, session.say)


def _goods(session: Session, goods: Sequence[str]) -> Sequence[str]:
    base = session.repository.config("kbisect.base")
    if not goods and base is None:
        raise UsageError(
            "no good end was given", hint="--good REV, or once for all: git config kbisect.base REV"
        )
    return goods or [base or ""]


def _namer(session: Session) -> bisection.Namer:
    return lambda oid: name(oid, session.repository.commit(oid).subject)


def _campaign(session: Session) -> Campaign:
    from kbisect.lab.campaign import Campaign

    campaign = Campaign.current(session.repository)
    if campaign is None:
        raise UsageError(
            "there is no bisection here",
            hint="kbisect bisect run --good REV ./test.sh, or: kbisect bisect start",
        )
    if campaign.journal.cut:
        session.say("the journal's last line was cut in the middle; it is left out")
    return campaign


def _script_campaign(session: Session, script: Sequence[str]) -> Campaign:
    campaign = _campaign(session)
    if script:
        raise UsageError("--resume goes on with the script it has", hint="leave the script out")
    if campaign.state.started.script is None:
        raise UsageError(
            "the open campaign is one by hand", hint="kbisect bisect status, or bisect reset"
        )
    return campaign


def _continued(session: Session, wanted: Started) -> Campaign | None:
    """Return the open campaign if it is this one."""
    from kbisect.lab.campaign import Campaign

    if Campaign.current(session.repository) is None:
        return None
    campaign = _campaign(session)
    state = campaign.state
    if state.finished is not None and campaign.seen:
        return None
    if campaign.is_for(wanted):
        session.say(f"going on after {len(state.tested)} tests: {campaign.journal.path}")
        return campaign
    _require_no_open_campaign(session)
    return None


def _require_no_open_campaign(session: Session) -> None:
    from kbisect.lab.campaign import Campaign

    campaign = Campaign.current(session.repository)
    if campaign and campaign.state.finished is None and campaign.state.answers:
        raise UsageError(
            f"another campaign is open here, with {len(campaign.state.answers)} verdicts",
            hint="kbisect bisect status; finish it, or put it aside: kbisect bisect reset",
        )


def _begun(session: Session, wanted: Started, script: Script) -> Campaign:
    from kbisect.lab.campaign import Campaign

    campaign = Campaign.begin(session.repository, wanted, script)
    candidates = campaign.state.started.candidates or 0
    session.say(
        f"{bisection.count(candidates, 'candidate')}, "
        f"about {bisection.count((candidates - 1).bit_length(), 'test')} and the ends"
    )
    return campaign


def _tell(session: Session, verdict: Verdict, revisions: Sequence[str], as_json: bool) -> None:
    from kbisect.bisect.events import Started
    from kbisect.bisect.plan import Try
    from kbisect.lab.campaign import Campaign
    from kbisect.lab.journal import Campaigns

    with Campaigns(session.repository.store).locked():
        if Campaign.current(session.repository) is None:
            Campaign.begin(session.repository, Started(at=time.time(), checkout=False))
        campaign = _campaign(session)
        if revisions:
            oids = [_resolve(session, revision) for revision in revisions]
        else:
            planned = campaign.planned()
            oids = [planned.oid if isinstance(planned, Try) else _resolve(session, "HEAD")]
        for oid in oids:
            campaign.tell(oid, verdict)
            session.say(f"{verdict}: {_namer(session)(oid)}")
        campaign.settle()
    _show(session, campaign, f"bisect-{verdict}", as_json)


def _show(
    session: Session, campaign: Campaign, command: str, as_json: bool, why: bool = False
) -> None:
    from kbisect.bisect.plan import Try

    state, result, namer = campaign.state, campaign.result(), _namer(session)
    journal = str(campaign.journal.path)
    planned = campaign.planned() if state.finished is None else None
    coming = planned.oid if isinstance(planned, Try) else None
    sources = campaign.sources if why else ()

    def render(style: Style) -> str:
        reasons = bisection.why(sources) if why else ""
        if state.finished is not None:
            return bisection.text(result, journal, namer, style) + reasons
        return bisection.standing(state, result, planned, journal, namer) + reasons

    more: dict[str, object] = {"next": coming} | ({"why": sources} if why else {})
    session.answer(command, bisection.document(result, journal, more), render, as_json)


def _log(session: Session, campaign: Campaign) -> str:
    from kbisect.bisect import gitlog

    state = campaign.state
    oids = {oid for oid, _ in state.verdicts}
    if state.finished is not None:
        oids.update(state.finished.suspects)
    subjects = {oid: session.repository.commit(oid).subject for oid in oids}
    return gitlog.render(state, subjects, campaign.believed())

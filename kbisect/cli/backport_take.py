# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of the stable maintainer that take: backport emit, pick."""

from __future__ import annotations

from typing import Any

import click

from kbisect.cli.backport import View, backport, emitted, look, wishes_options
from kbisect.cli.session import Session, form_option, json_option, pass_session
from kbisect.errors import UsageError

_MARKERS = ("auto", "upstream", "bracket", "cherry-pick")


@backport.command()
@click.argument("branch")
@click.argument("commits", nargs=-1, metavar="[OID]...")
@wishes_options
@form_option(
    "script",
    "mbox",
    "json",
    explained="A shell script (script), mails for git am (mbox).",
)
@click.option("--marker", type=click.Choice(_MARKERS), default="auto", help="How it is marked.")
@click.option("--prefix", metavar="TEXT", help="Of the subjects (default: PATCH and the branch).")
@click.option("--note", "notes", multiple=True, metavar="OID=TEXT", help="What was changed.")
@pass_session
def emit(
    session: Session,
    /,
    branch: str,
    commits: tuple[str, ...],
    upstream: str | None,
    form: str,
    marker: str,
    prefix: str | None,
    notes: tuple[str, ...],
    **options: Any,
) -> None:
    """Write what BRANCH should take, or the commits named, for others to take.

    What is weak is never written unless it is named.
    """
    from kbisect.backport import emission
    from kbisect.report import backport as report
    from kbisect.report.document import document

    view = look(session, branch, upstream, **options)
    tried = emitted(session, view, commits)
    if form == "json":
        session.write(document("backport-emit", report.content(view.survey, tried)))
    elif form == "script":
        session.write(emission.script(tried, branch, view.subject(session)))
    else:
        box = emission.mailbox(
            session.repository,
            view.survey,
            tried,
            emission.marker_for(view.index, view.survey, marker),
            prefix or f"PATCH {branch.rpartition('/')[2].removeprefix('linux-')}",
            emission.signer(session.repository),
            _notes(session, notes),
        )
        session.write(box.content)
        for oid in box.left_out:
            session.say(f"left out, it conflicts: {oid[:12]} {view.subject(session)(oid)}")
        for oid in box.pointless:
            session.say(f"left out with what it mends: {oid[:12]} {view.subject(session)(oid)}")


def _notes(session: Session, notes: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for note in notes:
        name, equals, text = note.partition("=")
        if not equals or not text.strip():
            raise UsageError(f"--note {note} says nothing", hint="--note OID='what was changed'")
        found[session.repository.resolve(name)] = text
    return found


@backport.command()
@click.argument("base", required=False, metavar="[BRANCH]")
@click.argument("commits", nargs=-1, metavar="[OID]...")
@wishes_options
@click.option("--branch", "name", required=True, metavar="NAME", help="The branch to make.")
@click.option("--marker", type=click.Choice(_MARKERS), default="auto", help="How it is marked.")
@click.option("--signoff", is_flag=True, help="Sign off each commit.")
@click.option("--continue", "go_on", is_flag=True, help="Go on after a conflict, or a kill.")
@click.option("--skip", is_flag=True, help="Leave out what conflicts, and go on.")
@click.option("--abort", is_flag=True, help="Drop the branch.")
@json_option
@pass_session
def pick(
    session: Session,
    /,
    base: str | None,
    commits: tuple[str, ...],
    upstream: str | None,
    name: str,
    marker: str,
    signoff: bool,
    go_on: bool,
    skip: bool,
    abort: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Pick what BRANCH should take (or the commits named) onto a new branch NAME.

    Stops at a conflict, in a worktree of its own; the checkout you stand in is not touched.
    """
    from kbisect.backport import emission
    from kbisect.backport.picking import Picking
    from kbisect.report import backport as report

    picking = Picking(session.repository, name)
    if abort:
        picking.abort()
        session.answer(
            "backport-pick",
            {"name": name, "aborted": True},
            lambda style: report.dropped(name),
            as_json,
        )
        return 0
    if skip:
        picking.skip()
    elif not go_on:
        view: View = look(session, base, upstream, **options)
        todo = [each.candidate.oid for each in emitted(session, view, commits)]
        how = emission.marker_for(view.index, view.survey, marker)
        signer = emission.signer(session.repository) if signoff else None
        picking.begin(view.survey.branch, todo, how, signer)
    done = picking.run(
        emission.person(session.repository),
        lambda now: (
            session.say(f"picked {now.picked[-1][:12]}, {len(now.todo)} left")
            if session.verbose and now.picked
            else None
        ),
    )
    session.answer(
        "backport-pick",
        report.progressed(done, picking.worktree),
        lambda style: report.progress(done, picking.worktree, style),
        as_json,
    )
    return int(not done.done)

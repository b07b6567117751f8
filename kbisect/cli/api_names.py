# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands about one name or message: explain, history, show, xref, probe."""

from __future__ import annotations

import os
import re

import click

from kbisect.cli.api_versions import index_of, lives_of, newest, past, subject_of, surface_of
from kbisect.cli.session import Session, form_option, json_option, pass_session
from kbisect.errors import UsageError


@click.command()
@click.argument("message")
@click.option("--to", "new", metavar="B", help="The release built against (default: the newest).")
@json_option
@pass_session
def explain(session: Session, message: str, new: str | None, as_json: bool) -> None:
    """Say what a compiler's MESSAGE comes from and what to write instead.

    A log is read from its file, or from - for stdin.

    \b
    make 2>&1 | kbisect api explain -
    kbisect api explain "'struct sk_buff' has no member named 'nh'"
    """
    from kbisect.api import complaints
    from kbisect.api.complaints import Trouble
    from kbisect.api.explanation import Explainer
    from kbisect.report import api_advice as report

    is_log = message == "-" or os.path.isfile(message)  # noqa: PTH113  (a message may be no path)
    log = message
    if is_log:
        with click.open_file(message, "rb") as file:
            log = file.read().decode("utf-8", "replace")
    found = complaints.read(log)
    if not found and not is_log and re.fullmatch(r"\S+[/.]\S+", message):
        raise UsageError(f"there is no file {message}", hint="make 2>&1 | kbisect api explain -")
    if not found and not is_log:
        raise UsageError(
            "not a compiler's error message that is known here",
            hint="paste the whole line, or pipe the log: make 2>&1 | kbisect api explain -",
        )
    unread = sum(each.trouble is Trouble.OTHER for each in found)
    explained = Explainer(past(session, new)).explain(found)
    told = list(session.tracking("explaining", explained, len(found) - unread))
    content = {
        "explanations": [report.explanation(each) for each in told],
        "unread": unread,
    }
    session.answer(
        "api-explain", content, lambda style: report.explanations(told, unread, style), as_json
    )


@click.command()
@click.argument("name")
@form_option(
    "text",
    "markdown",
    "html",
    "json",
    explained="html is one page with a picture of all lives.",
)
@json_option
@pass_session
def history(session: Session, name: str, form: str, as_json: bool) -> None:
    """Tell the life of NAME over all releases: sk_buff (all its fields), sk_buff.mac, skb_pad.

    \b
    kbisect api history sk_buff --format html > sk_buff.html
    """
    from kbisect.report import api_answers as report
    from kbisect.report import api_html, api_markdown
    from kbisect.report.api import change

    lives = lives_of(session, name)
    content = {
        "name": lives.name,
        "releases": lives.releases,
        "lives": [report.life(each) for each in lives.lives],
        "events": [change(each) for each in lives.events],
    }
    if form == "html" and not as_json:
        session.write(api_html.history(lives, subject_of(session)), paged=False)
    elif form == "markdown" and not as_json:
        session.write(api_markdown.history(lives))
    else:
        as_json = as_json or form == "json"
        session.answer("api-history", content, lambda style: report.history(lives, style), as_json)


@click.command()
@click.argument("name")
@click.option("--at", "revision", metavar="REV", help="The version (default: the newest release).")
@json_option
@pass_session
def show(session: Session, name: str, revision: str | None, as_json: bool) -> None:
    """Show the dictionary entry of NAME: declaration, condition, kernel-doc, fields, since when."""
    from kbisect.api import dictionary, leftovers
    from kbisect.git import blobs
    from kbisect.git.blobs import Files
    from kbisect.history import names
    from kbisect.report import api_answers as report

    repository = session.repository
    index = index_of(session)
    at = revision or newest(index) or "HEAD"
    commit = names.resolve(repository, at, session.say)
    surface = surface_of(session)
    files = blobs.at_commit(repository, commit, surface.folders)
    public = {path: oid for path, oid in files.blobs.items() if surface.holds(path)}
    found = dictionary.entry(repository, Files(public), name)
    if found is None:
        end = lives_of(session, name).end if index is not None else None
        told = report.went(*leftovers.counted(repository, commit, [end])) if end else ""
        raise UsageError(
            f"no network header declares {name} at {at}{told}",
            hint=f"kbisect api history {name} tells whether another release did",
        )
    lives = lives_of(session, name) if index is not None else None
    former = leftovers.counted(repository, commit, lives.successions if lives is not None else ())
    content = {"at": at, "entry": report.entry(found, lives, former)}
    session.answer(
        "api-show", content, lambda style: report.shown(found, lives, former, at, style), as_json
    )


@click.command()
@click.argument("name")
@click.argument("revision", required=False)
@click.option("--worktree", is_flag=True, help="Look at the worktree, uncommitted or not.")
@click.option("--all", "everywhere", is_flag=True, help="Look through the whole tree (slower).")
@json_option
@pass_session
def xref(
    session: Session,
    name: str,
    revision: str | None,
    worktree: bool,
    everywhere: bool,
    as_json: bool,
) -> None:
    """Find the definitions of NAME and its uses, as grep prints them (default: at HEAD).

    Looks through net, drivers/net and include.

    Comments and strings don't count. Of a member all uses of that name are found, whatever the
    struct.
    """
    from kbisect.api import references
    from kbisect.history import names
    from kbisect.report import api_answers as report

    if revision is not None and worktree:
        raise UsageError("REV and --worktree exclude each other", hint="drop one of them")
    repository = session.repository
    commit = None if worktree else names.resolve(repository, revision or "HEAD", session.say)
    folders = () if everywhere else references.FOLDERS
    found = references.find(repository, commit, name, folders)
    content = {
        "definitions": report.places(found.definitions),
        "references": report.places(found.references),
    }
    session.say(report.uses(found, name, everywhere))
    session.answer("api-xref", content, lambda _: report.references(found), as_json)


@click.command()
@click.argument("expression")
@json_option
@pass_session
def probe(session: Session, expression: str, as_json: bool) -> None:
    """Say since which release and commit EXPRESSION holds, for compatibility headers.

    \b
    kbisect api probe 'method ndo_tx_timeout of net_device_ops matches txqueue'
    kbisect api probe 'function ip_hdr'
    """
    from kbisect.api import probes
    from kbisect.report import api_answers as report

    found = probes.probe(past(session), expression)
    if not found and (others := probes.otherwise(past(session), expression)):
        session.say(f"there is a {others}: kbisect api probe '{others}'")
    content = {"first": next((turn for turn in found if turn.holds), None), "turns": found}
    subject = subject_of(session)

    session.answer(
        "api-probe", content, lambda style: report.turns(found, expression, subject, style), as_json
    )

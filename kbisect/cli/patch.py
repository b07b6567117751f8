# SPDX-License-Identifier: GPL-2.0-or-later
"""The patch desk: read a patch, say who gets it, check it against the rules of the list."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kbisect.cli import application, mailing, posted
from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import UsageError

if TYPE_CHECKING:
    from kbisect.patch.maintainers import Answer, Desk


@click.group()
def patch() -> None:
    """Read a patch, aim it, apply it, take it back."""


for command in (*application.COMMANDS, mailing.mail):
    patch.add_command(command)


_AT = click.option(
    "--at",
    metavar="REV",
    help="Whose MAINTAINERS counts (default: HEAD), and what has to have what is fixed (default:"
    " what the series was made on).",
)


@patch.command()
@click.argument("given", nargs=-1, required=True, metavar="FILE|REV|-…")
@_AT
@json_option
@pass_session
def read(session: Session, given: tuple[str, ...], at: str | None, as_json: bool) -> None:
    """Say what a patch or a series intends and what it risks, on one screen.

    \b
    kbisect patch read outgoing/*.patch
    b4 am -o- MSGID | kbisect patch read -
    """
    from kbisect.history.names import resolve
    from kbisect.patch import reading
    from kbisect.patch.whereabouts import Base
    from kbisect.report import patch_reading as report

    series = posted.load(session, *given)
    repository = session.repository
    oid = resolve(repository, at or "HEAD", session.say)
    base = Base(oid, at) if at else None
    found = reading.read(repository, series, posted.index_if_any(session), oid, base)
    session.answer(
        "patch-read",
        report.content(found),
        lambda style: report.text(found, given, posted.window_now(session), style),
        as_json,
    )


@patch.command()
@click.argument("given", nargs=-1, required=True, metavar="FILE|MBOX|REV|-…")
@_AT
@click.option(
    "--checkpatch",
    is_flag=True,
    help="Also run scripts/checkpatch.pl of that revision: code of that tree, as you.",
)
@click.option("--all", "everything", is_flag=True, help="Show what passed too.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if a rule fails.")
@json_option
@pass_session
def check(
    session: Session,
    given: tuple[str, ...],
    at: str | None,
    checkpatch: bool,
    everything: bool,
    exit_code: bool,
    as_json: bool,
) -> int:
    """Check a series against the rules of the network list, before the list does.

    \b
    kbisect patch check outgoing/*.patch
    kbisect patch check net-next..HEAD
    """
    from kbisect.history.names import resolve
    from kbisect.lab import checkpatch as running
    from kbisect.patch import check as checking
    from kbisect.patch.rules import Level
    from kbisect.patch.whereabouts import Base
    from kbisect.report import patch_check as report

    series = posted.load(session, *given)
    repository = session.repository
    oid = resolve(repository, at or "HEAD", session.say)
    further = running.run(repository, oid, series) if checkpatch else []
    releases = posted.releases_if_any(session)
    verdict = checking.check(
        repository,
        series,
        oid,
        releases,
        time.time,
        further,
        base=Base(oid, at) if at else None,
        index=posted.index_if_any(session),
    )
    posted.say_rest(session, series)
    session.answer(
        "patch-check",
        report.content(verdict),
        lambda style: report.text(verdict, series, style, everything=everything),
        as_json,
    )
    return int(exit_code and verdict.level is Level.FAIL)


@patch.command()
@click.argument("given", nargs=-1, required=True, metavar="FILE|PATH|REV|-…")
@click.option("--at", default="HEAD", metavar="REV", help="Read MAINTAINERS of this revision.")
@click.option(
    "--history/--no-history",
    default=True,
    help="Ask the history of files that no maintained section names (default: yes).",
)
@click.option("--keywords-in-file", is_flag=True, help="Look for K: patterns in the files too.")
@click.option(
    "--git-send-email", is_flag=True, help="Print addresses alone, for --to-cmd and --cc-cmd."
)
@click.option(
    "--only",
    type=click.Choice(["to", "cc"]),
    help="With --git-send-email: maintainers (to), or reviewers, lists and others (cc).",
)
@json_option
@pass_session
def maintainers(
    session: Session,
    given: tuple[str, ...],
    at: str,
    history: bool,
    keywords_in_file: bool,
    git_send_email: bool,
    only: str | None,
    as_json: bool,
) -> None:
    """Say who gets a patch, and where it goes, by MAINTAINERS at any revision.

    \b
    kbisect patch maintainers net/ipv4/tcp.c --at v3.9
    git send-email --cc-cmd='kbisect patch maintainers --git-send-email --only cc' *.patch
    """
    from kbisect.history.names import resolve
    from kbisect.patch.maintainers import Desk
    from kbisect.report import patch_maintainers as report

    if only and not git_send_email:
        raise UsageError("--only needs --git-send-email", hint="add it, or leave --only out")
    repository = session.repository
    oid = resolve(repository, at, session.say)
    desk = Desk(repository, oid)
    for fault in desk.faults[:3]:
        session.say(f"MAINTAINERS line {fault.line}: {fault.reason}: {fault.text}")
    if len(desk.faults) > 3:
        session.say(f"MAINTAINERS has {len(desk.faults) - 3} more such lines")
    try:
        answer = _ask(session, desk, given, history=history, keywords=keywords_in_file)
    except UsageError as none:
        if not (git_send_email and posted.is_talk(none)):
            raise
        # git send-email asks for the cover letter too, and gives up if the command fails.
        session.say(none.message)
        return
    if git_send_email and not as_json:
        for address in report.addresses(answer, only):
            click.echo(address)
        return
    session.answer(
        "patch-maintainers",
        report.content(answer, oid),
        lambda style: report.text(answer, style),
        as_json,
    )


def _ask(
    session: Session, desk: Desk, given: Sequence[str], *, history: bool, keywords: bool
) -> Answer:
    """Ask for paths of the tree; for what is none, as for a patch."""
    given = _from_top(session, desk, given)
    kinds = desk.snapshot.kinds(name for name in given if name != "-")
    strangers = [name for name in given if kinds.get(name) is None]
    if not strangers:
        return desk.of_paths(given, history=history, keywords=keywords)
    if len(strangers) == len(given):
        texts = _patch_texts(session, given)
        if texts is not None:
            return desk.of_patch("\n".join(texts), history=history)
    missing = next((name for name in strangers if not Path(name).is_file()), strangers[0])
    if len(strangers) < len(given) or "/" in missing:
        # A file that a patch will add has its maintainers already.
        session.say(f"{missing} is not in the tree at that revision: asked by its name")
        return desk.of_paths(given, history=history, keywords=keywords)
    raise UsageError(
        f"{missing} is neither a path of the tree, a patch nor a revision",
        hint="give a path from the top of the tree",
    )


def _from_top(session: Session, desk: Desk, given: Sequence[str]) -> Sequence[str]:
    """Write absolute paths, and those from a folder below, from the top, where the tree has them.

    As given they come first, as with get_maintainer.pl.
    """
    if session.repository.workdir is None:
        return given
    top = session.repository.workdir.resolve()
    named: dict[str, str] = {}
    for name in given:
        place = Path(name).parent.resolve() / Path(name).name
        if name != "-" and place != top and place.is_relative_to(top):
            named[name] = str(place.relative_to(top))
    kinds = desk.snapshot.kinds([*named, *named.values()])
    return [
        named[name] if name in named and not kinds[name] and kinds[named[name]] else name
        for name in given
    ]


def _patch_texts(session: Session, given: Sequence[str]) -> list[str] | None:
    """Return the mails of patches as text; None where a name stands for none.

    A mailbox of talk, as a cover letter is one, has nothing to say beside others.
    """
    texts: list[str] = []
    talk = None
    for name in given:
        try:
            found = posted.load(session, name)
        except UsageError as error:
            if posted.is_talk(error):
                talk = error
                continue
            if name == "-" or Path(name).is_file():
                raise
            return None
        texts += (one.mail.text for one in found.patches)
    if talk is not None and not texts:
        raise talk
    return texts

# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of the stable maintainer that look: backport list, explain, matrix, watch."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kbisect.cli.history import open_index
from kbisect.cli.session import Command, Session, form_option, json_option, pass_session
from kbisect.errors import UsageError

if TYPE_CHECKING:
    from kbisect.backport.candidates import Survey
    from kbisect.backport.forecast import Forecast
    from kbisect.backport.wishes import Wishes
    from kbisect.history.store import Index


@click.group()
def backport() -> None:
    """List the fixes a branch misses, and take them."""


_WISHES = (
    click.option("--upstream", metavar="R", help="Where fixes come from (default: mainline)."),
    click.option("--path", "paths", multiple=True, metavar="P", help="Only fixes that touch P."),
    click.option("--built", metavar="DIR", help="Only what this finished build compiled."),
    click.option("--ignore", "ignore", metavar="FILE", help="Commits decided against, and why."),
    click.option(
        "--commits", "listed", metavar="FILE", help="Commits to take, one id a line (- for stdin)."
    ),
    click.option("--cve", metavar="DIR", help="A copy of the kernel's vulns repository."),
)


def wishes_options(command: Command) -> Command:
    """Give a command the options that narrow or widen a survey, as keyword arguments."""
    for option in reversed(_WISHES):
        command = option(command)
    return command


@dataclass(frozen=True)
class View:
    """A survey, and what it was made from."""

    index: Index
    survey: Survey
    branch: str
    upstream: str

    def subject(self, session: Session) -> Callable[[str], str]:
        """Return the reader of subjects."""
        return lambda oid: session.repository.commit(oid).subject


def look(session: Session, branch: str | None, upstream: str | None, **options: Any) -> View:
    """Survey a branch as the command line asks."""
    from kbisect.backport.candidates import survey
    from kbisect.history.names import resolve

    here = branch or "HEAD"
    opened = open_index(session)
    source = upstream or opened.meta.trees.get("mainline")
    if source is None:
        raise UsageError("which ref is mainline isn't known", hint="name it with --upstream R")
    tip, top = (resolve(session.repository, name, session.say) for name in (here, source))
    found = survey(session.repository, opened, tip, top, _wishes(session, opened, **options))
    return View(opened, found, here, upstream or "mainline")


def _wishes(
    session: Session,
    index: Index,
    *,
    paths: tuple[str, ...] = (),
    built: str | None = None,
    ignore: str | None = None,
    listed: str | None = None,
    cve: str | None = None,
) -> Wishes:
    from datetime import UTC, datetime

    from kbisect.backport import advisories, ignored
    from kbisect.backport import built as building
    from kbisect.backport.naming import by_advisory, ignored_by_oid, named_in
    from kbisect.backport.wishes import Wishes

    today = datetime.now(UTC).date()
    entries = ignored.parse(_lines(ignore), ignore, today) if ignore else []
    named = dict(by_advisory(index, advisories.read(Path(cve)))) if cve else {}
    named |= named_in(session.repository, index, _lines(listed), listed) if listed else {}
    source = session.repository.workdir
    return Wishes(
        paths=paths,
        named=named,
        ignored=ignored_by_oid(index, entries, ignore or ""),
        built=building.files(Path(built), source) if built else None,
    )


def _lines(name: str) -> list[str]:
    try:
        with click.open_file(name, encoding="utf-8", errors="replace") as file:
            return str(file.read()).splitlines()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", hint="check the path") from None


def one_branch(branch: str | None, synonym: str | None) -> str | None:
    """Return the branch, given as an argument or by --base."""
    if branch and synonym and branch != synonym:
        raise UsageError("two branches are given", hint="give BRANCH once")
    return branch or synonym


@backport.command(name="list")
@click.argument("branch", required=False)
@click.option("--base", "synonym", metavar="BRANCH", help="A synonym of BRANCH.")
@wishes_options
@click.option("--all", "everything", is_flag=True, help="Also what is weak or set aside.")
@click.option(
    "--sort", type=click.Choice(["upstream", "strength"]), default="upstream", help="Order."
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything is missing.")
@form_option(
    "text",
    "html",
    "csv",
    "json",
    explained="html: one page, csv: one row a fix, to be redirected.",
)
@json_option
@pass_session
def list_(
    session: Session,
    /,
    branch: str | None,
    synonym: str | None,
    upstream: str | None,
    everything: bool,
    sort: str,
    exit_code: bool,
    form: str,
    as_json: bool,
    **options: Any,
) -> int:
    """List upstream's fixes that BRANCH (default: HEAD) misses, why, and whether they apply.

    \b
    [M+R] 18608766dab3 tcp: coalesce: look for the FIN in both segments   v3.13-rc3
           Fixes: e880c3af5cbc ("tcp: don't coalesce segments with FIN")
    """
    from kbisect.backport.forecast import by_strength
    from kbisect.backport.remembered import forecasts
    from kbisect.report import backport as report

    begun = time.monotonic()
    view = look(session, one_branch(branch, synonym), upstream, **options)
    tried = forecasts(session.repository, view.index, view.survey)
    if sort == "strength":
        tried = by_strength(tried)
    content = report.content(view.survey, tried) | {"seconds": round(time.monotonic() - begun, 2)}
    names = (view.branch, view.upstream)
    if form == "html" and not as_json:
        from kbisect.report import backport_html

        page = backport_html.listing(view.survey, tried, view.subject(session), names)
        session.write(page, paged=False)
        return int(exit_code and any(each.emitted for each in tried))
    if form == "csv" and not as_json:
        session.write(report.table(tried), paged=False)
        return int(exit_code and any(each.emitted for each in tried))
    session.answer(
        "backport-list",
        content,
        lambda style: report.listing(
            view.survey, tried, view.subject(session), names, style, everything=everything
        ),
        as_json or form == "json",
    )
    return int(exit_code and any(each.emitted for each in tried))


@backport.command()
@click.argument("commit", metavar="OID")
@click.argument("branch", required=False)
@wishes_options
@json_option
@pass_session
def explain(
    session: Session,
    /,
    commit: str,
    branch: str | None,
    upstream: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say why OID should be taken into BRANCH (default: HEAD), or why not."""
    from kbisect.backport import explanation
    from kbisect.report import backport as report

    view = look(session, branch, upstream, **options)
    oid = session.repository.resolve(commit)
    found = explanation.explain(session.repository, view.index, view.survey, oid)
    session.answer(
        "backport-explain",
        report.explained(found),
        lambda style: report.explanation(found, view.subject(session), view.branch, style),
        as_json,
    )


@backport.command()
@click.argument("branches", nargs=-1, required=True)
@wishes_options
@click.option("--exit-code", is_flag=True, help="Exit with 1 if an upgrade brings a bug back.")
@form_option("text", "html", "json", explained="html: one page, to be redirected.")
@json_option
@pass_session
def matrix(
    session: Session,
    /,
    branches: tuple[str, ...],
    upstream: str | None,
    exit_code: bool,
    form: str,
    as_json: bool,
    **options: Any,
) -> int:
    """Show which of BRANCHES (oldest first) has which fix."""
    from kbisect.backport.matrix import rows
    from kbisect.report import backport as report

    views = [look(session, branch, upstream, **options) for branch in branches]
    found = rows(views[0].index, [view.survey for view in views])
    if form == "html" and not as_json:
        from kbisect.report import backport_html

        session.write(backport_html.matrix(branches, found), paged=False)
        return int(exit_code and any(row.regression for row in found))
    session.answer(
        "backport-matrix",
        {"branches": branches, "rows": found},
        lambda style: report.matrix(branches, found, style),
        as_json or form == "json",
    )
    return int(exit_code and any(row.regression for row in found))


@backport.command()
@click.argument("branch", required=False)
@wishes_options
@json_option
@pass_session
def watch(
    session: Session,
    /,
    branch: str | None,
    upstream: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Say what is new since the last look; exit with 1 if anything is."""
    from kbisect.backport.remembered import forecasts
    from kbisect.backport.watch import Watch
    from kbisect.report import backport as report

    view = look(session, branch, upstream, **options)
    kept = Watch(session.repository.store, [view.branch, view.upstream, repr(options["paths"])])
    seen = kept.seen()
    fresh = [each for each in view.survey.candidates if seen is not None and each.oid not in seen]
    tried = forecasts(session.repository, view.index, view.survey, fresh)
    kept.remember([*(seen or ()), *(each.oid for each in view.survey.candidates)])
    session.answer(
        "backport-watch",
        {"first": seen is None} | report.content(view.survey, tried),
        lambda style: report.news(
            view.survey, tried, view.subject(session), first=seen is None, style=style
        ),
        as_json,
    )
    return int(bool(fresh))


def emitted(session: Session, view: View, named: tuple[str, ...]) -> list[Forecast]:
    """Return the forecasts of what is to be taken: all but the weak, or just those named."""
    from kbisect.backport.emission import chosen
    from kbisect.backport.remembered import forecasts

    if named:
        wanted = chosen(view.survey, [session.repository.resolve(name) for name in named])
        return forecasts(session.repository, view.index, view.survey, wanted)
    return [each for each in forecasts(session.repository, view.index, view.survey) if each.emitted]

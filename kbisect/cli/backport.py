# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of the stable maintainer: backport list."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from kbisect.cli.history import open_index
from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import UsageError

if TYPE_CHECKING:
    from kbisect.backport.candidates import Survey
    from kbisect.backport.forecast import Forecast


@click.group()
def backport() -> None:
    """List the fixes a branch misses."""


@backport.command(name="list")
@click.argument("branch", required=False)
@click.option("--base", "synonym", metavar="BRANCH", help="A synonym of BRANCH.")
@click.option("--upstream", metavar="R", help="Where fixes come from (default: mainline).")
@click.option("--path", "paths", multiple=True, metavar="P", help="Only fixes that touch P.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything is missing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html", "json"]),
    default="text",
    help="html: one page, to be redirected.",
)
@json_option
@pass_session
def list_(
    session: Session,
    branch: str | None,
    synonym: str | None,
    upstream: str | None,
    paths: tuple[str, ...],
    exit_code: bool,
    form: str,
    as_json: bool,
) -> int:
    """List upstream's fixes that BRANCH (default: HEAD) misses, why, and whether they apply.

    \b
    [M+R] 18608766dab3 tcp: coalesce: look for the FIN in both segments   v3.13-rc3
           Fixes: e880c3af5cbc ("tcp: don't coalesce segments with FIN")
    """
    from kbisect.backport.candidates import Wishes, survey
    from kbisect.backport.forecast import forecasts
    from kbisect.history.names import resolve
    from kbisect.report import backport as report

    begun = time.monotonic()
    if branch and synonym and branch != synonym:
        raise UsageError("two branches are given", hint="give BRANCH once")
    here = branch or synonym or "HEAD"
    repository = session.repository
    opened = open_index(session)
    source = upstream or opened.meta.trees.get("mainline")
    if source is None:
        raise UsageError("which ref is mainline isn't known", hint="name it with --upstream R")
    tip = resolve(repository, here, session.say)
    found = survey(repository, opened, tip, resolve(repository, source, session.say), Wishes(paths))
    tried = list(forecasts(repository, opened, found))
    content = _content(found, tried) | {"seconds": round(time.monotonic() - begun, 2)}

    def subject(oid: str) -> str:
        return repository.commit(oid).subject

    if form == "html" and not as_json:
        from kbisect.report import backport_html

        session.write(backport_html.listing(found, tried, subject, (here, source)), paged=False)
        return int(exit_code and bool(tried))
    session.answer(
        "backport-list",
        content,
        lambda style: report.listing(found, tried, subject, (here, source), style),
        as_json or form == "json",
    )
    return int(exit_code and bool(tried))


def _content(found: Survey, tried: list[Forecast]) -> dict[str, object]:
    return {
        "branch": found.branch,
        "upstream": found.upstream,
        "base": found.base,
        "candidates": [
            {
                "oid": one.candidate.oid,
                "subject": one.candidate.subject,
                "release": one.candidate.release,
                "strength": one.candidate.strength,
                "state": one.state,
                "reasons": one.candidate.reasons,
                "prerequisites": one.prerequisites,
                "followups": one.candidate.followups,
                "conflicts": one.conflicts,
                "blockers": one.blockers,
            }
            for one in tried
        ],
        "already": [
            {"oid": each.oid, "as": each.on_branch, "evidence": each.evidence}
            for each in found.already
        ],
        "excluded": found.excluded,
        "examined": found.examined,
    }

# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands about the API: what changed between two versions, and who changed it."""

from __future__ import annotations

import copy
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kbisect.cli import api_names
from kbisect.cli.api_versions import compare, index_of, past, subject_of, surface_of, with_uses_left
from kbisect.cli.session import Session, form_option, json_option, pass_session
from kbisect.errors import UsageError

if TYPE_CHECKING:
    from kbisect.api.findings import Finding


@click.group()
def api() -> None:
    """Say what changed in the network API, and who changed it."""


for _command in (
    api_names.explain,
    api_names.history,
    api_names.show,
    api_names.xref,
    api_names.probe,
):
    api.add_command(_command)
_where = copy.copy(api_names.explain)  # has an epilog of its own
_where.help = "Short for `api explain`.\n\n" + (_where.help or "").partition("\n\n")[2]
api.add_command(_where, "where")


@api.command()
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--struct", "structs", multiple=True, metavar="S", help="Only this struct or union.")
@click.option("--header", "headers", multiple=True, metavar="H", help="Only this header.")
@click.option(
    "--path",
    "paths",
    multiple=True,
    metavar="P",
    help="Headers below P count too (default: indexed ones).",
)
@click.option("--breaking-only", is_flag=True, help="Leave out what breaks no user.")
@click.option("--worktree", is_flag=True, help="Compare with the worktree, uncommitted or not.")
@click.option("--uses-in", "tree", metavar="REV", help="Count uses left at REV, not at NEW.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there are changes.")
@form_option(
    "text",
    "markdown",
    "html",
    "json",
    explained="html is one page that needs nothing else.",
)
@json_option
@pass_session
@click.pass_context
def diff(
    ctx: click.Context,
    session: Session,
    old: str | None,
    new: str | None,
    structs: tuple[str, ...],
    headers: tuple[str, ...],
    paths: tuple[str, ...],
    breaking_only: bool,
    worktree: bool,
    tree: str | None,
    exit_code: bool,
    form: str,
    as_json: bool,
) -> None:
    """Say what changed in the network headers between OLD and NEW, and who changed it.

    OLD defaults to git config kbisect.base, NEW to the newest release; both may be directories
    or tarballs. Of a name that went the lines are counted that use it still, in net, drivers/net
    and include; members of another struct that may be meant make it "at most".

    \b
    kbisect api diff v2.6.21 v2.6.22 --struct sk_buff
    kbisect api diff v2.6.38 --breaking-only --header linux/netdevice.h
    kbisect api diff HEAD --worktree
    kbisect api diff v2.6.21 v2.6.22 --struct sk_buff --format html > sk_buff.html
    """
    from kbisect.api.findings import Compatibility
    from kbisect.api.scope import Scope
    from kbisect.report import api as report
    from kbisect.report import api_html, api_markdown

    begun = time.monotonic()
    names = tuple(name.removeprefix("struct ").strip() for name in structs)
    scope = Scope(names, headers, surface=surface_of(session, paths))
    compared = compare(session, old, new, worktree, scope)
    result, span = compared.result, compared.span
    findings: Sequence[Finding] = result.findings
    if breaking_only:
        harmless = (Compatibility.COMPATIBLE, Compatibility.ANNOTATION_ONLY)
        findings = tuple(f for f in findings if f.compatibility not in harmless)
    is_html = form == "html" and not as_json
    place = ""
    if not is_html:
        findings, place = with_uses_left(session, compared, findings, tree, scope)
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    asked = ", ".join((*names, *headers))
    content = {
        "changes": [report.change(finding) for finding in findings],
        "unclassified": [report.unclassified(gap) for gap in result.unclassified],
        "seconds": round(time.monotonic() - begun, 3),
    }
    if is_html:
        subject = subject_of(session)
        known = past(session) if structs and index_of(session) is not None else None
        lives = tuple(known.lives(*names).values()) if known is not None else ()
        session.write(api_html.difference(result, findings, span, subject, lives), paged=False)
    elif form == "markdown" and not as_json:
        session.write(api_markdown.difference(result, findings, span))
    else:
        session.answer(
            "api-diff",
            content,
            lambda style: report.text(result, findings, span, style, columns, place, asked),
            as_json or form == "json",
        )
    if exit_code and findings:
        ctx.exit(1)


@api.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--from", "old", metavar="A", help="The version the code was written for.")
@click.option("--to", "new", metavar="B", help="The version it shall build against.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if something breaks.")
@json_option
@pass_session
@click.pass_context
def check(
    ctx: click.Context,
    session: Session,
    path: Path,
    old: str | None,
    new: str | None,
    exit_code: bool,
    as_json: bool,
) -> None:
    """Say which lines of the driver at PATH the changes between A and B break."""
    from kbisect.api import usage
    from kbisect.api.explanation import Explainer
    from kbisect.api.scope import Scope
    from kbisect.git import blobs
    from kbisect.report import api_advice as report

    sources = blobs.sources(path)
    if not sources:
        raise UsageError(f"no C source at {path}", hint="give a .c or .h file, or their directory")
    if old is None and session.repository.config("kbisect.base") is None:
        raise UsageError(
            "for which version was the code written?",
            hint=f"kbisect api check {path} --from v3.0, or git config kbisect.base v3.0",
        )
    compared = compare(session, old, new, False, Scope(surface=surface_of(session)))
    found = list(usage.hits(sources, compared.result.findings))
    told = Explainer(past(session, new)).driver(found)
    content = {"hits": [report.hit(*each) for each in told]}
    session.answer(
        "api-check", content, lambda style: report.hits(told, compared.span, style), as_json
    )
    if exit_code and found:
        ctx.exit(1)

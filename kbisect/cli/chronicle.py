# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect history`: what became of a subsystem, release by release."""

from __future__ import annotations

import click

from kbisect.cli.history import open_index
from kbisect.cli.session import Session, form_option, json_option, pass_session


@click.command(epilog="Example: kbisect history net/ipv4 --since v2.6.30 --format html > ipv4.html")
@click.argument("subsystem")
@click.option("--since", metavar="RELEASE", default="oldest", help="From this release on.")
@click.option(
    "--top",
    type=click.IntRange(1, 1000),
    default=40,
    metavar="N",
    help="How many people and files (40).",
)
@form_option("text", "html", "json", explained="html: one page with pictures, to be redirected.")
@json_option
@pass_session
def history(
    session: Session, subsystem: str, since: str, top: int, form: str, as_json: bool
) -> None:
    """Tell the history of a subsystem, or of a path.

    By release: commits, what came through net and net-next, fixes and how long they took; then
    who, and the files most often fixed. SUBSYSTEM is a section of MAINTAINERS or a part of its
    name.
    """
    from kbisect.history import chronicle
    from kbisect.report import chronicle as report

    told = chronicle.write(open_index(session), subsystem, since, top)
    if form == "html" and not as_json:
        session.write(report.page(told), paged=False)
        return
    content = {
        "name": told.name,
        "is_path": told.is_path,
        "cycles": told.cycles,
        "authors": told.authors,
        "files": told.files,
        "fixes": told.mended,
    }
    session.answer(
        "history", content, lambda style: report.text(told, style), as_json or form == "json"
    )

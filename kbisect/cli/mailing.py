# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect patch mail`: commits as mail files. It never sends."""

from __future__ import annotations

from pathlib import Path

import click

from kbisect.cli import posted
from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import UsageError


@click.command()
@click.argument("given", metavar="A..B|REV")
@click.option("-o", "folder", required=True, metavar="DIR", help="Where to write the files.")
@click.option("--tree", metavar="NAME", help="The tree for the prefix (default: what fits).")
@click.option(
    "-v",
    "--reroll",
    "version",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Version of the series.",
)
@click.option("--rfc", is_flag=True, help="[RFC PATCH …].")
@click.option("--cover/--no-cover", default=None, help="A cover letter (default: from 3 patches).")
@click.option("--title", metavar="TEXT", help="The cover letter's subject.")
@click.option("--blurb", metavar="FILE", help="The cover letter's text.")
@click.option("--to", multiple=True, metavar="ADDRESS", help="Somebody else to name.")
@click.option("--cc", multiple=True, metavar="ADDRESS", help="Somebody else to copy.")
@click.option("--at", default="HEAD", metavar="REV", help="Whose MAINTAINERS counts.")
@json_option
@pass_session
def mail(
    session: Session,
    given: str,
    folder: str,
    tree: str | None,
    version: int,
    rfc: bool,
    cover: bool | None,
    title: str | None,
    blurb: str | None,
    to: tuple[str, ...],
    cc: tuple[str, ...],
    at: str,
    as_json: bool,
) -> None:
    """Write commits as mail files, with the tree in the prefix, To and Cc; send nothing.

    \b
    kbisect patch mail net-next..topic -o outgoing --title 'acme: count drops'
    """
    from kbisect.history.names import resolve
    from kbisect.patch import letters
    from kbisect.report import patch_letters as report

    if cover is False and (title or blurb):
        raise UsageError(
            f"{'--title' if title else '--blurb'} is for the cover letter", hint="drop --no-cover"
        )
    repository = session.repository
    first, dots, last = given.partition("..")
    if last.startswith("."):
        raise UsageError(f"{given} is no range", hint="name it as A..B")
    oids = (
        (
            resolve(repository, first or "HEAD", session.say),
            resolve(repository, last or "HEAD", session.say),
        )
        if dots
        else (None, resolve(repository, given, session.say))
    )
    wish = letters.Wish(*(tree, version, rfc, cover, title, _text(blurb)), tuple(to), tuple(cc))
    made = letters.write(repository, Path(folder), oids, resolve(repository, at, session.say), wish)
    seen = posted.window_now(session)
    session.answer(
        "patch-mail",
        report.content(made, seen),
        lambda style: report.text(made, seen, style, is_rfc=rfc),
        as_json,
    )


def _text(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", hint="give a text file") from None

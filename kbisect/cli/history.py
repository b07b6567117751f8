# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of the indexed past: index, show, query, graph, releases, window."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from kbisect.cli import stdout
from kbisect.cli.session import Session, form_option, json_option, pass_session
from kbisect.errors import UsageError
from kbisect.report.terminal import Style, printable

if TYPE_CHECKING:
    import pyarrow as pa

    from kbisect.history.releases import Release
    from kbisect.history.store import Index


def open_index(session: Session) -> Index:
    """Open the index; one that is damaged is built anew, and that is said."""
    from kbisect.history import store

    repository = session.repository
    try:
        return store.load(repository.store)
    except store.IndexDamaged as error:
        session.say(f"{error.message}; building it anew")
        from kbisect.history import index

        index.update(repository, full=True)
        return store.load(repository.store)


def known_releases(session: Session) -> list[Release]:
    """Return the index's releases, oldest first."""
    from kbisect.history.releases import Release

    rows = open_index(session).rows(
        "SELECT name, oid, time, source FROM releases ORDER BY position"
    )
    return [Release(*row) for row in rows]


@click.command()
@click.option("--tree", "trees", multiple=True, metavar="NAME=REF", help="Which ref is which tree.")
@click.option("--path", "paths", multiple=True, metavar="P", help="Index these paths instead.")
@click.option("--lines", is_flag=True, help="Count lines added and removed, from now on.")
@click.option("--full", is_flag=True, help="Build it anew.")
@json_option
@pass_session
def index(
    session: Session,
    trees: tuple[str, ...],
    paths: tuple[str, ...],
    lines: bool,
    full: bool,
    as_json: bool,
) -> None:
    """Read the history into kbisect's index.

    Says how many commits there are, how many touch net/, drivers/net/ and their headers, and
    which trees it recognised. Run it again after every fetch.
    """
    from kbisect.history.index import update
    from kbisect.report import history as report

    named = {}
    for pair in trees:
        tree, equals, ref = pair.partition("=")
        if not (tree and equals and ref):
            raise UsageError(f"--tree {pair}: expected NAME=REF", hint="--tree net=origin/main")
        session.repository.resolve(ref)
        named[tree] = ref
    with session.counting("reading commits") as count:
        outcome = update(
            session.repository,
            trees=named,
            paths=paths,
            lines=lines,
            full=full,
            say=session.say,
            count=count,
        )
    content = {
        key: getattr(outcome, key)
        for key in ("commits", "in_scope", "new", "mode", "seconds", "trees", "releases")
    }
    session.answer("index", content, lambda style: report.indexed(outcome, style), as_json)


@click.command()
@click.argument("rev")
@json_option
@pass_session
def show(session: Session, rev: str, as_json: bool) -> None:
    """Tell one commit's story: came through, first release, what it fixes, what fixed it."""
    from kbisect.history.names import resolve
    from kbisect.history.story import tell
    from kbisect.report import history as report
    from kbisect.report.document import plain, utc

    opened = open_index(session)
    told = tell(session.repository, opened, resolve(session.repository, rev, session.say))
    content = plain(told)
    assert isinstance(content, dict)
    content |= {"author_time": utc(told.author_time), "commit_time": utc(told.commit_time)}
    session.answer("show", content, lambda style: report.story(told, style), as_json)


@click.command()
@click.argument("name", required=False)
@click.option("-p", "parameters", multiple=True, metavar="K=V", help="A parameter of the query.")
@click.option("--list", "listing", is_flag=True, help="List the named queries.")
@click.option("--tables", is_flag=True, help="List the tables and columns for --sql.")
@click.option("--sql", metavar="SQL", help="Run your own SELECT.")
@form_option(
    "table",
    "csv",
    "json",
    "jsonl",
    "parquet",
    explained="Parquet goes to stdout too: redirect it.",
)
@json_option
@pass_session
def query(
    session: Session,
    name: str | None,
    parameters: tuple[str, ...],
    listing: bool,
    tables: bool,
    sql: str | None,
    form: str,
    as_json: bool,
) -> None:
    """Ask the index a named question, or one in SQL.

    \b
    kbisect query --list
    kbisect query fixes -p path='net/ipv4/%'
    kbisect query --sql 'SELECT release, count(*) FROM commits GROUP BY 1'
    """
    from kbisect.history import answers, queries
    from kbisect.report import history as report

    known = queries.named()
    if name is not None and name not in known:
        near = get_close_matches(name, known, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "kbisect query --list"
        raise UsageError(f"no query is named {name}", hint=hint)
    if listing:
        content = {
            "columns": ["name", "title", "parameters", "columns", "read"],
            "rows": [
                [q.name, q.title, q.parameters, [name for name, _ in q.columns], q.read]
                for q in known.values()
            ],
        }
        if name is not None:
            session.answer("query", content, lambda _: report.described(known[name]), as_json)
        else:
            session.answer("query", content, lambda _: report.listing(known.values()), as_json)
        return
    if sum((name is not None, sql is not None, tables)) != 1:
        raise UsageError("give the name of a query, or --sql SELECT…", hint="kbisect query --list")
    _require_text(sql, *parameters)
    opened = open_index(session)
    given: Mapping[str, object] = _pairs(parameters)
    if tables:
        sql, given = answers.TABLES, {}
    elif name is not None:
        sql, given = known[name].sql, queries.bind(opened, known[name], _pairs(parameters))
        if form == "table" and not as_json:
            session.say(known[name].read)
    assert sql is not None
    if form == "parquet" and not as_json:
        _write_parquet(answers.arrow(opened, sql, given))
        return
    found = answers.run(opened, sql, given)
    content = {"columns": found.columns, "rows": found.rows}

    def text(style: Style) -> str:
        rendered = report.answer(found, form, style)
        # To a file or a pipe goes what is in the history, byte by byte; to a terminal it must not.
        return printable(rendered) if sys.stdout.isatty() and form != "table" else rendered

    session.answer("query", content, text, as_json)


def _pairs(parameters: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in parameters:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise UsageError(f"-p {pair}: expected K=V", hint="-p path='net/ipv4/%'")
        found[key] = value
    return found


def _require_text(*given: str | None) -> None:
    for text in given:
        try:
            (text or "").encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"{text}: bytes that are no UTF-8, which no table holds", hint="write it in UTF-8"
            ) from None


def _write_parquet(found: pa.Table) -> None:
    if sys.stdout.isatty():
        raise UsageError("Parquet is no text for a terminal", hint="add > FILE.parquet")
    import io

    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(found, out, compression="zstd")
    stdout.write(out.getvalue())


@click.command()
@click.argument("revisions", required=False, metavar="[RANGE]")
@form_option("graphml", "dot", "json", "svg", explained="svg: drawn as lanes.")
@json_option
@pass_session
def graph(session: Session, revisions: str | None, form: str, as_json: bool) -> None:
    """Export the graph of commits in scope, or of a RANGE such as v2.6.39..v3.0.

    Each commit points at its nearest ancestors in scope, as git's --simplify-merges gives them.
    """
    from kbisect.history.names import resolve
    from kbisect.history.network import between, network
    from kbisect.report import history as report

    opened = open_index(session)
    only = None
    if revisions:
        old, dots, new = revisions.partition("..")
        if new.startswith("."):
            raise UsageError(
                f"{revisions}: a symmetric difference is no range", hint=f"{old}..{new[1:]}"
            )
        tip = resolve(session.repository, (new or "HEAD") if dots else old, session.say)
        below = resolve(session.repository, old or "HEAD", session.say) if dots else None
        only = between(opened, below, tip)
    found = network(opened, only)
    if revisions and not found:
        session.say(f"{revisions}: holds no commit in scope")
    if as_json or form == "json":
        content = {
            "nodes": [{"oid": oid} | data for oid, data in found.nodes(data=True)],
            "edges": [{"child": child, "parent": parent} for child, parent in found.edges],
        }
        session.answer("graph", content, lambda _: "", as_json=True)
        return
    if form == "svg":
        from kbisect.report import lanes

        lanes.require_drawable(found)
        session.write(lanes.svg(found, f"kbisect graph {revisions or ''}".strip()))
        return
    render = {"graphml": report.graphml, "dot": report.dot}[form]
    session.write(render(found))


@click.command()
@json_option
@pass_session
def releases(session: Session, as_json: bool) -> None:
    """List the releases, from tags, or from the Makefile where nothing is tagged."""
    from kbisect.report import history as report
    from kbisect.report.document import utc

    found = known_releases(session)
    content = {
        "releases": [
            {"name": e.name, "oid": e.oid, "time": utc(e.time), "source": e.source} for e in found
        ]
    }
    session.answer("releases", content, lambda style: report.releases(found, style), as_json)


@click.command()
@click.option(
    "--at", metavar="DATE", help="At this time (UTC), or at the end of this day, instead of now."
)
@json_option
@pass_session
def window(session: Session, at: str | None, as_json: bool) -> None:
    """Say whether the merge window is open, and so whether net-next is closed.

    \b
    kbisect window
    kbisect window --at 2011-05-19         when that day was over
    kbisect window --at 2011-05-19T04:00
    """
    from kbisect.history import releases as naming
    from kbisect.report import history as report
    from kbisect.report.document import utc

    seen = naming.window(known_releases(session), _moment(at))
    content = {
        "merge_window": seen.merge_window,
        "net_next": seen.net_next,
        "since": utc(seen.since),
        "predicted": utc(seen.predicted),
        "release": seen.release,
        "as_of": utc(seen.as_of),
    }
    session.answer("window", content, lambda style: report.window(seen, style), as_json)


def _moment(at: str | None) -> int:
    if at is None:
        return int(time.time())
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise UsageError(f"--at {at}: not a date", hint="--at 2011-05-25") from None
    if re.fullmatch(r"[\dW-]+", at):
        # A day with a release on it is that release's: whoever names a day means all of it.
        moment = moment.replace(hour=23, minute=59, second=59)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())

# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands about the API: what changed between two versions, and who changed it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import KbisectError, UsageError

if TYPE_CHECKING:
    from kbisect.api.comparison import Result, Scope
    from kbisect.api.lifetimes import Lives, Past
    from kbisect.history.store import Index


@click.group()
def api() -> None:
    """Say what changed in the network API, and who changed it."""


@api.command()
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--struct", "structs", multiple=True, metavar="S", help="Only this struct or union.")
@click.option("--header", "headers", multiple=True, metavar="H", help="Only this header.")
@click.option("--breaking-only", is_flag=True, help="Leave out what breaks no user.")
@click.option("--worktree", is_flag=True, help="Compare with the worktree, uncommitted or not.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if there are changes.")
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
    breaking_only: bool,
    worktree: bool,
    exit_code: bool,
    as_json: bool,
) -> None:
    """Say what changed in the network headers between OLD and NEW, and who changed it.

    OLD defaults to git config kbisect.base, NEW to the newest release; both may be directories
    or tarballs.

    \b
    kbisect api diff v2.6.21 v2.6.22 --struct sk_buff
    kbisect api diff v2.6.38 --breaking-only --header linux/netdevice.h
    kbisect api diff HEAD --worktree
    """
    from kbisect.api.comparison import Scope
    from kbisect.api.findings import Compatibility
    from kbisect.report import api as report

    begun = time.monotonic()
    scope = Scope(tuple(name.removeprefix("struct ").strip() for name in structs), headers)
    result, span = _compare(session, old, new, worktree, scope)
    findings = result.findings
    if breaking_only:
        harmless = (Compatibility.COMPATIBLE, Compatibility.ANNOTATION_ONLY)
        findings = tuple(f for f in findings if f.compatibility not in harmless)
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    content = {
        "changes": [report.change(finding) for finding in findings],
        "unclassified": [report.unclassified(gap) for gap in result.unclassified],
        "seconds": round(time.monotonic() - begun, 3),
    }
    session.answer(
        "api-diff",
        content,
        lambda style: report.text(result, findings, span, style, columns),
        as_json,
    )
    if exit_code and findings:
        ctx.exit(1)


@api.command()
@click.argument("message")
@json_option
@pass_session
def explain(session: Session, message: str, as_json: bool) -> None:
    """Say what a compiler's MESSAGE comes from and what to write instead; - reads a whole log.

    \b
    make 2>&1 | kbisect api explain -
    kbisect api explain "'struct sk_buff' has no member named 'nh'"
    """
    from kbisect.api import complaints
    from kbisect.api.complaints import Trouble
    from kbisect.api.explanation import Explainer
    from kbisect.report import api_answers as report

    log = message
    if message == "-":
        log = sys.stdin.buffer.read().decode("utf-8", "replace")
    found = complaints.read(log)
    if not found and message != "-":
        raise UsageError(
            "not a compiler's error message that is known here",
            hint="paste the whole line, or pipe the log: make 2>&1 | kbisect api explain -",
        )
    unread = sum(each.trouble is Trouble.OTHER for each in found)
    told = list(Explainer(_past(session)).explain(found))
    content = {
        "explanations": [report.explanation(each) for each in told],
        "unread": unread,
    }
    session.answer(
        "api-explain", content, lambda style: report.explanations(told, unread, style), as_json
    )


api.add_command(explain, "where")


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
    from kbisect.api.comparison import Scope
    from kbisect.api.explanation import Explainer, relevant
    from kbisect.git import blobs
    from kbisect.report import api_answers as report

    sources = blobs.sources(path)
    if not sources:
        raise UsageError(f"no C source at {path}", hint="give a .c or .h file, or their directory")
    result, span = _compare(session, old, new, False, Scope())
    found = list(usage.hits(sources, result.findings))
    explainer = Explainer(_past(session))
    told = [
        (hit, explainer.instead(hit.finding, relevant(hit.finding, hit.text), hit.text)[0])
        for hit in found
    ]
    content = {"hits": [report.hit(*each) for each in told]}
    session.answer("api-check", content, lambda style: report.hits(told, span, style), as_json)
    if exit_code and found:
        ctx.exit(1)


@api.command()
@click.argument("name")
@json_option
@pass_session
def history(session: Session, name: str, as_json: bool) -> None:
    """Tell the life of NAME over all releases: sk_buff (all its fields), sk_buff.mac, skb_pad."""
    from kbisect.report import api_answers as report
    from kbisect.report.api import change

    lives = _lives(session, name)
    content = {
        "name": lives.name,
        "releases": lives.releases,
        "lives": [report.life(each) for each in lives.lives],
        "events": [change(each) for each in lives.events],
    }
    session.answer("api-history", content, lambda style: report.history(lives, style), as_json)


@api.command()
@click.argument("name")
@click.option("--at", "revision", metavar="REV", help="The version (default: the newest release).")
@json_option
@pass_session
def show(session: Session, name: str, revision: str | None, as_json: bool) -> None:
    """Show the dictionary entry of NAME: declaration, condition, kernel-doc, fields, since when."""
    from kbisect.api import dictionary, surface
    from kbisect.git import blobs
    from kbisect.git.blobs import Files
    from kbisect.history import names
    from kbisect.report import api_answers as report

    repository = session.repository
    index = _index(session)
    at = revision or _newest(index) or "HEAD"
    files = blobs.at_commit(repository, names.resolve(repository, at, session.say), surface.FOLDERS)
    public = {path: oid for path, oid in files.blobs.items() if surface.is_public(path)}
    found = dictionary.entry(repository, Files(public), name)
    if found is None:
        raise UsageError(
            f"no network header declares {name} at {at}",
            hint=f"kbisect api history {name} tells whether another release did",
        )
    lives = _lives(session, name) if index is not None else None
    content = {"at": at, "entry": report.entry(found, lives)}
    session.answer(
        "api-show", content, lambda style: report.shown(found, lives, at, style), as_json
    )


@api.command()
@click.argument("name")
@click.argument("revision", required=False)
@click.option("--worktree", is_flag=True, help="Look at the worktree, uncommitted or not.")
@json_option
@pass_session
def xref(session: Session, name: str, revision: str | None, worktree: bool, as_json: bool) -> None:
    """Find the definitions of NAME and its uses, as grep prints them (default: at HEAD)."""
    from kbisect.api import references
    from kbisect.git import blobs
    from kbisect.history import names
    from kbisect.report import api_answers as report

    if revision is not None and worktree:
        raise UsageError("REV and --worktree exclude each other", hint="drop one of them")
    repository = session.repository
    commit = None if worktree else names.resolve(repository, revision or "HEAD", session.say)
    word = name.removeprefix("struct ").strip()
    lines = blobs.lines_with(repository, commit, word.rsplit(".", 1)[-1], references.FOLDERS)
    found = references.sort(word, (references.Place(*line) for line in lines))
    content = {
        "definitions": report.places(found.definitions),
        "references": report.places(found.references),
    }
    session.answer("api-xref", content, lambda _: report.references(found), as_json)


@api.command()
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

    found = probes.probe(_past(session), expression)
    content = {"first": next((turn for turn in found if turn.holds), None), "turns": found}

    def subject(oid: str) -> str:
        return session.repository.commit(oid).subject

    session.answer(
        "api-probe", content, lambda style: report.turns(found, expression, subject, style), as_json
    )


def _past(session: Session) -> Past:
    from kbisect.api.lifetimes import Past
    from kbisect.history import store

    return Past(session.repository, store.load(session.repository.store))


def _lives(session: Session, name: str) -> Lives:
    wanted = name.rsplit(maxsplit=1)[-1] if name.strip() else name
    owner, _, member = wanted.partition(".")
    past = _past(session)
    lives = past.lives(owner)[owner]
    if member:
        lives = lives.of(wanted)
    if not lives.lives:
        near = past.near(wanted)
        raise UsageError(
            f"no release declares {name} in a network header",
            hint=f"did you mean {', '.join(near)}?" if near else "kbisect api xref NAME",
        )
    return lives


def _compare(
    session: Session, old: str | None, new: str | None, worktree: bool, scope: Scope
) -> tuple[Result, str]:
    from kbisect.api import comparison, surface
    from kbisect.git import blobs
    from kbisect.history import names

    if new is not None and worktree:
        raise UsageError("NEW and --worktree exclude each other", hint="drop one of them")
    if old is not None and new is not None and _is_tree(old) and _is_tree(new):
        before, after = (blobs.in_place(Path(place), surface.FOLDERS) for place in (old, new))
        return comparison.compare_files(before, after, scope), f"{old}..{new}"
    repository = session.repository
    old = old or repository.config("kbisect.base") or ("HEAD" if worktree else None)
    if old is None:
        raise UsageError(
            "no version to compare with",
            hint="kbisect api diff OLD NEW, or git config kbisect.base v3.0",
        )
    if new is not None and (_is_tree(old) or _is_tree(new)):
        raise UsageError(
            f"{old} and {new}: a directory can be compared with a directory only",
            hint="unpack both, or give two revisions",
        )
    index = _index(session)
    new = new or (None if worktree else _newest(index) or "HEAD")
    before_oid = names.resolve(repository, old, session.say)
    after_oid = None if new is None else names.resolve(repository, new, session.say)
    result = comparison.compare(repository, before_oid, after_oid, scope, _release(index))
    return result, f"{old}..{new or '(worktree)'}"


def _is_tree(name: str) -> bool:
    return (Path(name) / "include").is_dir() or (".tar" in name and Path(name).is_file())


def _index(session: Session) -> Index | None:
    """Open the index if there is one: it knows releases, but the difference does without."""
    from kbisect.history import store

    try:
        return store.load(session.repository.store)
    except KbisectError:
        return None


def _newest(index: Index | None) -> str | None:
    if index is None:
        return None
    rows = index.rows("SELECT name FROM releases ORDER BY position DESC LIMIT 1")
    return str(rows[0][0]) if rows else None


def _release(index: Index | None) -> Callable[[str], str | None]:
    def find(oid: str) -> str | None:
        if index is None:
            return None
        try:
            return index.release_of(index.number(oid))
        except KbisectError:
            return None

    return find

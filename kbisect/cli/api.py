# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands about the API: what changed between two versions, and who changed it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import KbisectError, UsageError

if TYPE_CHECKING:
    from kbisect.api.comparison import Result, Scope
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

    OLD defaults to git config kbisect.base, NEW to the newest release; both may be directories.

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
    content = {
        "changes": [report.change(finding) for finding in findings],
        "unclassified": [report.unclassified(gap) for gap in result.unclassified],
        "seconds": round(time.monotonic() - begun, 3),
    }
    session.answer(
        "api-diff", content, lambda style: report.text(result, findings, span, style), as_json
    )
    if exit_code and findings:
        ctx.exit(1)


def _compare(
    session: Session, old: str | None, new: str | None, worktree: bool, scope: Scope
) -> tuple[Result, str]:
    from kbisect.api import comparison, surface
    from kbisect.git import blobs
    from kbisect.history import names

    if new is not None and worktree:
        raise UsageError("NEW and --worktree exclude each other", hint="drop one of them")
    if old is not None and new is not None and _is_tree(old) and _is_tree(new):
        before = blobs.in_directory(Path(old), surface.FOLDERS)
        after = blobs.in_directory(Path(new), surface.FOLDERS)
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
    return (Path(name) / "include").is_dir()


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

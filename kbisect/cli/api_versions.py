# SPDX-License-Identifier: GPL-2.0-or-later
"""What the API commands are asked about: versions to compare, the past of a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kbisect.cli.session import Session
from kbisect.errors import KbisectError, UsageError

if TYPE_CHECKING:
    from kbisect.api.comparison import Result
    from kbisect.api.findings import Finding
    from kbisect.api.lifetimes import Past
    from kbisect.api.lives import Lives
    from kbisect.api.scope import Scope
    from kbisect.api.surface import Surface
    from kbisect.history.store import Index


def subject_of(session: Session) -> Callable[[str], str]:
    """Return what tells a commit's subject by its oid."""
    return lambda oid: session.repository.commit(oid).subject


def past(session: Session, until: str | None = None) -> Past:
    """Return the past of the indexed releases, as far as one of them."""
    from kbisect.api.lifetimes import Past
    from kbisect.history import store

    return Past(session.repository, store.load(session.repository.store), until)


def lives_of(session: Session, name: str) -> Lives:
    """Return the lives of a name; one that no release declares is an error with the nearest."""
    wanted = name.rsplit(maxsplit=1)[-1] if name.strip() else name
    owner, _, member = wanted.partition(".")
    known = past(session)
    lives = known.lives(owner)[owner]
    if member:
        lives = lives.of(wanted)
    if not lives.lives:
        near = known.near(wanted)
        raise UsageError(
            f"no release declares {name} in a network header",
            hint=f"did you mean {', '.join(near)}?" if near else "kbisect api xref NAME",
        )
    return lives


@dataclass(frozen=True, slots=True)
class Compared:
    """A difference, the two names as one, and the newer side: its commit, None of the worktree."""

    result: Result
    span: str
    name: str = "the worktree"
    commit: str | None = None


def compare(
    session: Session, old: str | None, new: str | None, worktree: bool, scope: Scope
) -> Compared:
    """Compare what was asked for."""
    from kbisect.api import comparison
    from kbisect.git import blobs
    from kbisect.history import names

    if new is not None and worktree:
        raise UsageError("NEW and --worktree exclude each other", hint="drop one of them")
    if old is not None and new is not None and _is_tree(old) and _is_tree(new):
        before, after = (blobs.in_place(Path(place), scope.surface.folders) for place in (old, new))
        return Compared(comparison.compare_files(before, after, scope), f"{old}..{new}")
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
    index = index_of(session)
    new = new or (None if worktree else newest(index) or "HEAD")
    before_oid = names.resolve(repository, old, session.say)
    after_oid = None if new is None else names.resolve(repository, new, session.say)
    with session.counting("reading the commits in between") as count:
        result = comparison.compare(
            repository, before_oid, after_oid, scope, _release(index), count
        )
    if new is None:
        return Compared(result, f"{old}..(worktree)")
    return Compared(result, f"{old}..{new}", new, after_oid)


def with_uses_left(
    session: Session,
    compared: Compared,
    findings: Sequence[Finding],
    tree: str | None,
    scope: Scope,
) -> tuple[Sequence[Finding], str]:
    """Count who uses old names still, in a tree or the newer side; return that with its name.

    Of two directories nothing is counted: of those the headers alone were read.
    """
    from kbisect.api import leftovers
    from kbisect.history import names

    repository = session.repository if tree or compared.result.attributed else None
    if repository is None:
        return findings, ""
    name, commit = compared.name, compared.commit
    if tree is not None:
        name, commit = tree, names.resolve(repository, tree, session.say)
    folders = (*leftovers.FOLDERS, *scope.surface.paths)
    return leftovers.counted(repository, commit, findings, folders), name


def _is_tree(name: str) -> bool:
    return (Path(name) / "include").is_dir() or (".tar" in name and Path(name).is_file())


def surface_of(session: Session, paths: Sequence[str] = ()) -> Surface:
    """Return the headers that count: networking's, those below some paths, else those indexed."""
    from kbisect.api.surface import Surface

    index = index_of(session) if not paths else None
    listed = paths if index is None else index.meta.scope
    return Surface(tuple(path.rstrip("/") for path in listed))


def index_of(session: Session) -> Index | None:
    """Open the index if there is one: it knows releases, but the difference does without."""
    from kbisect.history import store

    try:
        return store.load(session.repository.store)
    except KbisectError:
        return None


def newest(index: Index | None) -> str | None:
    """Return the newest release, None without an index."""
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

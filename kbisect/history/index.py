# SPDX-License-Identifier: GPL-2.0-or-later
"""Bring the index up to date: from nothing, by what is new, or not at all."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.history import generation, store
from kbisect.history.assembly import Count, Wanted, build
from kbisect.history.scope import Scope
from kbisect.history.store import Index
from kbisect.history.trees import Taken, canonical, remember, taken

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `kbisect index` did.

    Attributes
    ----------
    commits : in the whole history
    in_scope : of them, those that touch the scope (merges apart)
    new : commits that the index didn't know before
    mode : `full`, `incremental` or `current`
    seconds : wall time
    taken : which ref was taken for which tree, and why
    releases : how many are known
    derived : whether they come from the Makefile, for want of tags
    """

    commits: int
    in_scope: int
    new: int
    mode: str
    seconds: float
    taken: tuple[Taken, ...]
    releases: int
    derived: bool

    @property
    def trees(self) -> dict[str, str]:
        """Tree name → ref."""
        return {each.tree: each.ref for each in self.taken}


def update(
    repository: Repository,
    *,
    trees: Mapping[str, str] | None = None,
    paths: Sequence[str] = (),
    lines: bool = False,
    full: bool = False,
    say: Say = lambda _: None,
    count: Count = lambda _: None,
) -> Outcome:
    """Bring the index up to date with the repository's refs.

    Parameters
    ----------
    repository : Repository
    trees : tree name → ref, as the user names them; they win over what is recognised
    paths : the scope; empty means that of the index there is, else the default one
    lines : count lines, and go on counting them
    full : build it anew even when nothing changed
    say : called with a line for people
    count : called now and then with the number of commits read so far

    Raises
    ------
    RepositoryProblem
        A shallow clone, or objects missing.
    EnvironmentProblem
        Another writer is at work, or the disk is full.
    """
    begun = time.monotonic()
    repository.require_whole_history()
    with generation.writing(repository.store), _no_cycles():
        known = _present(repository, say)
        wanted = _wanted(repository, known, trees or {}, paths, lines, say)
        before = None if known is None or full or not wanted.goes_on(repository, known) else known
        if before is not None and wanted.same_as(before):
            return _outcome(before, wanted, 0, "current", begun)
        index = build(repository, wanted, before, count)
        if not repository.has_own_store:
            # Whoever keeps kbisect's data elsewhere wants nothing written here.
            remember(repository, wanted.trees)
        new = len(index.oids) - (_still_there(known, index) if known else 0)
        return _outcome(index, wanted, new, "incremental" if before else "full", begun)


@contextmanager
def _no_cycles() -> Iterator[None]:
    """Keep Python from looking for cycles in a million rows that have none, time and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _present(repository: Repository, say: Say) -> Index | None:
    try:
        return store.load(repository.store, verify=True)
    except store.NoIndex:
        return None
    except store.IndexDamaged as error:
        say(f"{error.message}; building it anew")
        return None


def _wanted(
    repository: Repository,
    before: Index | None,
    trees: Mapping[str, str],
    paths: Sequence[str],
    lines: bool,
    say: Say,
) -> Wanted:
    refs = repository.refs()
    tips = {ref.name: ref.oid for ref in refs}
    head = repository.head()
    if head:
        tips.setdefault("HEAD", head)
    if not tips:
        raise UsageError("this repository has no commits yet", hint="git fetch, or commit")
    known = before.meta.trees.items() if before else ()
    chosen = {tree: Taken(tree, ref, "the index before") for tree, ref in known}
    chosen |= {each.tree: each for each in taken(repository, refs)}
    for named, ref in trees.items():
        tree = canonical(named)
        chosen[tree] = Taken(tree, ref if ref in tips else _full_name(ref, tips), "--tree")
    found = tuple(each for each in chosen.values() if each.ref in tips)
    for tree, ref in known:
        if tree not in {each.tree for each in found}:
            say(f"{tree} is left out: {ref} is gone")
    scope = Scope.of(paths or (before.meta.scope if before else ()))
    return Wanted(refs, tips, found, scope, lines or bool(before and before.meta.lines))


def _full_name(ref: str, tips: Mapping[str, str]) -> str:
    for prefix in ("refs/", "refs/heads/", "refs/remotes/", "refs/tags/"):
        if prefix + ref in tips:
            return prefix + ref
    raise UsageError(f"no branch is named {ref}", hint="a tree is a branch: --tree net=origin/main")


def _still_there(before: Index, index: Index) -> int:
    if len(before.oids) <= len(index.oids) and np.array_equal(
        index.oids.raw[: len(before.oids)], before.oids.raw
    ):
        return len(before.oids)
    return sum(index.oids.number(oid) is not None for oid in before.oids)


def _outcome(index: Index, wanted: Wanted, new: int, mode: str, begun: float) -> Outcome:
    sources = index.table("releases", ["source"]).column("source").to_pylist()
    return Outcome(
        commits=len(index.oids),
        in_scope=index.table("rows", ["number"]).num_rows,
        new=new,
        mode=mode,
        seconds=round(time.monotonic() - begun, 2),
        taken=wanted.taken,
        releases=len(sources),
        derived="Makefile" in sources,
    )

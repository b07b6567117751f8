# SPDX-License-Identifier: GPL-2.0-or-later
"""Is it already fixed? Commits that fix, revert or blame the culprit, and the tips of the trees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kbisect.bisect.result import Kind, Result
from kbisect.bisect.verdict import Verdict
from kbisect.git import commits
from kbisect.git.freshness import fetched_at
from kbisect.git.repository import Repository
from kbisect.history import messages, store
from kbisect.history.containment import trees_with
from kbisect.history.messages import LinkKind
from kbisect.history.store import Index

TREES = ("net", "mainline")
"""Trees whose tips are tested."""
_STRONG = (LinkKind.FIXES, LinkKind.REVERTS)
_SHORT = 7
_NAMES = (*_STRONG, LinkKind.BLAMES)


@dataclass(frozen=True, slots=True)
class Link:
    """A commit that says it repairs the culprit.

    Attributes
    ----------
    kind : fixes, reverts, or blames (in prose)
    trees : that contain it
    release : the first that contains it, None before one does
    """

    oid: str
    kind: LinkKind
    trees: tuple[str, ...]
    release: str | None

    @property
    def is_strong(self) -> bool:
        """Whether a trailer or git's own words say so, not prose."""
        return self.kind in _STRONG


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was found.

    Attributes
    ----------
    links : what the bad end doesn't have, the strongest first
    vain : what the bad end has, so that it fails in spite of it; the strongest first
    passing, failing : trees whose tip passes, or fails
    as_of : Unix time of the last fetch, None without remotes
    newest : Unix time of the newest commit here, None without an index
    looked : whether there was an index to look in
    """

    bad: str
    links: tuple[Link, ...] = ()
    vain: tuple[Link, ...] = ()
    passing: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    as_of: float | None = None
    newest: float | None = None
    looked: bool = True

    def __bool__(self) -> bool:
        """Whether it is fixed somewhere. A tip that still fails outweighs words."""
        return bool(self.passing) or (bool(self.links) and not self.failing)


def look(repository: Repository, result: Result, bad: str) -> Fixed:
    """Look for fixes of a campaign's culprit, and for whether its bad end contains them."""
    tips = result.check(Kind.TIP)
    passing = tuple(check.tree or "" for check in tips if check.verdict is Verdict.GOOD)
    failing = tuple(check.tree or "" for check in tips if check.verdict is Verdict.BAD)
    as_of = fetched_at(repository)
    try:
        index = store.load(repository.store)
    except (store.NoIndex, store.IndexDamaged):
        return Fixed(bad, (), (), passing, failing, as_of, looked=False)
    links = _links(repository, index, result.culprit) if result.culprit else ()
    vain = tuple(link for link in links if repository.is_ancestor(link.oid, bad))
    links = tuple(link for link in links if link not in vain)
    newest = float(index.graph.times.max(initial=0))
    return Fixed(bad, links, vain, passing, failing, as_of, newest)


def tips(repository: Repository, ends: Sequence[str]) -> tuple[str, ...]:
    """Return `tree=oid` of the tips that say whether it is fixed: they contain the bad end.

    A tip that is one of the ends is tested as such.
    """
    try:
        index = store.load(repository.store)
    except (store.NoIndex, store.IndexDamaged):
        return ()
    found: dict[str, str] = {}
    for tree in TREES:
        ref = index.meta.trees.get(tree)
        oid = repository.find(ref) if ref else None
        if oid is None or oid in ends or oid in found.values():
            continue
        if repository.is_ancestor(ends[0], oid):
            found[tree] = oid
    return tuple(f"{tree}={oid}" for tree, oid in found.items())


def _links(repository: Repository, index: Index, culprit: str) -> tuple[Link, ...]:
    said = [
        (oid, LinkKind(kind))
        for oid, kind in index.rows(
            "SELECT DISTINCT oid, kind FROM links WHERE target = ?", [culprit]
        )
    ]
    # The index reads the messages in its scope; a fix can be anywhere.
    said += _spoken(repository, culprit)
    kind_of: dict[str, LinkKind] = {}
    for oid, kind in said:
        if kind in _NAMES:
            kind_of[oid] = min(kind, kind_of.get(oid, kind), key=_NAMES.index)
    links = []
    for oid, kind in kind_of.items():
        if any(each is LinkKind.REVERTS for _, each in _spoken(repository, oid)):
            continue
        number = index.oids.number(oid)
        trees, release = (
            ((), None) if number is None else (trees_with(index, number), index.release_of(number))
        )
        links.append(Link(oid, kind, trees, release))
    return tuple(sorted(links, key=lambda link: (_NAMES.index(link.kind), not link.trees)))


def _spoken(repository: Repository, oid: str) -> Iterator[tuple[str, LinkKind]]:
    """Read what commits that came later, on any ref, say of one: (who, what)."""
    subject = repository.commit(oid).subject
    names = (oid[:_SHORT], f'Revert "{subject}"')
    later = commits.naming(repository, names, "--all", f"^{oid}")
    for each in commits.records(repository, later, ()):
        for link in messages.links(each.message):
            if oid.startswith(link.oid) if link.oid else link.subject == subject:
                yield each.oid, link.kind

# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree a series is for: whose by MAINTAINERS, and whether it is a fix by what its tags name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.history import trees
from kbisect.history.maintainers import THE_REST, Maintainers
from kbisect.history.sections import Section
from kbisect.patch.series import Patch, Series

_URL = re.compile(r"\S+://\S+")
_NETDEV = "netdev@vger.kernel.org"
_LOOKS_LIKE_FIX = re.compile(r"\b(?:fix(?:es|ed)?|avoid|prevent|revert)\b", re.IGNORECASE)
# How the lists write some names.
_SPELLED = {"netfilter": "nf", "netfilter-next": "nf-next", "ieee802154": "wpan"}


@dataclass(frozen=True, slots=True)
class Fixed:
    """A commit that a patch fixes, and the trees (of those known here) that have it."""

    number: int
    oid: str
    trees: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a series should go.

    Attributes
    ----------
    tree : as one writes it in the prefix, None where it isn't clear
    family : the tree without `-next`: net, bpf, wireless; the name of a foreign one's repository
    why : the reasons, each with its source
    fixed : what the Fixes: tags name, as far as it is here
    looks_like_fix : a title says so, and no tag does
    foreign : the address of a tree that isn't networking's, so that its list has rules of its own
    """

    tree: str | None
    family: str
    why: tuple[str, ...]
    fixed: tuple[Fixed, ...]
    looks_like_fix: bool
    foreign: str | None = None


@dataclass(frozen=True, slots=True)
class _Home:
    """Whose a path is: the tree's family, the reason, the address of a foreign tree."""

    family: str
    why: str
    foreign: str | None = None


_NOBODY_S = _Home("net", "no section names a tree")


def spelled(tree: str) -> str:
    """Return a tree's name as it stands in a prefix."""
    return _SPELLED.get(tree, tree)


def tips(repository: Repository) -> dict[str, str]:
    """Return the trees of this repository and the oids of their tips."""
    refs = repository.refs()
    oids = {ref.name: ref.oid for ref in refs}
    return {tree: oids[ref] for tree, ref in trees.recognise(repository, refs).items()}


def choose(
    repository: Repository, series: Series, maintainers: Maintainers, known: Mapping[str, str]
) -> Target:
    """Say which tree a series should name.

    Parameters
    ----------
    maintainers : of the revision that counts
    known : `tips`
    """
    home = _home(series, maintainers)
    family = home.family
    fixed = tuple(_fixed(repository, series, family, known))
    why = [home.why]
    looks = not fixed and any(_LOOKS_LIKE_FIX.search(patch.title) for patch in series.patches)
    if home.foreign:
        return Target(None, family, tuple(why), fixed, looks, home.foreign)
    if not fixed:
        if looks:
            why.append("its title says fix, but no Fixes: tag says of what")
            return Target(None, family, tuple(why), fixed, True)
        why.append("it fixes nothing that it names")
        return Target(spelled(f"{family}-next"), family, tuple(why), fixed, False)
    released = {family, "mainline", "net"}
    in_fixes = [each for each in fixed if released & set(each.trees)]
    if in_fixes:
        first = in_fixes[0]
        where = ", ".join(spelled(tree) for tree in first.trees if tree in released)
        why.append(f"{first.oid[:12]}, which it fixes, is in {where}")
        return Target(spelled(family), family, tuple(why), fixed, False)
    if any(each.trees for each in fixed):
        first = next(each for each in fixed if each.trees)
        why.append(f"only {', '.join(map(spelled, first.trees))} has {first.oid[:12]}")
        return Target(spelled(f"{family}-next"), family, tuple(why), fixed, False)
    why.append("no tree known here has what it fixes")
    return Target(None, family, tuple(why), fixed, False)


def _home(series: Series, maintainers: Maintainers) -> _Home:
    """Return whose most of its files are, by the trees (T:) of the sections that they fall in."""
    if not series.paths:
        return _Home("net", "it names no file")
    votes = Counter(_of_path(maintainers, path) for path in series.paths)
    del votes[_NOBODY_S]
    if votes:
        return votes.most_common(1)[0][0]
    if _is_of_networking(maintainers):
        return _NOBODY_S
    return _foreign(_tree_of_the_rest(maintainers), THE_REST)


def _of_path(maintainers: Maintainers, path: str) -> _Home:
    for match in maintainers.sections_of(path):
        section = match.section
        if section.title == THE_REST:
            continue
        urls = _urls(section)
        for url in urls:
            if tree := trees.tree_of_url(url):
                return _Home(tree.removesuffix("-next"), f"MAINTAINERS: {section.title}")
        # A driver's own tree is pulled into net-next, where its list is netdev.
        if any(value.startswith(_NETDEV) for value in section.values("L")):
            return _Home("net", f"MAINTAINERS: {section.title}")
        if urls:
            return _foreign(urls[0], section.title)
    return _NOBODY_S


def _urls(section: Section) -> list[str]:
    return [url for value in section.values("T") for url in _URL.findall(value)]


def _foreign(url: str, title: str) -> _Home:
    name = url.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return _Home(name, f"MAINTAINERS: {title}", url)


def _is_of_networking(maintainers: Maintainers) -> bool:
    """Whether this is Linux: somebody's list is netdev."""
    return any(
        value.startswith(_NETDEV)
        for section in maintainers.sections
        for value in section.values("L")
    )


def _tree_of_the_rest(maintainers: Maintainers) -> str:
    rest = (section for section in maintainers.sections if section.title == THE_REST)
    return next((url for section in rest for url in _urls(section)), "a tree it doesn't name")


def _fixed(
    repository: Repository, series: Series, family: str, known: Mapping[str, str]
) -> list[Fixed]:
    asked = [family, "mainline", "net", f"{family}-next", "net-next"]
    found = []
    for patch in series.patches:
        for oid in named(repository, patch):
            holders = tuple(
                tree
                for tree in dict.fromkeys(asked)
                if tree in known and repository.is_ancestor(oid, known[tree])
            )
            found.append(Fixed(patch.subject.number, oid, holders))
    return found


def named(repository: Repository, patch: Patch) -> list[str]:
    """Return the commits that a patch's Fixes: tags name, as far as they are here."""
    found = []
    for link in patch.fixes:
        try:
            oid = repository.find(link.oid) if link.oid else None
        except UsageError:
            oid = None  # several commits begin so
        if oid is not None:
            found.append(oid)
    return found

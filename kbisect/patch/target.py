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
    family : the tree without `-next`: net, bpf, wireless
    why : the reasons, each with its source
    fixed : what the Fixes: tags name, as far as it is here
    looks_like_fix : a title says so, and no tag does
    """

    tree: str | None
    family: str
    why: tuple[str, ...]
    fixed: tuple[Fixed, ...]
    looks_like_fix: bool


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
    family, reason = _family(series, maintainers)
    fixed = tuple(_fixed(repository, series, family, known))
    why = [reason]
    looks = not fixed and any(_LOOKS_LIKE_FIX.search(patch.title) for patch in series.patches)
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


def _family(series: Series, maintainers: Maintainers) -> tuple[str, str]:
    """Return whose it is, by the trees (T:) of the sections that its files fall in."""
    votes: Counter[tuple[str, str]] = Counter()
    for path in series.paths:
        votes[_of_path(maintainers, path)] += 1
    if not votes:
        return "net", "it names no file"
    (family, title), _ = votes.most_common(1)[0]
    return family, f"MAINTAINERS: {title}"


def _of_path(maintainers: Maintainers, path: str) -> tuple[str, str]:
    for match in maintainers.sections_of(path):
        section = match.section
        if section.title == THE_REST:
            continue
        for value in section.values("T"):
            for url in _URL.findall(value):
                if tree := trees.tree_of_url(url):
                    return tree.removesuffix("-next"), section.title
        if any(value.startswith(_NETDEV) for value in section.values("L")):
            return "net", section.title
    return "net", "no section names a tree"


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

# SPDX-License-Identifier: GPL-2.0-or-later
"""The trees of Linux networking: where each lives, and which ref of a repository is which."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kbisect.git import fetching, settings
from kbisect.git.repository import Ref, Repository

_HOST = "https://git.kernel.org/pub/scm/linux/kernel/git/"
# Where each tree lives today (T: lines of MAINTAINERS), below _HOST, and how the end of a URL that
# leads to it looks, or looked. The first match wins.
_TREES = (
    ("mainline", "torvalds/linux", r"torvalds/linux(?:-2\.6)?"),
    ("net", "netdev/net", r"(?:netdev|davem)/net(?:-2\.6)?|davem330/net"),
    ("net-next", "netdev/net-next", r"(?:netdev|davem)/net-next(?:-2\.6)?"),
    ("wireless", "wireless/wireless", r"wireless/wireless|linville/wireless(?:-2\.6)?"),
    (
        "wireless-next",
        "wireless/wireless-next",
        r"wireless/wireless-next|linville/wireless-next(?:-2\.6)?",
    ),
    ("bluetooth", "bluetooth/bluetooth", r"(?:bluetooth|padovan|jh|holtmann)/bluetooth(?:-2\.6)?"),
    (
        "bluetooth-next",
        "bluetooth/bluetooth-next",
        r"(?:bluetooth|padovan|jh|holtmann)/bluetooth-next(?:-2\.6)?",
    ),
    ("ipsec", "klassert/ipsec", r"klassert/ipsec"),
    ("ipsec-next", "klassert/ipsec-next", r"klassert/ipsec-next"),
    ("netfilter", "netfilter/nf", r"(?:netfilter|pablo|kaber)/nf(?:-2\.6)?"),
    ("netfilter-next", "netfilter/nf-next", r"(?:netfilter|pablo|kaber)/nf-next(?:-2\.6)?"),
    ("bpf", "bpf/bpf", r"bpf/bpf"),
    ("bpf-next", "bpf/bpf-next", r"bpf/bpf-next"),
    ("can", "mkl/linux-can", r"mkl/linux-can"),
    ("can-next", "mkl/linux-can-next", r"mkl/linux-can-next"),
    ("ieee802154", "wpan/wpan", r"wpan/wpan"),
    ("ieee802154-next", "wpan/wpan-next", r"wpan/wpan-next"),
    ("stable", "stable/linux", r"stable/linux(?:-stable)?"),
)
URLS = {name: f"{_HOST}{place}.git" for name, place, _ in _TREES}
"""Tree → where to fetch it."""
DEFAULT = ("mainline", "net", "net-next")
"""The trees that a clone has when nothing else is asked for."""
STABLE = "stable"
"""No tree of its own: a remote whose branches `linux-6.1.y` are trees, each by its own name."""

# Other names by which people ask for a tree.
_ALIASES = {"nf": "netfilter", "nf-next": "netfilter-next", "linus": "mainline"} | {
    "wpan": "ieee802154",
    "wpan-next": "ieee802154-next",
}
# Tags of these are releases; what else their maintainers tag stays away unless it is on a branch.
_WITH_RELEASES = {"mainline", STABLE}
# Branches that carry a tree's work, the likeliest first.
_BRANCHES = ("main", "master")
_STABLE_BRANCH = re.compile(r"linux-\d+(?:\.\d+)+\.y\Z")


@dataclass(frozen=True, slots=True)
class Taken:
    """A ref that was taken for a tree.

    Attributes
    ----------
    tree, ref : name of the tree, full name of the ref
    why : in a few words, for people
    """

    tree: str
    ref: str
    why: str


def canonical(name: str) -> str:
    """Return the name that a tree has here: `netfilter` for `nf`."""
    return _ALIASES.get(name, name)


def tree_of_url(url: str) -> str | None:
    """Return the tree that a remote's URL leads to."""
    for name, _, pattern in _TREES:
        if re.search(rf"(?:^|[/:])(?:{pattern})(?:\.git)?/?$", url):
            return name
    return None


def recognise(repository: Repository, refs: Sequence[Ref]) -> dict[str, str]:
    """Say which ref stands for which tree.

    Returns
    -------
    dict
        tree name → full ref name; see `taken` for the rules.
    """
    return {each.tree: each.ref for each in taken(repository, refs)}


def taken(repository: Repository, refs: Sequence[Ref]) -> list[Taken]:
    """Say which ref stands for which tree, and why.

    What git config remembers (`kbisect.tree.NAME.ref`) wins, then the remotes' URLs and names,
    then the branches' names. A branch `master` or `main` is mainline only beside a ref that stands
    for another tree; alone it could be anything.
    """
    names = {ref.name for ref in refs}
    found: dict[str, Taken] = {}

    def take(tree: str, ref: str, why: str) -> None:
        if ref in names:
            found.setdefault(tree, Taken(tree, ref, why))

    for tree, ref in remembered(repository).items():
        take(tree, ref, "git config")
    for remote, url in repository.remotes().items():
        by_url = tree_of_url(url)
        by_name = canonical(remote) if canonical(remote) in URLS else None
        meant = by_url or by_name
        if meant is None or meant == STABLE:
            continue
        for branch in _BRANCHES:
            why = f"the address of the remote {remote}" if by_url else "the name of the remote"
            take(meant, f"refs/remotes/{remote}/{branch}", why)
    for tree in URLS:
        take(tree, f"refs/heads/{tree}", "the name of the branch")
    for ref in sorted(names):
        branch = ref.rpartition("/")[2]
        if _STABLE_BRANCH.match(branch) and not ref.startswith("refs/tags/"):
            take(branch, ref, "the name of the branch")
    if found and "mainline" not in found:
        for branch in reversed(_BRANCHES):
            take("mainline", f"refs/heads/{branch}", "the main branch beside other trees")
    return list(found.values())


def remembered(repository: Repository) -> dict[str, str]:
    """Return what git config says of trees: name → ref."""
    found = {}
    for key, ref in repository.configured(r"^kbisect\.tree\..*\.ref$").items():
        found[key.removeprefix("kbisect.tree.").removesuffix(".ref")] = ref
    return found


def remember(repository: Repository, trees: dict[str, str]) -> bool:
    """Write into git config which ref stands for which tree.

    Returns
    -------
    bool
        False where the repository can't be written; that is no error.
    """
    known = remembered(repository)
    return settings.remember(
        repository,
        {f"kbisect.tree.{tree}.ref": ref for tree, ref in trees.items() if known.get(tree) != ref},
    )


def remote(tree: str, url: str, name: str | None = None) -> fetching.Remote:
    """Return what to fetch for a tree."""
    return fetching.Remote(name or tree, url, all_tags=tree in _WITH_RELEASES)


@dataclass(frozen=True, slots=True)
class Source:
    """A remote of this repository that brings a tree: its name, the remote, the tree's branch."""

    tree: str
    remote: fetching.Remote
    ref: str


def add(repository: Repository, tree: str, url: str) -> Source:
    """Make a tree a remote of this repository, and remember its branch; nothing is fetched yet.

    Raises
    ------
    UsageError, FetchFailed
        See `fetching.add`.
    """
    wanted = remote(tree, url)
    ref = fetching.add(repository, wanted)
    if tree != STABLE:
        remember(repository, {tree: ref})
    return Source(tree, wanted, ref)


def sources(repository: Repository) -> list[Source]:
    """Return the remotes that bring trees, each once."""
    refs = repository.refs()
    names = {ref.name for ref in refs}
    tree_of_ref = {each.ref: each.tree for each in taken(repository, refs)}
    found = []
    for name, url in repository.remotes().items():
        own = [ref for ref in tree_of_ref if ref.startswith(f"refs/remotes/{name}/")]
        whole = [ref for ref in own if not _STABLE_BRANCH.match(tree_of_ref[ref])]
        if whole:
            tree, ref = tree_of_ref[whole[0]], whole[0]
        else:
            # Stable, and trees that were never fetched.
            named = canonical(name) if canonical(name) in URLS else None
            guess = tree_of_url(url) or named or (STABLE if own else None)
            if guess is None:
                continue
            candidates = [f"refs/remotes/{name}/{branch}" for branch in reversed(_BRANCHES)]
            here = [ref for ref in [*candidates, *own] if ref in names]
            tree, ref = guess, (here or candidates)[0]
        found.append(Source(tree, remote(tree, url, name), ref))
    return found

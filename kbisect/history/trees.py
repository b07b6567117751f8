# SPDX-License-Identifier: GPL-2.0-or-later
"""The trees of Linux networking: which ref of a repository stands for which."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kbisect.git.repository import Ref, Repository

# Where each tree lives (MAINTAINERS, T: lines), as the end of a URL. The first match wins.
_URLS = (
    ("net-next", r"(?:netdev|davem)/net-next(?:-2\.6)?"),
    ("net", r"(?:netdev|davem)/net(?:-2\.6)?|davem330/net"),
    ("wireless-next", r"wireless/wireless-next|linville/wireless-next(?:-2\.6)?"),
    ("wireless", r"wireless/wireless|linville/wireless(?:-2\.6)?"),
    ("bluetooth-next", r"bluetooth/bluetooth-next(?:-2\.6)?"),
    ("bluetooth", r"bluetooth/bluetooth(?:-2\.6)?"),
    ("ipsec-next", r"klassert/ipsec-next"),
    ("ipsec", r"klassert/ipsec"),
    ("netfilter-next", r"(?:netfilter|pablo)/nf-next"),
    ("netfilter", r"(?:netfilter|pablo)/nf"),
    ("bpf-next", r"bpf/bpf-next"),
    ("bpf", r"bpf/bpf"),
    ("can-next", r"mkl/linux-can-next"),
    ("can", r"mkl/linux-can"),
    ("ieee802154-next", r"wpan/wpan-next"),
    ("ieee802154", r"wpan/wpan"),
    ("mainline", r"torvalds/linux(?:-2\.6)?"),
    ("stable", r"stable/linux(?:-stable)?"),
)
# Branches that carry a tree's work, the likeliest first.
_BRANCHES = ("main", "master")
_STABLE = re.compile(r"linux-\d+(?:\.\d+)+\.y\Z")
_NAMES = tuple(name for name, _ in _URLS)


def tree_of_url(url: str) -> str | None:
    """Return the tree that a remote's URL leads to."""
    for name, pattern in _URLS:
        if re.search(rf"(?:^|[/:])(?:{pattern})(?:\.git)?/?$", url):
            return name
    return None


def recognise(repository: Repository, refs: Sequence[Ref]) -> dict[str, str]:
    """Say which ref stands for which tree: by the remotes' URLs, then by the branches' names.

    Returns
    -------
    dict
        tree name → full ref name. A branch `master` or `main` is mainline only beside a branch
        that is named after another tree; alone it could be anything.
    """
    names = {ref.name for ref in refs}
    found: dict[str, str] = {}
    for remote, url in repository.remotes().items():
        tree = tree_of_url(url) or (remote if remote in _NAMES else None)
        if tree is None or tree in found or tree == "stable":
            continue
        for branch in _BRANCHES:
            if (ref := f"refs/remotes/{remote}/{branch}") in names:
                found[tree] = ref
                break
    for tree in _NAMES:
        if tree not in found and (ref := f"refs/heads/{tree}") in names:
            found[tree] = ref
    found |= {
        branch: ref
        for ref in sorted(names)
        if (branch := ref.rpartition("/")[2]) and _STABLE.match(branch) and branch not in found
    }
    if found and "mainline" not in found:
        for branch in reversed(_BRANCHES):
            if (ref := f"refs/heads/{branch}") in names:
                found["mainline"] = ref
                break
    return found

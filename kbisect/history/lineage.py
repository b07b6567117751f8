# SPDX-License-Identifier: GPL-2.0-or-later
"""Through which tree a commit reached mainline, read from the merges that brought it. Pure.

Mainline is the line of first parents below each release in turn (a release is committed by Linus,
on top of what he merged). A merge there brings the commits of its other parents; the subject of
the merge names the tree they came from, and within that tree the same holds one level down. So a
commit has a path of trees, outermost first: `net-next`, `wireless-next`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kbisect.history.graph import CommitGraph, Ints

UNKNOWN = ""
MAINLINE = "mainline"
"""On mainline's own line: committed there, or pulled in by a fast-forward that left no merge."""

# A tree's name and the repositories that stood for it over the years, as they appear in subjects
# of merges: `Merge git://git.kernel.org/pub/scm/linux/kernel/git/davem/net-2.6`.
_TREES = (
    ("net-next", r"davem/net-next(?:-2\.6)?|davem/net-2\.6\.\d+|netdev/net-next|davem330/net-next"),
    (
        "net",
        r"davem/net(?:-2\.6)?|netdev/net|shemminger/netdev|jgarzik/netdev-2\.6|davem/net-\w+"
        r"|davem330/net",
    ),
    (
        "wireless-next",
        r"linville/wireless-next(?:-2\.6)?|linville/wireless-2\.6\.\d+"
        r"|(?:wireless|kvalo)/wireless(?:-drivers)?-next",
    ),
    (
        "wireless",
        r"(?:linville|davem)/wireless(?:-2\.6)?|(?:wireless|kvalo)/wireless(?:-drivers)?",
    ),
    ("mac80211-next", r"(?:jberg|wireless)/mac80211-next"),
    ("mac80211", r"(?:jberg|wireless)/mac80211"),
    ("bluetooth-next", r"(?:bluetooth|padovan|holtmann|jh)/bluetooth-next(?:-2\.6)?"),
    ("bluetooth", r"(?:bluetooth|padovan|holtmann|jh)/bluetooth(?:-2\.6|-testing)?"),
    (
        "netfilter-next",
        r"(?:pablo|netfilter)/nf-next|(?:kaber|pablo)/nf-next-2\.6|kaber/nf-2\.6\.\d+"
        r"|1984\.lsi\.us\.es/net-next(?:-2\.6)?",
    ),
    (
        "netfilter",
        r"(?:pablo|netfilter)/nf|(?:kaber|pablo)/nf-2\.6|1984\.lsi\.us\.es/net(?:-2\.6)?",
    ),
    ("ipvs-next", r"horms/(?:ipvs-next|lvs-test)(?:-2\.6)?"),
    ("ipvs", r"horms/(?:ipvs|lvs)(?:-2\.6)?"),
    ("ipsec-next", r"klassert/(?:linux-)?ipsec-next"),
    ("ipsec", r"klassert/(?:linux-)?ipsec"),
    ("bpf-next", r"bpf/bpf-next"),
    ("bpf", r"bpf/bpf"),
    ("can-next", r"mkl/linux-can-next"),
    ("can", r"mkl/linux-can"),
    ("ieee802154-next", r"(?:wpan|sschmidt)/wpan-next"),
    ("ieee802154", r"(?:wpan|sschmidt)/wpan|lowpan/lowpan"),
    ("batman-adv", r"(?:git\.open-mesh\.org|ecsv)/(?:linux-merge|batman-adv)"),
    ("vhost", r"mst/vhost"),
    ("rdma", r"roland/infiniband|rdma/rdma"),
    (MAINLINE, r"torvalds/linux(?:-2\.6)?"),
)
_TREE = re.compile(
    "|".join(rf"(?P<t{i}>(?:{pattern}))" for i, (_, pattern) in enumerate(_TREES)),
)
_NAMED_REPOSITORY = re.compile(
    r"(?:\S*[/:])?(?P<path>[\w.~+-]+/(?!\.git\b)[\w.+-]+?)(?:/?\.git)?/?(?=[\s']|$)"
)
# Before git wrote the subjects of merges itself, its scripts and people did.
_MERGE = re.compile(r"(?:Auto(?:matic)?[ -]?)?[Mm]erge (?:of |with |from )?|(?=/)")
_FROM_MAINLINE = re.compile(r"Auto-update from upstream\b|Merge upstream \(")
_BRANCH_OF = re.compile(r"(?:branch|tag|commit)(?:es|s)? .* of |\S+ from (?=\S+:)")
_ADDRESS = re.compile(r"://|:/|\.(?:org|com|net|es)\b")
_LOCAL = re.compile(r"branch(?:es)? '(?P<branch>[^']+)'")
_TRACKING = re.compile(r"remote(?:-tracking)? branch '(?P<branch>[^']+/[^']+)'")
# What people call their own copies and branches of these trees.
_HEADS = {
    "net": "net",
    "net-next": "net-next",
    "net-2.6": "net",
    "net-next-2.6": "net-next",
}
_COPIES = _HEADS | {
    "netdev": "net",
    "netdev-2.6": "net",
    "nf-2.6": "netfilter",
    "linus": MAINLINE,
    "linux-2.6": MAINLINE,
}


def tree_of_merge(subject: str) -> str:
    """Return the tree that a merge's subject names.

    A known tree has its short name; another repository is named by its last two parts
    (`gregkh/usb-2.6`); a merge that names none (a local branch) gives ''.
    """
    if _FROM_MAINLINE.match(subject):
        return MAINLINE
    begun = _MERGE.match(subject)
    if not begun:
        return UNKNOWN
    rest = subject[begun.end() :]
    if tracked := _TRACKING.match(rest):
        names = {name for name, _ in _TREES} & set(tracked["branch"].split("/"))
        return min(names, default=UNKNOWN)
    for named in (_BRANCH_OF.sub("", rest), rest):
        found = _NAMED_REPOSITORY.search(named)
        if found and (tree := _tree_at(found["path"], named)):
            return tree
    local = _LOCAL.match(rest)
    return _HEADS.get(local["branch"].split("/")[-1], UNKNOWN) if local else UNKNOWN


def _tree_at(path: str, named: str) -> str:
    """Name the repository that ends in `path`; '' where `named` is no address."""
    if known := _TREE.fullmatch(path):
        return _TREES[int((known.lastgroup or "t0")[1:])][0]
    if named.startswith(("/", "../")):
        other = path if named[0] == "/" else UNKNOWN
        return _COPIES.get(path.rpartition("/")[2], other)
    return path if _ADDRESS.search(named) else UNKNOWN


@dataclass(frozen=True, slots=True)
class Lineage:
    """Through which trees N commits came.

    Attributes
    ----------
    path : int32[N], an index into `paths`
    landed : int32[N], the merge on mainline that brought it, -1 where none did
    paths : paths of trees, outermost first; an empty one where nothing is known
    """

    path: Ints
    landed: Ints
    paths: tuple[tuple[str, ...], ...]


def lineages(
    graph: CommitGraph,
    releases: Sequence[int],
    subjects: Mapping[int, str],
    tips: Mapping[str, int],
    before: Lineage | None = None,
) -> Lineage:
    """Tell each commit's path of trees and the merge that brought it to mainline.

    Parameters
    ----------
    graph : CommitGraph
    releases : commit numbers of mainline's releases, in order
    subjects : subject of every merge
    tips : tree name → commit number of its branch; `mainline` continues mainline, the others name
        what has not reached it
    before : Lineage, of the first commits of the same graph. What had reached mainline stays; the
        rest is told anew
    """
    names = {trees: at for at, trees in enumerate(before.paths if before else ((),))}
    path = [-1] * len(graph)
    merge = [-1] * len(graph)
    if before:
        own = names.get((MAINLINE,), -2)
        settled = (before.landed >= 0) | (before.path == own)
        path[: len(settled)] = np.where(settled, before.path, -1).tolist()
        merge[: len(settled)] = before.landed.tolist()
    queue: list[tuple[int, tuple[str, ...], int]] = []
    start, parents = graph.start.tolist(), graph.parents.tolist()

    def line_down(tip: int, trees: tuple[str, ...], brought: int) -> None:
        """Take the unclaimed first parents below `tip`, oldest first, then what they merged."""
        line = []
        commit = tip
        while path[commit] < 0:
            line.append(commit)
            if start[commit] == start[commit + 1]:
                break
            commit = parents[start[commit]]
        own = (MAINLINE,) if brought < 0 and not trees else trees
        label = names.setdefault(own, len(names))
        for member in reversed(line):
            path[member] = label
            merge[member] = brought
        # Newest first onto the stack, so that the oldest merge claims what it brought.
        for member in line:
            for other in reversed(parents[start[member] + 1 : start[member + 1]]):
                if path[other] >= 0:
                    continue
                tree = tree_of_merge(subjects.get(member, ""))
                # A tree that merges mainline back, or itself, brings nothing of another tree.
                known = tree in {UNKNOWN, MAINLINE} or tree in trees
                below = trees if known else (*trees, tree)
                outermost = brought < 0 and not trees
                # Where mainline was pulled into a tree, then forwarded to it, its own line is here.
                back = outermost and tree == MAINLINE
                queue.append((other, below, member if outermost and not back else brought))

    def settle() -> None:
        while queue:
            line_down(*queue.pop())

    # Old to new: whatever an earlier release contains is no longer unclaimed for a later one.
    for release in releases:
        line_down(release, (), -1)
        settle()
    mainline = tips.get(MAINLINE)
    if mainline is not None:
        line_down(mainline, (), -1)
        settle()
    for tree, tip in tips.items():
        if tree != MAINLINE:
            line_down(tip, (tree,), -1)
            settle()
    return Lineage(np.maximum(np.array(path, np.int32), 0), np.array(merge, np.int32), tuple(names))

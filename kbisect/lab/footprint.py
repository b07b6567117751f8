# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commits can't change what a campaign builds, by the dependency files of finished builds.

kbuild leaves beside each object the sources and headers it was made from. A commit whose every
change is of the kinds below makes the binary of its first parent:

- it changes the text of a `.c`, `.h` or `.S` file that no build so far has read;
- it changes documentation.

Everything else stays: Kconfig, Makefiles, linker scripts, tables that headers are generated from,
whatever is added, deleted, renamed or becomes a link, and all of `scripts/` and `tools/`, which
build and test. The builds of both ends are asked first, those in between as they come.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kbisect.backport import built
from kbisect.bisect import aside
from kbisect.bisect.candidates import Candidates
from kbisect.bisect.events import Aside
from kbisect.bisect.state import State
from kbisect.errors import UsageError
from kbisect.git import commits
from kbisect.git.commits import Change
from kbisect.git.repository import Repository

_SOURCES = {".c", ".h", ".S"}
_NEEDED = ("scripts/", "tools/")
_PROSE = ("Documentation/", "LICENSES/")
_PROSE_FILES = {"MAINTAINERS", "CREDITS", "COPYING", "README", ".mailmap"}
_BUILD_FILES = ("Kconfig", "Makefile", "Kbuild")
_PACKED_HEADERS = "kernel/kheaders_data.tar.xz"  # CONFIG_IKHEADERS: every header is in the image


@dataclass(frozen=True, slots=True)
class Footprint:
    """What builds have read.

    Attributes
    ----------
    sources : paths in the tree
    copies : names, without folders, of files that lay in the build folder: copied or generated
    """

    sources: frozenset[str] = frozenset()
    copies: frozenset[str] = frozenset()

    def __or__(self, other: Footprint) -> Footprint:
        return Footprint(self.sources | other.sources, self.copies | other.copies)

    def touched_by(self, change: Change) -> bool:
        """Whether a change can reach what these builds made."""
        path = PurePosixPath(change.path)
        if path.name.startswith(_BUILD_FILES) or change.path.startswith(_NEEDED):
            return True
        if change.path.startswith(_PROSE) or change.path in _PROSE_FILES:
            return False
        if change.status != "M" or path.suffix not in _SOURCES:
            return True
        return change.path in self.sources or path.name in self.copies


def read(build: Path, tree: Path) -> Footprint | None:
    """Read the footprint of one finished build; None where nothing sure can be said.

    Parameters
    ----------
    build : the build folder
    tree : the worktree that was built
    """
    if next(build.rglob(".*.cmd"), None) is None or (build / _PACKED_HEADERS).exists():
        return None
    try:
        names = built.files(build, tree)
    except UsageError:
        return None
    sources = frozenset(name for name in names if (tree / name).is_file())
    return Footprint(sources, frozenset(PurePosixPath(name).name for name in names - sources))


class Kept:
    """The footprint of a campaign, kept in its folder: the union of its builds'.

    Attributes
    ----------
    oids : what was built
    grown : whether it says more than when it was last looked at
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "footprint.json"
        self.footprint, self.oids = Footprint(), frozenset[str]()
        self.grown = False
        try:
            held = json.loads(self.path.read_text("utf-8"))
            self.footprint = Footprint(frozenset(held["sources"]), frozenset(held["copies"]))
            self.oids = frozenset(held["commits"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none yet, or cut by a kill: the next builds tell it again

    def add(self, oid: str, found: Footprint) -> None:
        """Take in a build."""
        footprint = self.footprint | found
        self.grown |= footprint != self.footprint
        if not self.grown and oid in self.oids:
            return
        self.footprint, self.oids = footprint, self.oids | {oid}
        held = {
            "commits": sorted(self.oids),
            "sources": sorted(self.footprint.sources),
            "copies": sorted(self.footprint.copies),
        }
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(held), "utf-8")
        new.replace(self.path)


def look(repository: Repository, candidates: Candidates, state: State, kept: Kept) -> Aside | None:
    """Say what can be set aside by now; None if that is what the journal says already.

    Nothing is, before both ends were built, where everything would be, or where a commit that was
    set aside turned out another binary: then this build is not what its dependency files say.
    """
    said = state.aside
    if said is not None and said.reason:
        return None
    sample = aside.sample(candidates, state)
    if sample.other:
        oid = sample.other[0]
        why = f"{oid[:12]} should have made the binary of its parent and made another"
        return Aside(time.time(), reason=why)
    bad, goods = state.ends
    if bad not in kept.oids or not kept.oids.intersection(goods):
        return None
    if said is None or kept.grown:
        kept.grown = False
        oids = tuple(unchanged(repository, candidates, kept.footprint))
        if len(oids) == len(candidates):
            oids = ()
    else:
        oids = said.oids
    if said is not None and (oids, sample.same) == (said.oids, said.checked):
        return None
    return Aside(time.time(), oids, sample.same)


def unchanged(
    repository: Repository, candidates: Candidates, footprint: Footprint
) -> Iterator[str]:
    """Return the candidates that make the same binary as their first parent, parents first."""
    oids = candidates.graph.oids
    pairs = [(oid, candidates.parents[i][0]) for i, oid in enumerate(oids) if candidates.parents[i]]
    differing = dict(commits.from_parents(repository, pairs))
    for oid, _ in pairs:
        if not any(footprint.touched_by(change) for change in differing.get(oid, ())):
            yield oid

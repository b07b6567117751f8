# SPDX-License-Identifier: GPL-2.0-or-later
"""What a merge may find a missing file renamed to.

git's merge compares each file that went with every file that came, and reads them anew for each
merge; a list of fixes asks of hundreds of missing files, on one branch. Here each content is taken
apart once, and git is only shown the files that count: those like the missing one. What else has a
say is shown with them: files of the same name, on both sides, which git tries first where they are
the only ones; and files that were moved unchanged, which are nobody else's, and tell where the
others of their folder went.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from kbisect.git.treeobjects import Entry, Trees

if TYPE_CHECKING:
    import pygit2

    from kbisect.git.similarity import Pieces

Entries = Mapping[str, Entry]
"""By path."""

_ALIKE = 0.5
"""What is less alike, git's merge takes for two files."""
_FEW = 8
"""Questions that are left to git: to take a branch's files apart only pays when many follow."""


class Near(NamedTuple):
    """What git is to be shown beside the missing files.

    Attributes
    ----------
    went : files that only the merge's base has
    came : files that only the branch has; none where nothing is like a missing file
    """

    went: Entries
    came: Entries


class _Lack(NamedTuple):
    """What a folder lacks of another.

    Attributes
    ----------
    files : regular files that only the other has
    folders : by name, those in which something is lacking
    """

    files: list[tuple[str, Entry]]
    folders: list[tuple[str, _Lack]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is worked out once for all threads.

    Attributes
    ----------
    lacks : by two tree objects, what the second lacks of the first
    pieces, sizes : by blob
    alike : by two blobs
    """

    lacks: dict[tuple[str, str | None], _Lack] = field(default_factory=dict)
    pieces: dict[bytes, Pieces] = field(default_factory=dict)
    sizes: dict[bytes, int] = field(default_factory=dict)
    alike: dict[bytes, dict[bytes, bool]] = field(default_factory=dict)
    asked: list[Entries] = field(default_factory=list)
    one: Lock = field(default_factory=Lock)


class Renames:
    """Answers for the tree objects of one repository. Each thread needs its own.

    Parameters
    ----------
    beside : that of another thread, whose results it shares
    """

    def __init__(
        self, trees: Trees, repo: pygit2.Repository, beside: Renames | None = None
    ) -> None:
        self._trees = trees
        self._repo = repo
        self._known: _Known = beside._known if beside else _Known()

    def near(self, gone: Entries, base: str, ours: str) -> Near | None:
        """Return what a merge must see to find regular files of `base` in `ours`.

        Parameters
        ----------
        gone : the files, whose paths aren't in `ours`

        Returns
        -------
        Near
            None where git had better see everything.
        """
        with self._known.one:
            self._known.asked.append(gone)
            if len(self._known.asked) <= _FEW:
                return None
            came = self._only(ours, base)
            wanted = {file.raw for file in gone.values()}
            blobs = frozenset(here.raw for here in came.values())
            like = set().union(*(self._like(blob, blobs) for blob in wanted))
            if not like:
                return Near({}, {})
            return _shown(gone, self._only(base, ours), came, like)

    def _only(self, left: str, right: str) -> Entries:
        """Return the regular files at paths that only the first tree object has."""
        found: dict[str, Entry] = {}
        todo = [("", self._lack(left, right))]
        while todo:
            above, lack = todo.pop()
            found.update((above + name, entry) for name, entry in lack.files)
            todo.extend((f"{above}{name}/", below) for name, below in lack.folders)
        return found

    def _lack(self, left: str, right: str | None) -> _Lack:
        known = self._known.lacks.get((left, right))
        if known is None:
            known = self._known.lacks[left, right] = _Lack([], [])
            others = self._trees.entries(right) if right else {}
            for raw, mine in self._trees.entries(left).items():
                other = others.get(raw)
                if mine == other:
                    continue
                folder = other.oid if other and other.folder else None
                if mine.folder:
                    below = self._lack(mine.oid, folder)
                    if below.files or below.folders:
                        known.folders.append((raw.decode("utf-8", "surrogateescape"), below))
                elif mine.regular and (other is None or folder):
                    known.files.append((raw.decode("utf-8", "surrogateescape"), mine))
        return known

    def _like(self, gone: bytes, blobs: frozenset[bytes]) -> set[bytes]:
        """Return those blobs that are like another."""
        from kbisect.git.similarity import likeness

        sizes = self._sizes({gone} | blobs)
        alike = self._known.alike.setdefault(gone, {gone: True})
        low, high = sizes[gone] * _ALIKE, sizes[gone] / _ALIKE
        near = [blob for blob in blobs if low <= sizes[blob] <= high]
        new = [blob for blob in near if blob not in alike]
        self._take_apart([gone, *new])
        known = self._known.pieces
        shares = likeness(known[gone], [known[blob] for blob in new])
        alike.update((blob, share >= _ALIKE) for blob, share in zip(new, shares, strict=True))
        return {blob for blob in near if alike[blob]}

    def _sizes(self, blobs: Set[bytes]) -> Mapping[bytes, int]:
        """Return the sizes of blobs, among others."""
        import pygit2

        known = self._known.sizes
        for blob in blobs - known.keys():
            known[blob] = self._repo.odb.read_header(pygit2.Oid(raw=blob))[1]
        return known

    def _take_apart(self, blobs: Iterable[bytes]) -> None:
        from kbisect.git.similarity import pieces

        new = [blob for blob in blobs if blob not in self._known.pieces]
        if new:
            found = pieces([self._repo.read(blob.hex())[1] for blob in new])
            self._known.pieces.update(zip(new, found, strict=True))


def _shown(gone: Entries, went: Entries, came: Entries, like: set[bytes]) -> Near:
    names = {_name(path) for path in gone}
    folders = tuple({path.removesuffix(_name(path)) for path in gone})
    targets = {
        path: here for path, here in came.items() if here.raw in like or _name(path) in names
    }
    reached = {here.raw for here in targets.values()}
    moved = {here.raw for here in came.values()}
    sources = {
        path: file
        for path, file in went.items()
        if _name(path) in names
        or file.raw in reached
        or (file.raw in moved and path.startswith(folders))
    }
    unchanged = {file.raw for file in sources.values()}
    targets |= {path: here for path, here in came.items() if here.raw in unchanged}
    return Near(sources, targets)


def _name(path: str) -> str:
    return path.rpartition("/")[2]

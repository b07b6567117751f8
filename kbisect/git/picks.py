# SPDX-License-Identifier: GPL-2.0-or-later
"""Cherry-picks and reverts in memory: would this apply there? The user's checkout isn't touched.

A pick is a three-way merge of tree objects: from the commit's parent to the commit, onto a tree; a
revert goes the other way. The answer is git's own (see `merging`), got without walking whole trees
where that can't matter:

A commit that only changes the content of files which the other side has too, with the same mode,
is nothing but a merge of each file by itself. git looks for renames only among paths that are gone
on one side, and for renamed directories only where a path is new; neither occurs. A file that is
the same on two of the three sides needs no merge at all. A file that the other side lacks is a
conflict where nothing there is like it (see `renames`). Everything else (files added, deleted,
renamed; modes, links, submodules) is git's merge of the whole trees, but for a new file in a
folder that the other side has. A list of a thousand fixes asks for three thousand picks, which need
two thousand merges of files.

What is written goes to the scratch repository, which borrows the user's objects; or, where nobody
wants to keep it, to one that passes (`passing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from kbisect.errors import UsageError
from kbisect.git import process
from kbisect.git.commits import Person
from kbisect.git.merging import Merger
from kbisect.git.passing import Passing
from kbisect.git.renames import Near, Renames
from kbisect.git.repository import Repository
from kbisect.git.treeobjects import Entry, Trees
from kbisect.git.worktree import ISOLATED, Scratch


@dataclass(frozen=True, slots=True)
class Pick:
    """What came of one pick.

    Attributes
    ----------
    tree : oid of the resulting tree object, None after a conflict
    conflicts : paths that conflict, sorted
    empty : the pick changes nothing: its effect is there already
    """

    tree: str | None
    conflicts: tuple[str, ...]
    empty: bool

    @property
    def clean(self) -> bool:
        """Whether it applies; which is not to say that it is right."""
        return self.tree is not None


@dataclass(frozen=True, slots=True)
class _Change:
    """One path of a commit, None where it isn't on that side."""

    path: str
    before: Entry | None
    after: Entry | None

    @property
    def plain(self) -> bool:
        """Whether nothing but the content of a file is changed."""
        before, after = self.before, self.after
        return bool(before and after and before.regular and before.mode == after.mode)


@dataclass(frozen=True, slots=True)
class _Memo:
    """What is worked out once for all threads.

    Attributes
    ----------
    picks : by the tree objects base, ours, theirs
    changes : of commits, by the tree objects before and after
    files : blob of the merged file by the blobs before, here and after; None where they conflict
    sides : tree objects before and after a commit
    """

    picks: dict[tuple[str, str, str], Pick] = field(default_factory=dict)
    changes: dict[tuple[str, str], tuple[_Change, ...]] = field(default_factory=dict)
    files: dict[tuple[str, str, str], str | None] = field(default_factory=dict)
    sides: dict[str, tuple[str, str]] = field(default_factory=dict)


def _before(changes: Iterable[_Change]) -> dict[str, Entry]:
    return {each.path: each.before for each in changes if each.before}


def _folders(path: str) -> Iterator[str]:
    """Return the folders that a path is in, innermost first."""
    while path := path.rpartition("/")[0]:
        yield path


_KEPT = ".kbisect"
_NOTHING = Entry(b"100644", bytes.fromhex("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"))
"""An empty file, for a folder whose files don't matter."""


class Picker:
    """Picks commits of one repository onto tree objects. Each thread needs its own.

    Parameters
    ----------
    beside : a picker of another thread, whose results it shares
    passing : what is written may go when the picker goes; no trace is left of it
    """

    def __init__(
        self, repository: Repository, beside: Picker | None = None, *, passing: bool = False
    ) -> None:
        import pygit2

        self._repository = repository
        self._place: Scratch | Passing
        if beside:
            self._place = beside._place
        else:
            self._place = (Passing if passing else Scratch).prepare(repository)
        self._repo = pygit2.Repository(str(self._place.gitdir))
        self._keeps = isinstance(self._place, Scratch)
        self._merger = Merger(self._place.gitdir)
        others = beside._trees if beside else None
        self._trees: Trees = Trees(self._place.gitdir, self._repo, others)
        self._renames: Renames = Renames(
            self._trees, self._repo, beside._renames if beside else None
        )
        self._memo: _Memo = beside._memo if beside else _Memo()

    def tree_of(self, oid: str) -> str:
        """Return the tree object of a commit."""
        import pygit2

        return str(self._repo[oid].peel(pygit2.Tree).id)

    def pick(self, oid: str, onto: str) -> Pick:
        """Pick a commit onto a tree object.

        Raises
        ------
        UsageError
            The commit is a merge: which of its sides to pick can't be told.
        """
        before, after = self._sides(oid)
        return self.merge(before, onto, after)

    def revert(self, oid: str, onto: str) -> Pick:
        """Take a commit back from a tree object.

        Raises
        ------
        UsageError
            The commit is a merge.
        """
        before, after = self._sides(oid)
        return self.merge(after, onto, before)

    def merge(self, base: str, ours: str, theirs: str) -> Pick:
        """Bring the change from the tree object `base` to `theirs` onto `ours`."""
        asked = (base, ours, theirs)
        known = self._memo.picks.get(asked)
        if known is None:
            known = self._memo.picks[asked] = self._by_file(*asked) or self._whole(*asked)
            if known.tree and self._keeps:
                self._trees.write(known.tree)
        return known

    def has(self, tree: str, path: str) -> bool:
        """Whether a path exists in a tree object."""
        return self._trees.at(tree, path) is not None

    def blob(self, tree: str, path: str) -> str | None:
        """Return the oid of what stands at a path of a tree object, None where nothing does."""
        found = self._trees.at(tree, path)
        return found.oid if found else None

    def read(self, oid: str) -> bytes:
        """Return the content of a blob, nothing for what is none (a submodule, a folder)."""
        return self._blob(oid) or b""

    def content(self, tree: str, path: str) -> bytes | None:
        """Return a file's content in a tree object, None where there is no such file."""
        oid = self.blob(tree, path)
        return self._blob(oid) if oid else None

    def _blob(self, oid: str) -> bytes | None:
        import pygit2

        try:
            kind, content = self._repo.read(oid)
        except KeyError:
            return None
        return content if kind == pygit2.enums.ObjectType.BLOB else None

    def before(self, oid: str, path: str) -> bytes | None:
        """Return a file's content before a commit, None where there was none."""
        return self.content(self._sides(oid)[0], path)

    def diff(self, old: str, new: str) -> bytes:
        """Return the patch between two tree objects, as `git am` reads it."""
        old, new = (self._trees.write(tree) for tree in (old, new))
        done = process.run(
            self._place.gitdir,
            *("diff-tree", "-p", "--binary", "--full-index", "--no-renames", "--no-color"),
            *("--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", old, new),
            env=ISOLATED,
        )
        return done.stdout

    def patch(self, oid: str) -> bytes:
        """Return a commit's own patch."""
        return self.diff(*self._sides(oid))

    def commit(self, tree: str, parent: str, like: str, message: str, committer: Person) -> str:
        """Write a commit beside the tree object, with author and date of the commit `like`."""
        import pygit2

        now = pygit2.Signature(committer.name, committer.email)
        author = self._repo[like].peel(pygit2.Commit).author
        above = [pygit2.Oid(hex=parent)]
        return str(
            self._repo.create_commit(
                None, author, now, message, pygit2.Oid(hex=self._trees.write(tree)), above
            )
        )

    def _sides(self, oid: str) -> tuple[str, str]:
        """Return the tree objects of a commit's parent and of the commit."""
        known = self._memo.sides.get(oid)
        if known is None:
            known = self._memo.sides[oid] = self._read_sides(oid)
        return known

    def _read_sides(self, oid: str) -> tuple[str, str]:
        import pygit2

        try:
            commit = self._repo[oid].peel(pygit2.Commit)
            if len(commit.parent_ids) > 1:
                raise UsageError(f"{oid[:12]} is a merge", hint="name the commits that it brought")
            if commit.parent_ids:
                return str(commit.parents[0].tree_id), str(commit.tree_id)
        except KeyError:
            raise self._repository.absent(oid) from None
        return str(self._repo.TreeBuilder().write()), str(commit.tree_id)

    def _whole(self, base: str, ours: str, theirs: str) -> Pick:
        found = self._merger.merge(*(self._trees.write(tree) for tree in (base, ours, theirs)))
        return Pick(found.tree, found.conflicts, empty=found.tree == ours)

    def _by_file(self, base: str, ours: str, theirs: str) -> Pick | None:
        """Merge file by file; None where a merge of whole trees could know better."""
        settled: dict[str, Entry] = {}
        doubtful: dict[str, tuple[str, str, str]] = {}
        mode: dict[str, bytes] = {}
        gone: list[_Change] = []
        changes = self._changed(base, theirs)
        only_new = all(change.after for change in changes)
        only_content = all(change.plain for change in changes)
        for change in changes:
            before, after = change.before, change.after
            here = self._trees.at(ours, change.path)
            if after and not before and not here and only_new and self._joins(ours, change):
                settled[change.path] = after
                continue
            if not here and only_content and not self._trees.in_the_way(ours, change.path):
                gone.append(change)
                continue
            if (
                (before is None or after is None or here is None)
                or (before.mode != after.mode or before.mode != here.mode)
                or not here.regular
            ):
                return None
            if here == before:
                settled[change.path] = after
            elif here != after:
                doubtful[change.path] = (before.oid, here.oid, after.oid)
                mode[change.path] = here.mode
        if gone:
            near = self._renames.near(_before(gone), base, ours)
            if near is None or near.came:
                return self._among(ours, changes, near) if near else None
        self._merge_files([sides for sides in doubtful.values() if sides not in self._memo.files])
        torn = [path for path, sides in doubtful.items() if self._memo.files[sides] is None]
        conflicts = [change.path for change in gone] + torn
        if conflicts:
            return Pick(None, tuple(sorted(conflicts)), False)
        for path, sides in doubtful.items():
            new = self._memo.files[sides]
            if new and new != sides[1]:
                settled[path] = Entry(mode[path], bytes.fromhex(new))
        tree = self._trees.edited(ours, settled)
        return Pick(tree, (), empty=tree == ours)

    def _joins(self, there: str, change: _Change) -> bool:
        """Whether a new file joins a folder that is there.

        git follows a renamed folder only where the old one is gone.
        """
        above, _, _ = change.path.rpartition("/")
        folder = self._trees.at(there, above)
        regular = change.after is not None and change.after.regular
        return regular and folder is not None and folder.folder

    def _among(self, ours: str, changes: Sequence[_Change], near: Near) -> Pick | None:
        """Merge the changed files, and those that a missing one may have become, alone."""
        before = {**_before(changes), **near.went}
        after = before | {each.path: each.after for each in changes if each.after}
        here = dict(near.came)
        for path in before:
            found = self._trees.at(ours, path)
            if found:
                here[path] = found
        # A folder that is there must not look as if it were gone.
        for folder in {above for path in before for above in _folders(path)}:
            found = self._trees.at(ours, folder)
            if found and found.folder:
                for side in (before, after, here):
                    side[f"{folder}/{_KEPT}"] = _NOTHING
        trees = [self._trees.of(side) for side in (before, here, after)]
        merged = self._merger.merge(*(self._trees.write(tree) for tree in trees))
        if merged.tree is None:
            return Pick(None, merged.conflicts, empty=False)
        edits = {each.path: each.after for each in self._differences(trees[1], merged.tree)}
        settled = {path: entry for path, entry in edits.items() if entry}
        if len(settled) < len(edits):
            return None
        tree = self._trees.edited(ours, settled)
        return Pick(tree, (), empty=tree == ours)

    def _merge_files(self, files: Sequence[tuple[str, str, str]]) -> None:
        """Merge the contents of some files: blobs before, here and after."""
        files = list(dict.fromkeys(files))
        if not files:
            return
        # Numbers for names: a tree of one level, with the files to merge alone.
        before, here, after = (self._trees.numbered(side) for side in zip(*files, strict=True))
        merged = self._merger.merge(before, here, after)
        contents = self._trees.entries(merged.written)
        for number, sides in zip(map(str, count()), files, strict=False):
            conflict = number in merged.conflicts
            self._memo.files[sides] = None if conflict else contents[number.encode("ascii")].oid

    def _changed(self, base: str, theirs: str) -> tuple[_Change, ...]:
        known = self._memo.changes.get((base, theirs))
        if known is None:
            known = self._memo.changes[base, theirs] = tuple(self._differences(base, theirs))
        return known

    def _differences(self, old: str | None, new: str | None, above: str = "") -> Iterator[_Change]:
        """Compare two tree objects, folder by folder (libgit2's own walk takes longer)."""
        before, after = (self._trees.entries(tree) if tree else {} for tree in (old, new))
        for name in sorted(before.keys() | after.keys()):
            left, right = before.get(name), after.get(name)
            if left == right:
                continue
            path = above + name.decode("utf-8", "surrogateescape")
            old_folder, new_folder = (
                each.oid if each and each.folder else None for each in (left, right)
            )
            if old_folder or new_folder:
                yield from self._differences(old_folder, new_folder, f"{path}/")
            old_file, new_file = (None if each and each.folder else each for each in (left, right))
            if old_file or new_file:
                yield _Change(path, old_file, new_file)

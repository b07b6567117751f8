# SPDX-License-Identifier: GPL-2.0-or-later
"""The index on disk, for reading: a generation of Parquet tables and arrays.

A generation is a folder, and a file names the current one; `generation` says how they are written.
"""

from __future__ import annotations

import fcntl
import json
import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kbisect.errors import KbisectError, UsageError
from kbisect.history.graph import CommitGraph, Ints
from kbisect.history.lineage import Lineage
from kbisect.history.oids import Oids
from kbisect.history.simplify import Simplified

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from numpy.typing import NDArray

FORMAT = 6
GROWING = ("rows", "changes", "edges", "merges", "lines")
"""Tables kept in parts; a commit's row never changes once it is written."""
WHOLE = ("links", "releases", "people", "places")
"""Tables written anew each time: what is known of old commits can change with new ones."""
ARRAYS = (
    *("oids", "order", "start", "parents", "times"),
    *("release", "path", "landed"),
    *("becomes", "same", "above_start", "above"),
)

# What is asked: people mapped, and what depends on newer commits joined to what does not.
_VIEWS = """
CREATE VIEW commits AS
SELECT r.number, r.oid, r.parents, a.name AS author, a.email AS author_email, r.author_time,
       c.name AS committer, c.email AS committer_email, r.commit_time, r.subject, r.subsystem,
       r.trailers, p.lineage, p.landed, p.release
FROM rows r JOIN people a ON a.id = r.author JOIN people c ON c.id = r.committer
JOIN places p ON p.number = r.number
"""


class NoIndex(UsageError):
    """Nothing has been indexed here yet."""


class IndexDamaged(KbisectError):
    """A table of the index can't be read; it can be rebuilt from the repository."""


@dataclass(frozen=True, slots=True)
class Meta:
    """What a generation was made from.

    Attributes
    ----------
    format : version of the layout
    refs : ref name → oid at the time
    trees : tree name → ref name
    scope : the folders named with --path; empty for the default scope
    lines : whether lines are counted
    paths : paths of trees, outermost first; the array `path` points here
    releases : (name, oid), oldest first; the array `release` points here
    files : file name → (size, digest)
    """

    format: int
    refs: Mapping[str, str]
    trees: Mapping[str, str]
    scope: Sequence[str]
    lines: bool
    paths: Sequence[Sequence[str]]
    releases: Sequence[tuple[str, str]]
    files: Mapping[str, tuple[int, str]]


class Index:
    """One generation, opened for reading; it stays on disk as long as somebody has it open."""

    def __init__(self, directory: Path, meta: Meta) -> None:
        self.directory = directory
        self.meta = meta
        handle = hold(directory, fcntl.LOCK_SH)
        if handle is not None:
            weakref.finalize(self, os.close, handle)

    @cached_property
    def graph(self) -> CommitGraph:
        """The whole history."""
        oids = Oids(self._array("oids"), self._array("order"))
        return CommitGraph(oids, self._array("start"), self._array("parents"), self._array("times"))

    @cached_property
    def lineage(self) -> Lineage:
        """Through which trees each commit came."""
        paths = tuple(tuple(path) for path in self.meta.paths)
        return Lineage(self._array("path"), self._array("landed"), paths)

    @cached_property
    def release(self) -> Ints:
        """First release that contains each commit: int32[N], index into `meta.releases` or -1."""
        return self._array("release")

    @cached_property
    def simplified(self) -> Simplified:
        """The in-scope graph, as far as later commits need it."""
        held = ("becomes", "same", "above_start", "above")
        return Simplified(*(self._array(name) for name in held))

    @property
    def oids(self) -> Oids:
        """The oids of the whole history."""
        assert isinstance(self.graph.oids, Oids)
        return self.graph.oids

    def number(self, oid: str) -> int:
        """Return a commit's number in the graph.

        Raises
        ------
        UsageError
            The commit came after the index was made.
        """
        found = self.oids.number(oid)
        if found is None:
            raise UsageError(f"{oid[:12]} is not in the index", hint="kbisect index")
        return found

    def release_of(self, number: int) -> str | None:
        """Return the first release that contains a commit."""
        index = int(self.release[number])
        return None if index < 0 else self.meta.releases[index][0]

    def lineage_of(self, number: int) -> tuple[str, ...]:
        """Return the trees a commit came through, outermost first."""
        return self.lineage.paths[int(self.lineage.path[number])]

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Ask the tables; kbisect's own SQL only (the user's goes through `queries`)."""
        import duckdb

        try:
            return self._connection.execute(sql, list(parameters)).fetchall()
        except (
            duckdb.IOException,
            duckdb.InvalidInputException,
            duckdb.SerializationException,
        ) as e:
            raise damaged(self.directory, str(e)) from None

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return self.connect()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Open the tables as views in a database in memory."""
        import duckdb

        connection = duckdb.connect(":memory:", config={"threads": 2})
        place = str(self.directory).replace("'", "''")
        try:
            for name in (*GROWING, *WHOLE):
                if name == "lines" and not self.meta.lines:
                    continue
                parts = (
                    f"{place}/{name}.*.parquet" if name in GROWING else f"{place}/{name}.parquet"
                )
                connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{parts}')")
            connection.execute(_VIEWS)
        except duckdb.Error as error:
            raise damaged(self.directory, str(error)) from None
        return connection

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read one table, or some columns of it, as Arrow: sooner there than DuckDB is loaded."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        paths = sorted(self.directory.glob(f"{name}.*parquet"))
        wanted = list(columns) if columns else None
        try:
            return pa.concat_tables([pq.ParquetFile(path).read(wanted) for path in paths])
        except (OSError, pa.ArrowException) as error:
            raise damaged(self.directory, str(error)) from None

    def _array(self, name: str) -> NDArray[Any]:
        try:
            found: NDArray[Any] = np.load(
                self.directory / f"{name}.npy", mmap_mode="r", allow_pickle=False
            )
        except (OSError, ValueError, EOFError) as error:
            raise damaged(self.directory, str(error)) from None
        return found


def damaged(directory: Path, why: str) -> IndexDamaged:
    """Return the error for an index that can't be read."""
    first = why.strip().splitlines()[0] if why.strip() else "unreadable"
    return IndexDamaged(
        f"the index at {directory} is damaged: {first}", hint="kbisect index --full builds it anew"
    )


def load(store: Path, *, verify: bool = False) -> Index:
    """Open the current generation.

    Parameters
    ----------
    store : Path
        kbisect's folder.
    verify : bool
        Read every file against its digest, not its size alone.

    Raises
    ------
    NoIndex, IndexDamaged
    """
    root = store / "index"
    name = _current(root)
    while True:
        try:
            return _opened(root / name, verify)
        except IndexDamaged:
            # Between our two looks a writer may have replaced it twice.
            before, name = name, _current(root)
            if name == before:
                raise


def _current(root: Path) -> str:
    try:
        return (root / "current").read_text("ascii").strip()
    except FileNotFoundError:
        raise NoIndex("there is no index of this repository yet", hint="kbisect index") from None
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise damaged(root, f"its pointer is unreadable ({error})") from None


def _opened(directory: Path, verify: bool) -> Index:
    try:
        raw = json.loads((directory / "meta.json").read_text("utf-8"))
        meta = Meta(**raw)
    except (OSError, ValueError, TypeError) as error:
        raise damaged(directory, str(error)) from None
    if meta.format != FORMAT:
        raise IndexDamaged(
            f"the index at {directory} was written by another version of kbisect",
            hint="kbisect index --full builds it anew",
        )
    index = Index(directory, meta)
    check(index, whole=verify)
    return index


def check(index: Index, *, whole: bool = True) -> None:
    """Compare the files of a generation with what was written: their sizes, or all of them.

    Raises
    ------
    IndexDamaged
    """
    for file, (size, digest) in index.meta.files.items():
        path = index.directory / file
        try:
            right = path.stat().st_size == size and (not whole or digest_of(path) == digest)
        except OSError as error:
            raise damaged(index.directory, str(error)) from None
        if not right:
            raise damaged(index.directory, f"{file} is not what was written")


def hold(directory: Path, how: int) -> int | None:
    """Lock a generation and return the descriptor; None where that is impossible just now."""
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def digest_of(path: Path) -> str:
    """Return the digest of a file, in hex."""
    with path.open("rb") as file:
        digest = blake2b(digest_size=16)
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()

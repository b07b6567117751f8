# SPDX-License-Identifier: GPL-2.0-or-later
"""The index on disk: generations of Parquet tables and arrays, swapped in whole.

A generation is written beside the old one and becomes the current one by renaming a file that
names it, so a reader sees one or the other, and a kill at any instant leaves the old one usable.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kbisect.errors import EnvironmentProblem, KbisectError, UsageError
from kbisect.history.graph import CommitGraph, Ints
from kbisect.history.oids import Oids

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from numpy.typing import NDArray

FORMAT = 1
TABLES = ("commits", "changes", "links", "releases", "edges")
_ARRAYS = ("oids", "order", "start", "parents", "times", "release", "lineage", "landed")


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
    lineages : paths of trees, outermost first; the array `lineage` points here
    releases : release names; the array `release` points here
    files : file name → (size, digest)
    """

    format: int
    refs: Mapping[str, str]
    trees: Mapping[str, str]
    scope: Sequence[str]
    lineages: Sequence[Sequence[str]]
    releases: Sequence[str]
    files: Mapping[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Arrays:
    """What is known of every commit, in scope or not, beside the graph.

    Attributes
    ----------
    release : int32[N], first release that contains it (index into Meta.releases), -1 for none
    lineage : int32[N], index into Meta.lineages
    landed : int32[N], the merge on mainline that brought it, -1 for none
    """

    release: Ints
    lineage: Ints
    landed: Ints


class Index:
    """One generation, opened for reading."""

    def __init__(self, directory: Path, meta: Meta) -> None:
        self.directory = directory
        self.meta = meta

    @cached_property
    def graph(self) -> CommitGraph:
        """The whole history."""
        oids = Oids(self._array("oids"), self._array("order"))
        return CommitGraph(oids, self._array("start"), self._array("parents"), self._array("times"))

    @cached_property
    def arrays(self) -> Arrays:
        """What is known of every commit."""
        return Arrays(*(self._array(name) for name in ("release", "lineage", "landed")))

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
        index = int(self.arrays.release[number])
        return None if index < 0 else self.meta.releases[index]

    def lineage_of(self, number: int) -> tuple[str, ...]:
        """Return the trees a commit came through, outermost first."""
        return tuple(self.meta.lineages[int(self.arrays.lineage[number])])

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
        for name in TABLES:
            path = str(self.directory / f"{name}.parquet").replace("'", "''")
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{path}')")
        return connection

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
    try:
        name = (root / "current").read_text("ascii").strip()
    except FileNotFoundError:
        raise NoIndex("there is no index of this repository yet", hint="kbisect index") from None
    directory = root / name
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
    for file, (size, digest) in meta.files.items():
        try:
            found = (directory / file).stat().st_size
        except OSError as error:
            raise damaged(directory, str(error)) from None
        if found != size or (verify and _digest(directory / file) != digest):
            raise damaged(directory, f"{file} is not what was written")
    return Index(directory, meta)


def save(
    store: Path,
    tables: Mapping[str, pa.Table],
    graph: CommitGraph,
    arrays: Arrays,
    meta: Meta,
) -> Index:
    """Write a new generation and make it the current one.

    The caller holds `writing(store)`. Nothing is left behind when this fails, a full disk included.
    """
    import pyarrow.parquet as pq

    root = store / "index"
    root.mkdir(parents=True, exist_ok=True)
    for stale in root.glob("*.partial"):
        shutil.rmtree(stale, ignore_errors=True)
    number = 1 + max((int(path.name) for path in root.iterdir() if path.name.isdigit()), default=0)
    partial = root / f"{number:06d}.partial"
    partial.mkdir()
    try:
        for name, content in tables.items():
            pq.write_table(content, partial / f"{name}.parquet", compression="zstd")
        oids = graph.oids
        assert isinstance(oids, Oids)
        held: dict[str, NDArray[Any]] = {
            "oids": oids.raw,
            "order": oids.order,
            "start": graph.start,
        }
        held |= {"parents": graph.parents, "times": graph.times}
        held |= {"release": arrays.release, "lineage": arrays.lineage, "landed": arrays.landed}
        for name in _ARRAYS:
            np.save(partial / f"{name}.npy", held[name], allow_pickle=False)
        files = {
            path.name: (path.stat().st_size, _digest(path)) for path in sorted(partial.iterdir())
        }
        whole = asdict(meta) | {"files": files}
        (partial / "meta.json").write_text(json.dumps(whole), "utf-8")
        for path in partial.iterdir():
            _sync(path)
        _sync(partial)
        final = root / f"{number:06d}"
        partial.rename(final)
        pointer = root / "current.partial"
        pointer.write_text(final.name + "\n", "ascii")
        _sync(pointer)
        pointer.replace(root / "current")
        _sync(root)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    # The one before stays for readers that opened it a moment ago.
    for path in root.iterdir():
        if path.name.isdigit() and int(path.name) < number - 1:
            shutil.rmtree(path, ignore_errors=True)
    return Index(final, Meta(**whole))


@contextmanager
def writing(store: Path) -> Iterator[None]:
    """Hold the one writer's lock.

    Raises
    ------
    EnvironmentProblem
        Another `kbisect index` is at work here.
    """
    root = store / "index"
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentProblem(
                "another `kbisect index` is at work on this index",
                hint="wait for it, then try again",
            ) from None
        yield


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = blake2b(digest_size=16)
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A new generation of the index: written beside the old one, and swapped in whole.

It becomes the current one by renaming a file that names it, so a reader sees one or the other, and
a kill at any instant leaves the old one usable. What only ever grows (commits, changes, …) is kept
in parts: a new generation links the parts of the old one and adds its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kbisect.errors import EnvironmentProblem
from kbisect.history import store
from kbisect.history.graph import CommitGraph, Ints
from kbisect.history.lineage import Lineage
from kbisect.history.oids import Oids
from kbisect.history.simplify import Simplified
from kbisect.history.store import ARRAYS, Index, Meta

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_MOST_PARTS = 12


@dataclass(frozen=True, slots=True)
class Generation:
    """What a new generation holds.

    Attributes
    ----------
    before : the generation whose parts it goes on from, None to begin anew
    grown : table → rows to add
    whole : table → all its rows
    """

    before: Index | None
    grown: Mapping[str, pa.Table]
    whole: Mapping[str, pa.Table]
    graph: CommitGraph
    lineage: Lineage
    release: Ints
    simplified: Simplified
    meta: Meta


def save(place: Path, new: Generation) -> Index:
    """Write a new generation and make it the current one.

    The caller holds `writing(place)`. Nothing is left behind when this fails, a full disk included.
    """
    root = place / "index"
    root.mkdir(parents=True, exist_ok=True)
    for stale in root.glob("*.partial"):
        shutil.rmtree(stale, ignore_errors=True)
    number = 1 + max((int(path.name) for path in root.iterdir() if path.name.isdigit()), default=0)
    partial = root / f"{number:06d}.partial"
    partial.mkdir()
    try:
        files = _write(partial, new)
        whole = asdict(new.meta) | {"files": files}
        (partial / "meta.json").write_text(json.dumps(whole), "utf-8")
        _sync(partial / "meta.json")
        _sync(partial)
        final = root / f"{number:06d}"
        partial.rename(final)
        pointer = root / "current.partial"
        pointer.write_text(final.name + "\n", "ascii")
        _sync(pointer)
        if (root / "current").is_dir():
            shutil.rmtree(root / "current")
        pointer.replace(root / "current")
        _sync(root)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    # The one before stays for readers that are about to open it, older ones for those that did.
    for path in root.iterdir():
        if path.name.isdigit() and int(path.name) < number - 1:
            handle = store.hold(path, fcntl.LOCK_EX)
            if handle is not None:
                shutil.rmtree(path, ignore_errors=True)
                os.close(handle)
    return Index(final, Meta(**whole))


def _write(folder: Path, new: Generation) -> dict[str, tuple[int, str]]:
    """Write everything but meta.json, and return what was written."""
    import pyarrow.parquet as pq

    files: dict[str, tuple[int, str]] = {}
    for name, rows in new.grown.items():
        old = sorted(new.before.directory.glob(f"{name}.*.parquet")) if new.before else []
        if len(old) >= _MOST_PARTS and new.before:
            import pyarrow as pa

            rows = pa.concat_tables([new.before.table(name), rows])  # noqa: PLW2901
            old = []
        for part in old:
            assert new.before is not None
            os.link(part, folder / part.name)
            size, digest = new.before.meta.files[part.name]
            files[part.name] = (size, digest)
        if rows.num_rows or not old:
            last = int(old[-1].name.split(".")[1]) if old else 0
            pq.write_table(rows, folder / f"{name}.{last + 1:04d}.parquet", compression="zstd")
    for name, rows in new.whole.items():
        pq.write_table(rows, folder / f"{name}.parquet", compression="zstd")
    oids = new.graph.oids
    assert isinstance(oids, Oids)
    arrays: Sequence[NDArray[Any]] = (
        oids.raw,
        oids.order,
        new.graph.start,
        new.graph.parents,
        new.graph.times,
        new.release,
        new.lineage.path,
        new.lineage.landed,
        new.simplified.becomes,
        new.simplified.same,
        new.simplified.start,
        new.simplified.above,
    )
    for name, array in zip(ARRAYS, arrays, strict=True):
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    for path in sorted(folder.iterdir()):
        if path.name not in files:
            _sync(path)
            files[path.name] = (path.stat().st_size, store.digest_of(path))
    return files


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Hold the one writer's lock.

    Raises
    ------
    EnvironmentProblem
        Another `kbisect index` is at work here.
    """
    root = place / "index"
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


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of the index, as Arrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kbisect.git.commits import CommitRecord, Person
from kbisect.history import releases as naming
from kbisect.history.columns import boolean, int32, int64, text
from kbisect.history.graph import CommitGraph, Ints
from kbisect.history.harvest import Reading
from kbisect.history.lineage import Lineage
from kbisect.history.oids import Oids
from kbisect.history.releases import Release
from kbisect.history.resolution import Target
from kbisect.history.subsystems import Subsystems

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One row of `links` before its target is known."""

    oid: str
    kind: str
    form: str
    text: str
    given: str | None
    subject: str | None


class People:
    """Numbers for people as git wrote them down."""

    def __init__(self, known: Sequence[Person] = ()) -> None:
        self._number = {person: index for index, person in enumerate(known)}

    def number(self, person: Person) -> int:
        """Return somebody's number, a new one for who is new."""
        return self._number.setdefault(person, len(self._number))

    @property
    def listed(self) -> list[Person]:
        """Everybody, by number."""
        return list(self._number)


def rows(
    readings: Sequence[Reading],
    numbers: Sequence[int],
    graph: CommitGraph,
    people: People,
    subsystems: Subsystems,
) -> pa.Table:
    """Build the rows of `commits` that later commits can't change."""
    import pyarrow as pa

    records = [reading.record for reading in readings]
    said = [reading.trailers for reading in readings]
    offsets = [0]
    for each in said:
        offsets.append(offsets[-1] + len(each))
    flat = [trailer for each in said for trailer in each]
    pairs = pa.StructArray.from_arrays(
        [
            text(trailer.key for trailer in flat),
            text(trailer.value for trailer in flat),
        ],
        ["key", "value"],
    )
    return pa.table(
        {
            "number": int32(numbers),
            "oid": text(record.oid for record in records),
            "parents": _parents(graph, numbers),
            "author": int32([people.number(r.author) for r in records]),
            "author_time": int64([record.author_time for record in records]),
            "committer": int32([people.number(r.committer) for r in records]),
            "commit_time": int64([record.commit_time for record in records]),
            "subject": text(reading.subject for reading in readings),
            "subsystem": text(
                subsystems.of([change.path for change in each.changes], each.commit_time)
                for each in records
            ),
            "trailers": pa.ListArray.from_arrays(int32(offsets), pairs),
        }
    )


def _parents(graph: CommitGraph, numbers: Sequence[int]) -> pa.ListArray:
    import pyarrow as pa

    assert isinstance(graph.oids, Oids)
    # Commits in scope are no merges: each has one parent, or none.
    first = graph.start[numbers]
    counts = graph.start[np.asarray(numbers, np.int64) + 1] - first
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    above = Oids(graph.oids.raw[graph.parents[first[counts > 0]]])
    return pa.ListArray.from_arrays(int32(offsets), text(above))


def changes(records: Sequence[CommitRecord]) -> pa.Table:
    """Build `changes`: commit × path."""
    import pyarrow as pa

    flat = [(record.oid, change) for record in records for change in record.changes]
    return pa.table(
        {
            "oid": text(oid for oid, _ in flat),
            "status": text(change.status for _, change in flat),
            "path": text(change.path for _, change in flat),
            "old_path": text(change.old_path for _, change in flat),
        }
    )


def said(readings: Sequence[Reading]) -> list[LinkRow]:
    """Return what messages say of other commits."""
    return [
        LinkRow(each.record.oid, link.kind.value, link.form, link.text, link.oid, link.subject)
        for each in readings
        for link in each.links
    ]


def link_table(found: Sequence[LinkRow], targets: Sequence[Target]) -> pa.Table:
    """Build `links`."""
    import pyarrow as pa

    return pa.table(
        {
            "oid": text(row.oid for row in found),
            "kind": text(row.kind for row in found),
            "form": text(row.form for row in found),
            "text": text(row.text for row in found),
            "given": text(row.given for row in found),
            "subject": text(row.subject for row in found),
            "target": text(target.oid for target in targets),
            "how": text(target.how for target in targets),
        }
    )


def links_of(table: pa.Table) -> tuple[list[LinkRow], list[Target]]:
    """Read `links` back."""
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    held = ("oid", "kind", "form", "text", "given", "subject")
    found = [LinkRow(*row) for row in zip(*(columns[name] for name in held), strict=True)]
    targets = [Target(*row) for row in zip(columns["target"], columns["how"], strict=True)]
    return found, targets


def people_table(raw: Sequence[Person], mapped: Sequence[Person]) -> pa.Table:
    """Build `people`: as written, and as the mailmap has them."""
    import pyarrow as pa

    return pa.table(
        {
            "id": int32(range(len(raw))),
            "raw_name": text(person.name for person in raw),
            "raw_email": text(person.email for person in raw),
            "name": text(person.name for person in mapped),
            "email": text(person.email for person in mapped),
        }
    )


def people_of(table: pa.Table) -> list[Person]:
    """Read people back, as git wrote them down."""
    names = table.column("raw_name").to_pylist()
    return [
        Person(*pair) for pair in zip(names, table.column("raw_email").to_pylist(), strict=True)
    ]


def places(
    numbers: Sequence[int],
    graph: CommitGraph,
    lineage: Lineage,
    release: Ints,
    releases: Sequence[Release],
) -> pa.Table:
    """Build what later commits can change: through which trees, and since which release."""
    import pyarrow as pa

    came = [" > ".join(path) for path in lineage.paths]
    named = [*(each.name for each in releases), None]
    paths, landed, first = (
        array[numbers].tolist() for array in (lineage.path, lineage.landed, release)
    )
    # Thousands of commits landed with one merge.
    merges = {merge: graph.oids[merge] for merge in set(landed) if merge >= 0}
    return pa.table(
        {
            "number": int32(numbers),
            "lineage": text(came[path] for path in paths),
            "landed": text(map(merges.get, landed)),
            "release": text(named[index] for index in first),
        }
    )


def release_table(found: Sequence[Release]) -> pa.Table:
    """Build `releases`, oldest first."""
    import pyarrow as pa

    return pa.table(
        {
            "position": int32(range(len(found))),
            "name": text(release.name for release in found),
            "oid": text(release.oid for release in found),
            "time": int64([release.time for release in found]),
            "source": text(release.source for release in found),
            "mainline": boolean([naming.is_mainline(r.name) for r in found]),
        }
    )


def releases_of(table: pa.Table) -> list[Release]:
    """Read `releases` back."""
    held = ("name", "oid", "time", "source")
    columns = (table.column(name).to_pylist() for name in held)
    return [Release(*row) for row in zip(*columns, strict=True)]


def edges(shown: Mapping[int, Sequence[int]], name: Callable[[int], str]) -> pa.Table:
    """Build `edges`: child to parent in the in-scope graph; a root has one row without parent."""
    import pyarrow as pa

    flat = [(child, parent) for child, line in shown.items() for parent in line or (-1,)]
    return pa.table(
        {
            "child": text(name(child) for child, _ in flat),
            "parent": text(name(p) if p >= 0 else None for _, p in flat),
        }
    )


def merges(titles: Mapping[int, str]) -> pa.Table:
    """Build `merges`: the subject of every merge."""
    import pyarrow as pa

    return pa.table(
        {
            "number": int32(list(titles)),
            "subject": text(titles.values()),
        }
    )


def lines(counted: Sequence[tuple[str, str, int, int]]) -> pa.Table:
    """Build `lines`: commit × path, lines added and removed."""
    import pyarrow as pa

    return pa.table(
        {
            "oid": text(row[0] for row in counted),
            "path": text(row[1] for row in counted),
            "added": int32([row[2] for row in counted]),
            "removed": int32([row[3] for row in counted]),
        }
    )

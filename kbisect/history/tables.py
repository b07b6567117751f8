# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of the index, as Arrow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kbisect.git.commits import CommitRecord, Person
from kbisect.history import releases as naming
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
    text = pa.string()
    pairs = pa.StructArray.from_arrays(
        [
            pa.array([trailer.key for trailer in flat], text),
            pa.array([trailer.value for trailer in flat], text),
        ],
        ["key", "value"],
    )
    return pa.table(
        {
            "number": pa.array(numbers, pa.int32()),
            "oid": pa.array([record.oid for record in records], text),
            "parents": _parents(graph, numbers),
            "author": pa.array([people.number(r.author) for r in records], pa.int32()),
            "author_time": pa.array([record.author_time for record in records], pa.int64()),
            "committer": pa.array([people.number(r.committer) for r in records], pa.int32()),
            "commit_time": pa.array([record.commit_time for record in records], pa.int64()),
            "subject": pa.array([reading.subject for reading in readings], text),
            "subsystem": pa.array(
                [
                    subsystems.of([change.path for change in each.changes], each.commit_time)
                    for each in records
                ],
                text,
            ),
            "trailers": pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pairs),
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
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(list(above), pa.string()))


def changes(records: Sequence[CommitRecord]) -> pa.Table:
    """Build `changes`: commit × path."""
    import pyarrow as pa

    flat = [(record.oid, change) for record in records for change in record.changes]
    text = pa.string()
    return pa.table(
        {
            "oid": pa.array([oid for oid, _ in flat], text),
            "status": pa.array([change.status for _, change in flat], text),
            "path": pa.array([change.path for _, change in flat], text),
            "old_path": pa.array([change.old_path for _, change in flat], text),
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

    text = pa.string()
    return pa.table(
        {
            "oid": pa.array([row.oid for row in found], text),
            "kind": pa.array([row.kind for row in found], text),
            "form": pa.array([row.form for row in found], text),
            "text": pa.array([row.text for row in found], text),
            "given": pa.array([row.given for row in found], text),
            "subject": pa.array([row.subject for row in found], text),
            "target": pa.array([target.oid for target in targets], text),
            "how": pa.array([target.how for target in targets], text),
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

    text = pa.string()
    return pa.table(
        {
            "id": pa.array(range(len(raw)), pa.int32()),
            "raw_name": pa.array([person.name for person in raw], text),
            "raw_email": pa.array([person.email for person in raw], text),
            "name": pa.array([person.name for person in mapped], text),
            "email": pa.array([person.email for person in mapped], text),
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
    text = pa.string()
    # Thousands of commits landed with one merge.
    merges = {merge: graph.oids[merge] for merge in set(landed) if merge >= 0}
    return pa.table(
        {
            "number": pa.array(numbers, pa.int32()),
            "lineage": pa.array([came[path] for path in paths], text),
            "landed": pa.array(map(merges.get, landed), text),
            "release": pa.array([named[index] for index in first], text),
        }
    )


def release_table(found: Sequence[Release]) -> pa.Table:
    """Build `releases`, oldest first."""
    import pyarrow as pa

    return pa.table(
        {
            "position": pa.array(range(len(found)), pa.int32()),
            "name": pa.array([release.name for release in found], pa.string()),
            "oid": pa.array([release.oid for release in found], pa.string()),
            "time": pa.array([release.time for release in found], pa.int64()),
            "source": pa.array([release.source for release in found], pa.string()),
            "mainline": pa.array([naming.is_mainline(r.name) for r in found], pa.bool_()),
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
    text = pa.string()
    return pa.table(
        {
            "child": pa.array([name(child) for child, _ in flat], text),
            "parent": pa.array([name(p) if p >= 0 else None for _, p in flat], text),
        }
    )


def merges(titles: Mapping[int, str]) -> pa.Table:
    """Build `merges`: the subject of every merge."""
    import pyarrow as pa

    return pa.table(
        {
            "number": pa.array(titles.keys(), pa.int32()),
            "subject": pa.array(titles.values(), pa.string()),
        }
    )


def lines(counted: Sequence[tuple[str, str, int, int]]) -> pa.Table:
    """Build `lines`: commit × path, lines added and removed."""
    import pyarrow as pa

    return pa.table(
        {
            "oid": pa.array([row[0] for row in counted], pa.string()),
            "path": pa.array([row[1] for row in counted], pa.string()),
            "added": pa.array([row[2] for row in counted], pa.int32()),
            "removed": pa.array([row[3] for row in counted], pa.int32()),
        }
    )

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
from kbisect.history.lineage import Lineage
from kbisect.history.oids import Oids
from kbisect.history.reading import Reading
from kbisect.history.releases import Release
from kbisect.history.resolution import Target
from kbisect.history.subsystems import Subsystems
from kbisect.history.trailers import Trailer

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LinkRow:
    """What one commit says of another, before it is known which that is."""

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


@dataclass(frozen=True, slots=True)
class Part:
    """What some commits bring to the tables that only grow, in the order they were read.

    Attributes
    ----------
    rows : as `rows`, but for the numbers and parents that only the graph knows; people by their
        place in `people`
    changes : commit × path
    links : what messages say of other commits; what is meant is not known yet
    lines : commit × path, lines added and removed, where they were counted
    """

    rows: pa.Table
    changes: pa.Table
    links: pa.Table
    lines: pa.Table
    people: list[Person]


def part(readings: Sequence[Reading], subsystems: Subsystems) -> Part:
    """Turn some commits into rows."""
    import pyarrow as pa

    people = People()
    records = [reading.record for reading in readings]
    rows = pa.table(
        {
            "oid": text(record.oid for record in records),
            "author": int32([people.number(record.author) for record in records]),
            "author_time": int64([record.author_time for record in records]),
            "committer": int32([people.number(record.committer) for record in records]),
            "commit_time": int64([record.commit_time for record in records]),
            "subject": text(reading.subject for reading in readings),
            "subsystem": text(
                subsystems.of([change.path for change in each.changes], each.commit_time)
                for each in records
            ),
            "trailers": _trailers([reading.trailers for reading in readings]),
        }
    )
    return Part(rows, _changes(records), _links(readings), _lines(records), people.listed)


def _trailers(said: Sequence[Sequence[Trailer]]) -> pa.ListArray:
    import pyarrow as pa

    offsets = [0]
    for each in said:
        offsets.append(offsets[-1] + len(each))
    flat = [trailer for each in said for trailer in each]
    columns = [text(trailer.key for trailer in flat), text(trailer.value for trailer in flat)]
    pairs = pa.StructArray.from_arrays(columns, ["key", "value"])
    return pa.ListArray.from_arrays(int32(offsets), pairs)


def _changes(records: Sequence[CommitRecord]) -> pa.Table:
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


def _links(readings: Sequence[Reading]) -> pa.Table:
    import pyarrow as pa

    flat = [(reading.record.oid, link) for reading in readings for link in reading.links]
    return pa.table(
        {
            "oid": text(oid for oid, _ in flat),
            "kind": text(link.kind.value for _, link in flat),
            "form": text(link.form for _, link in flat),
            "text": text(link.text for _, link in flat),
            "given": text(link.oid for _, link in flat),
            "subject": text(link.subject for _, link in flat),
        }
    )


def _lines(records: Sequence[CommitRecord]) -> pa.Table:
    import pyarrow as pa

    flat = [
        (record.oid, change.path, change.lines)
        for record in records
        for change in record.changes
        if change.lines
    ]
    return pa.table(
        {
            "oid": text(oid for oid, _, _ in flat),
            "path": text(path for _, path, _ in flat),
            "added": int32([lines[0] for _, _, lines in flat]),
            "removed": int32([lines[1] for _, _, lines in flat]),
        }
    )


def rows(
    parts: Sequence[Part], numbers: Sequence[int], graph: CommitGraph, people: People
) -> pa.Table:
    """Build the rows of `commits` that later commits can't change."""
    import pyarrow as pa

    columns = pa.concat_tables([_known(part, people) for part in parts])
    return columns.add_column(0, "number", int32(numbers)).add_column(
        2, "parents", _parents(graph, numbers)
    )


def _known(part: Part, people: People) -> pa.Table:
    """Return a part's rows with the numbers that people have in all of the index."""
    numbers = np.array([people.number(person) for person in part.people], np.int32)
    table = part.rows
    for name in ("author", "committer"):
        column = int32(numbers[table.column(name).to_pylist()])
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _parents(graph: CommitGraph, numbers: Sequence[int]) -> pa.ListArray:
    import pyarrow as pa

    assert isinstance(graph.oids, Oids)
    # Commits in scope are no merges: each has one parent, or none.
    first = graph.start[numbers]
    counts = graph.start[np.asarray(numbers, np.int64) + 1] - first
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    above = Oids(graph.oids.raw[graph.parents[first[counts > 0]]])
    return pa.ListArray.from_arrays(int32(offsets), text(above))


_SAID = ("oid", "kind", "form", "text", "given", "subject")


def said(before: pa.Table | None, parts: Sequence[Part]) -> pa.Table:
    """Join what earlier commits say of others with what new ones do."""
    import pyarrow as pa

    old = [before.select(_SAID)] if before else []
    return pa.concat_tables([*old, *(part.links for part in parts)])


def link_rows(table: pa.Table) -> list[LinkRow]:
    """Read what commits say of others."""
    columns = (table.column(name).to_pylist() for name in _SAID)
    return [LinkRow(*row) for row in zip(*columns, strict=True)]


def targets_of(links: pa.Table) -> list[Target]:
    """Read back what `links` mean."""
    columns = (links.column(name).to_pylist() for name in ("target", "how"))
    return [Target(*row) for row in zip(*columns, strict=True)]


def links(said: pa.Table, targets: Sequence[Target]) -> pa.Table:
    """Build `links`."""
    return said.append_column("target", text(target.oid for target in targets)).append_column(
        "how", text(target.how for target in targets)
    )


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

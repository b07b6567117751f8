# SPDX-License-Identifier: GPL-2.0-or-later
"""Put a generation of the index together from what git says and what was known before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kbisect.errors import UsageError
from kbisect.git import blobs
from kbisect.git import commits as stream
from kbisect.git.repository import Ref, Repository
from kbisect.history import generation, store, tables
from kbisect.history import releases as naming
from kbisect.history.generation import Generation
from kbisect.history.graph import Ints, Mask
from kbisect.history.harvest import Harvest
from kbisect.history.lineage import lineages
from kbisect.history.messages import LinkKind
from kbisect.history.oids import Oids, packed
from kbisect.history.releases import Release
from kbisect.history.resolution import News, Resolver, Target
from kbisect.history.scan import Scan
from kbisect.history.scope import Scope
from kbisect.history.simplify import simplify
from kbisect.history.store import Index
from kbisect.history.tables import Part, People
from kbisect.history.trees import Taken

if TYPE_CHECKING:
    import pyarrow as pa

Count = Callable[[int], None]

# A link that was resolved once stays so; these may mean commits that arrive later.
_OPEN = {"ambiguous", "unknown", "unresolved"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the index is to be made from."""

    refs: Sequence[Ref]
    tips: Mapping[str, str]
    taken: tuple[Taken, ...]
    scope: Scope
    lines: bool

    @property
    def trees(self) -> dict[str, str]:
        """Tree name → ref."""
        return {each.tree: each.ref for each in self.taken}

    @property
    def folders(self) -> list[str]:
        """The scope as the user named it; empty for the default one."""
        return [] if self.scope.with_headers else list(self.scope.folders)

    def goes_on(self, repository: Repository, before: Index) -> bool:
        """Whether nothing that was indexed is gone, and the same is asked of what is new."""
        return (
            list(before.meta.scope) == self.folders
            and before.meta.lines == self.lines
            and not repository.lost(before.meta.refs.values(), self.tips.values())
        )

    def same_as(self, before: Index) -> bool:
        """Whether there is nothing to do."""
        return dict(before.meta.refs) == dict(self.tips) and self.trees == before.meta.trees


def build(repository: Repository, wanted: Wanted, before: Index | None, count: Count) -> Index:
    """Build a generation: what only grows is added to, the rest is worked out again."""
    tips = list(dict.fromkeys(wanted.tips.values()))
    old_tips = list(dict.fromkeys(before.meta.refs.values())) if before else []
    known = before.graph if before else None
    scan = Scan(repository, wanted.scope, known, tips, old_tips, count)
    new = Harvest(repository, scan, wanted.scope, count_lines=wanted.lines)
    try:
        return _assemble(repository, wanted, before, scan, new)
    finally:
        new.close()


def _assemble(
    repository: Repository, wanted: Wanted, before: Index | None, scan: Scan, new: Harvest
) -> Index:
    import pyarrow as pa

    graph, first = scan.graph, scan.first
    assert isinstance(graph.oids, Oids)
    # What needs no commit's message is worked out while these are still being read.
    releases = _releases(repository, wanted.refs, scan, before)
    new.judge_by(releases)
    numbers = _numbers(graph.oids, [each.oid for each in releases])
    sides = scan.sides()
    same_order = before is not None and _goes_on(before.meta.releases, releases)
    lineage = lineages(
        graph,
        [n for n, each in zip(numbers, releases, strict=True) if naming.is_mainline(each.name)],
        _titles(before) | new.titles if before else new.titles,
        {tree: graph.oids.number(wanted.tips[ref]) or 0 for tree, ref in wanted.trees.items()},
        before.lineage if before and same_order and wanted.trees == before.meta.trees else None,
    )
    release = graph.first_containing(numbers, _carried(before, releases) if before else None)

    parts = new.parts
    own = _numbers(
        graph.oids, [oid for part in parts for oid in part.rows.column("oid").to_pylist()]
    )
    if not own and before is None and wanted.folders:
        raise UsageError(
            f"no commit touches {', '.join(wanted.folders)}",
            hint="paths are those of the repository: --path drivers/net",
        )
    touched: Mask = np.zeros(len(graph), np.bool_)
    touched[own] = True
    simplified = simplify(graph, touched, sides, before.simplified if before else None)

    people = People(tables.people_of(before.table("people")) if before else ())
    rows = tables.rows(parts, own, graph, people)
    shown = simplified.shown(first)
    inside = [*_in_scope(before), *own] if before else own
    new_one = Generation(
        before=before,
        grown={
            "rows": rows,
            "changes": pa.concat_tables([part.changes for part in parts]),
            "edges": tables.edges(shown, graph.oids.__getitem__),
            "merges": tables.merges(new.titles),
            **({"lines": pa.concat_tables([p.lines for p in parts])} if wanted.lines else {}),
        },
        whole={
            "links": _links(parts, rows, scan, before, releases),
            "releases": tables.release_table(releases),
            "people": tables.people_table(
                people.listed, stream.mailmapped(repository, people.listed)
            ),
            "places": tables.places(inside, graph, lineage, release, releases),
        },
        graph=graph,
        lineage=lineage,
        release=release,
        simplified=simplified,
        meta=store.Meta(
            format=store.FORMAT,
            refs=dict(wanted.tips),
            trees=dict(wanted.trees),
            scope=wanted.folders,
            lines=wanted.lines,
            paths=[list(path) for path in lineage.paths],
            releases=[(each.name, each.oid) for each in releases],
            files={},
        ),
    )
    return generation.save(repository.store, new_one)


def _numbers(oids: Oids, names: Sequence[str]) -> list[int]:
    found = oids.numbers(packed(names))
    assert (found >= 0).all()
    numbers: list[int] = found.tolist()
    return numbers


def _in_scope(before: Index) -> list[int]:
    numbers: list[int] = before.table("rows", ["number"]).column("number").to_pylist()
    return numbers


def _titles(before: Index) -> dict[int, str]:
    merges = before.table("merges")
    pairs = zip(
        merges.column("number").to_pylist(), merges.column("subject").to_pylist(), strict=True
    )
    return dict(pairs)


def _goes_on(known: Sequence[tuple[str, str]], releases: Sequence[Release]) -> bool:
    """Whether mainline's releases are those known before, and later ones."""
    old = [tuple(pair) for pair in known if naming.is_mainline(pair[0])]
    new = [(each.name, each.oid) for each in releases if naming.is_mainline(each.name)]
    return new[: len(old)] == old


def _carried(before: Index, releases: Sequence[Release]) -> Ints | None:
    """Translate what is known of first releases to a new list; None if it doesn't hold there."""
    place = {(each.name, each.oid): index for index, each in enumerate(releases)}
    moved = [place.get((name, oid)) for name, oid in before.meta.releases]
    if None in moved:
        return None
    # The last entry is for -1, "none".
    table = np.array([*moved, -1], np.int32)
    carried: Ints = table[before.release]
    return carried


def _releases(
    repository: Repository,
    refs: Sequence[Ref],
    scan: Scan,
    before: Index | None,
) -> list[Release]:
    """Return the releases, oldest first: from tags, else from what the Makefile came to say."""
    graph = scan.graph
    assert isinstance(graph.oids, Oids)
    found = []
    for ref in refs:
        name = ref.name.removeprefix("refs/tags/")
        if name == ref.name or not naming.version(name):
            continue
        number = graph.oids.number(ref.oid)
        assert number is not None
        found.append(Release(name, ref.oid, ref.tagged_at or int(graph.times[number]), "tag"))
    if not any(naming.is_mainline(release.name) for release in found):
        known = tables.releases_of(before.table("releases")) if before else []
        derived = [each for each in known if each.source != "tag"]
        found += derived + _derived(repository, scan, {each.name for each in derived})
    return sorted(found, key=lambda release: naming.version(release.name) or ())


def _derived(repository: Repository, scan: Scan, known: set[str]) -> list[Release]:
    makefiles = scan.makefiles()
    contents = dict(blobs.read(repository, dict.fromkeys(blob for _, blob in makefiles)))
    found: dict[str, Release] = {}
    # Oldest first, so that of two commits that claim a version the one that came first has it.
    for number, blob in makefiles:
        name = naming.makefile_version(contents[blob])
        if not name or not naming.version(name) or not naming.is_mainline(name):
            continue
        if name not in known and name not in found:
            time = int(scan.graph.times[number])
            found[name] = Release(name, scan.graph.oids[number], time, "Makefile")
    # Some Makefiles skipped a number that the commit itself was called by.
    claimed = {each.oid: each for each in found.values()}
    for oid, subject in stream.subjects(repository, claimed):
        called = naming.subject_version(subject)
        if called and naming.is_mainline(called) and called not in known:
            found.setdefault(called, replace(claimed[oid], name=called, source="subject"))
    return list(found.values())


def _links(
    parts: Sequence[Part],
    rows: pa.Table,
    scan: Scan,
    before: Index | None,
    releases: Sequence[Release],
) -> pa.Table:
    """Say what all links mean; `rows` are those of the new commits."""
    oids = scan.graph.oids
    assert isinstance(oids, Oids)
    held = before.table("links") if before else None
    said = tables.said(held, parts)
    listed = tables.link_rows(said)
    sources = _numbers(oids, [row.oid for row in listed])

    def subjects() -> Iterator[tuple[int, str]]:
        known = [before.table("rows", ["number", "subject"])] if before else []
        for table in (*known, rows):
            yield from zip(
                table.column("number").to_pylist(), table.column("subject").to_pylist(), strict=True
            )

    resolver = Resolver(
        oids, scan.graph.times, subjects, {each.name: each.oid for each in releases}
    )

    def resolve(at: int) -> Target:
        row = listed[at]
        return resolver.resolve(sources[at], LinkKind(row.kind), row.given, row.subject, row.text)

    targets = tables.targets_of(held) if held else []
    known = {name for name, _ in before.meta.releases} if before else set()
    news = News(
        Oids(oids.raw[scan.first :]),
        rows.column("subject").to_pylist() if before else (),
        (each.name for each in releases if each.name not in known),
    )
    targets = [
        resolve(at)
        if target.how in _OPEN and news.concern(row.given, row.subject, row.text)
        else target
        for at, (row, target) in enumerate(zip(listed, targets, strict=False))
    ] + [resolve(at) for at in range(len(targets), len(listed))]
    return tables.links(said, targets)

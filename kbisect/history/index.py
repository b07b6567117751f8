# SPDX-License-Identifier: GPL-2.0-or-later
"""Build the index: one walk of the graph, one stream of the commits in scope, then arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kbisect.errors import UsageError
from kbisect.git import blobs
from kbisect.git import commits as stream
from kbisect.git.commits import CommitRecord
from kbisect.git.repository import Ref, Repository
from kbisect.history import releases as naming
from kbisect.history import store
from kbisect.history.graph import CommitGraph, Mask
from kbisect.history.lineage import lineages
from kbisect.history.messages import Link, LinkKind, links, plain_subject, trailers
from kbisect.history.oids import Oids
from kbisect.history.releases import Release
from kbisect.history.scope import Scope
from kbisect.history.simplify import simplify
from kbisect.history.trees import recognise

if TYPE_CHECKING:
    import pyarrow as pa

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `kbisect index` did.

    Attributes
    ----------
    commits : in the whole history
    in_scope : of them, those that touch the scope (merges apart)
    new : commits that the index didn't know before
    mode : `full`, `incremental` or `current`
    seconds : wall time
    trees : tree name → ref
    releases : how many are known
    derived : whether they come from the Makefile, for want of tags
    """

    commits: int
    in_scope: int
    new: int
    mode: str
    seconds: float
    trees: Mapping[str, str]
    releases: int
    derived: bool


def update(
    repository: Repository,
    *,
    trees: Mapping[str, str] | None = None,
    paths: Sequence[str] = (),
    full: bool = False,
    say: Say = lambda _: None,
) -> Outcome:
    """Bring the index up to date with the repository's refs.

    Parameters
    ----------
    repository : Repository
    trees : tree name → ref, as the user names them; they win over what is recognised
    paths : the scope; empty means the default one, or that of the index there is
    full : build it anew even when nothing changed
    say : called with a line for people

    Raises
    ------
    RepositoryProblem
        A shallow clone, or objects missing.
    EnvironmentProblem
        Another writer is at work, or the disk is full.
    """
    begun = time.monotonic()
    repository.require_whole_history()
    with store.writing(repository.store):
        before = _present(repository, say)
        refs = repository.refs()
        tips = {ref.name: ref.oid for ref in refs}
        head = repository.head()
        if head:
            tips.setdefault("HEAD", head)
        if not tips:
            raise UsageError("this repository has no commits yet", hint="git fetch, or commit")
        known = dict(before.meta.trees) if before else {}
        chosen = recognise(repository, refs) | known | dict(trees or {})
        chosen = {tree: ref for tree, ref in chosen.items() if ref in tips or repository.find(ref)}
        scope = Scope.of(paths or (before.meta.scope if before else ()))
        folders = list(scope.folders) if not scope.with_headers else []
        unchanged = (
            before is not None
            and not full
            and dict(before.meta.refs) == tips
            and dict(before.meta.trees) == chosen
            and list(before.meta.scope) == folders
        )
        if before is not None and unchanged:
            counted = before.rows("SELECT count(*) FROM commits")[0][0]
            return _outcome(before, counted, 0, "current", begun)
        index, counted = _build(repository, refs, tips, chosen, scope, folders)
        new = len(index.oids) - (_still_there(before, index) if before else 0)
        return _outcome(index, counted, new, "full", begun)


def _present(repository: Repository, say: Say) -> store.Index | None:
    try:
        return store.load(repository.store, verify=True)
    except store.NoIndex:
        return None
    except store.IndexDamaged as error:
        say(f"{error.message}; building it anew")
        return None


def _still_there(before: store.Index, index: store.Index) -> int:
    return sum(index.oids.number(oid) is not None for oid in before.oids)


def _outcome(index: store.Index, counted: int, new: int, mode: str, begun: float) -> Outcome:
    sources = index.rows("SELECT count(*), count(*) FILTER (source = 'Makefile') FROM releases")
    return Outcome(
        commits=len(index.oids),
        in_scope=counted,
        new=new,
        mode=mode,
        seconds=round(time.monotonic() - begun, 2),
        trees=index.meta.trees,
        releases=sources[0][0],
        derived=sources[0][1] > 0,
    )


def _build(
    repository: Repository,
    refs: Sequence[Ref],
    tips: Mapping[str, str],
    trees: Mapping[str, str],
    scope: Scope,
    folders: Sequence[str],
) -> tuple[store.Index, int]:
    graph = CommitGraph.build(stream.walk(repository, dict.fromkeys(tips.values())))
    oids = Oids.of(graph.oids)
    graph = CommitGraph(oids, graph.start, graph.parents, graph.times)
    counts = np.diff(graph.start)
    listed = list(oids)
    plain = [listed[number] for number in np.flatnonzero(counts < 2)]
    merges = [int(number) for number in np.flatnonzero(counts > 1)]

    with ThreadPoolExecutor(2) as pool:
        # git works in processes of its own; the threads only wait for them and parse.
        same = pool.submit(_unchanged_sides, repository, graph, merges, scope)
        titles = pool.submit(lambda: dict(stream.subjects(repository, (oids[m] for m in merges))))
        records, makefiles = _read(repository, plain, scope)
        merge_subjects = {oids.number(oid) or 0: text for oid, text in titles.result().items()}
        sides = same.result()

    number = {oid: index for index, oid in enumerate(listed)}
    found = _releases(repository, refs, makefiles, graph, number)
    mainline = [number[release.oid] for release in found if naming.is_mainline(release.name)]
    tree_tips = {
        tree: number[oid] for tree, ref in trees.items() if (oid := tips.get(ref)) is not None
    }
    path, landed, names = lineages(graph, mainline, merge_subjects, tree_tips)
    release = graph.first_containing([number[each.oid] for each in found])

    touched: Mask = np.zeros(len(graph), np.bool_)
    touched[[number[record.oid] for record in records]] = True
    edges = simplify(graph, touched, sides)

    arrays = store.Arrays(release, path, landed)
    meta = store.Meta(
        format=store.FORMAT,
        refs=dict(tips),
        trees=dict(trees),
        scope=list(folders),
        lineages=[list(name) for name in names],
        releases=[each.name for each in found],
        files={},
    )
    tables = {
        "commits": _commit_table(records, graph, number, arrays, meta),
        "changes": _change_table(records),
        "links": _link_table(records, oids, number, found),
        "releases": _release_table(found),
        "edges": _edge_table(edges, oids),
    }
    return store.save(repository.store, tables, graph, arrays, meta), len(records)


def _read(
    repository: Repository, oids: Sequence[str], scope: Scope
) -> tuple[list[CommitRecord], list[tuple[str, str]]]:
    """Read the commits in scope, and on the way which commits set the top Makefile to what blob."""
    kept: list[CommitRecord] = []
    makefiles: list[tuple[str, str]] = []
    contains: dict[str, bool] = {}
    for record in stream.records(repository, oids, [*scope.git_paths, "Makefile"]):
        inside = []
        for change in record.changes:
            path = change.path
            if path == "Makefile":
                makefiles.append((record.oid, change.new_blob))
            counts = contains.get(path)
            if counts is None:
                counts = contains[path] = scope.contains(path)
            if counts:
                inside.append(change)
        if inside:
            kept.append(replace(record, changes=tuple(inside)))
    return kept, makefiles


def _unchanged_sides(
    repository: Repository, graph: CommitGraph, merges: Sequence[int], scope: Scope
) -> dict[int, list[bool]]:
    """Tell, for each merge and parent, whether the scope is the same in both."""
    needed = sorted({*merges, *(p for merge in merges for p in graph.parents_of(merge))})
    paths = scope.git_paths
    ids = dict(
        zip(
            needed,
            stream.folder_ids(repository, [graph.oids[n] for n in needed], paths),
            strict=True,
        )
    )
    whole = len(scope.folders)
    doubtful: set[tuple[str, str]] = set()
    for merge in merges:
        for parent in graph.parents_of(merge):
            left, right = ids[parent], ids[merge]
            if left[:whole] == right[:whole]:
                doubtful |= {
                    (a, b)
                    for a, b in zip(left[whole:], right[whole:], strict=True)
                    if a != b and a and b
                }
    differ: dict[tuple[str, str, str], bool] = {}
    apart = stream.differing_paths(repository, sorted(doubtful))
    for folder in paths[whole:]:
        for (a, b), names in apart.items():
            differ[folder, a, b] = any(scope.contains(f"{folder}/{name}") for name in names)

    def same(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
        return left[:whole] == right[:whole] and not any(
            differ.get((folder, a, b), a != b)
            for folder, a, b in zip(paths[whole:], left[whole:], right[whole:], strict=True)
        )

    return {
        merge: [same(ids[parent], ids[merge]) for parent in graph.parents_of(merge)]
        for merge in merges
    }


def _releases(
    repository: Repository,
    refs: Sequence[Ref],
    makefiles: Sequence[tuple[str, str]],
    graph: CommitGraph,
    number: Mapping[str, int],
) -> list[Release]:
    """Return the releases, oldest first: from tags, else from what the Makefile came to say."""
    tagged = [
        Release(name, ref.oid, ref.tagged_at or int(graph.times[number[ref.oid]]), "tag")
        for ref in refs
        if ref.name.startswith("refs/tags/")
        and naming.version(name := ref.name.removeprefix("refs/tags/"))
    ]
    found = tagged
    if not any(naming.is_mainline(release.name) for release in tagged):
        found = tagged + _derived(repository, makefiles, graph, number)
    return sorted(found, key=lambda release: naming.version(release.name) or ())


def _derived(
    repository: Repository,
    makefiles: Sequence[tuple[str, str]],
    graph: CommitGraph,
    number: Mapping[str, int],
) -> list[Release]:
    contents = dict(
        blobs.read(repository, dict.fromkeys(blob for _, blob in makefiles if blob.strip("0")))
    )
    said = {
        number[oid]: version
        for oid, blob in makefiles
        if blob in contents and (version := naming.makefile_version(contents[blob]))
    }
    found: dict[str, Release] = {}
    # Oldest first, so that of two commits that claim a version the one that came first has it.
    for commit in sorted(said):
        name = said[commit]
        if naming.version(name) and naming.is_mainline(name) and name not in found:
            found[name] = Release(name, graph.oids[commit], int(graph.times[commit]), "Makefile")
    return list(found.values())


# --- tables ---------------------------------------------------------------------------------------


def _commit_table(
    records: Sequence[CommitRecord],
    graph: CommitGraph,
    number: Mapping[str, int],
    arrays: store.Arrays,
    meta: store.Meta,
) -> pa.Table:
    import pyarrow as pa

    numbers = [number[record.oid] for record in records]
    came = [" > ".join(name) for name in meta.lineages]
    releases = [*meta.releases, None]
    said = [trailers(record.message) for record in records]
    return pa.table(
        {
            "number": pa.array(numbers, pa.int32()),
            "oid": [record.oid for record in records],
            "parents": [[graph.oids[p] for p in graph.parents_of(n)] for n in numbers],
            "author": [record.author_name for record in records],
            "author_email": [record.author_email for record in records],
            "author_time": pa.array([record.author_time for record in records], pa.int64()),
            "committer": [record.committer_name for record in records],
            "committer_email": [record.committer_email for record in records],
            "commit_time": pa.array([record.commit_time for record in records], pa.int64()),
            "subject": [record.subject for record in records],
            "trailers": pa.array(
                [[{"key": t.key, "value": t.value} for t in each] for each in said],
                pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())])),
            ),
            "lineage": [came[arrays.lineage[n]] for n in numbers],
            "landed": [
                graph.oids[merge] if (merge := int(arrays.landed[n])) >= 0 else None
                for n in numbers
            ],
            "release": pa.array([releases[arrays.release[n]] for n in numbers], pa.string()),
        }
    )


def _change_table(records: Sequence[CommitRecord]) -> pa.Table:
    import pyarrow as pa

    rows = [(record.oid, change) for record in records for change in record.changes]
    return pa.table(
        {
            "oid": [oid for oid, _ in rows],
            "status": [change.status for _, change in rows],
            "path": [change.path for _, change in rows],
        }
    )


def _link_table(
    records: Sequence[CommitRecord],
    oids: Oids,
    number: Mapping[str, int],
    found: Sequence[Release],
) -> pa.Table:
    import pyarrow as pa

    by_subject: dict[str, list[int]] = {}
    for record in records:
        by_subject.setdefault(plain_subject(record.subject), []).append(number[record.oid])
    by_release = {release.name: release.oid for release in found}
    rows = []
    for record in records:
        for link in links(record.message):
            target, how = _resolve(link, number[record.oid], oids, by_subject, by_release)
            rows.append((record.oid, link, target, how))
    text = pa.string()
    return pa.table(
        {
            "oid": pa.array([row[0] for row in rows], text),
            "kind": pa.array([row[1].kind.value for row in rows], text),
            "form": pa.array([row[1].form for row in rows], text),
            "text": pa.array([row[1].text for row in rows], text),
            "given": pa.array([row[1].oid for row in rows], text),
            "subject": pa.array([row[1].subject for row in rows], text),
            "target": pa.array([row[2] for row in rows], text),
            "how": pa.array([row[3] for row in rows], text),
        }
    )


_POINTERS = {
    LinkKind.FIXES,
    LinkKind.REVERTS,
    LinkKind.REAPPLIES,
    LinkKind.UPSTREAM,
    LinkKind.PREREQUISITE,
    LinkKind.BLAMES,
    LinkKind.MENTIONS,
}


def _resolve(
    link: Link,
    source: int,
    oids: Oids,
    by_subject: Mapping[str, Sequence[int]],
    by_release: Mapping[str, str],
) -> tuple[str | None, str | None]:
    """Find the commit a link means, and say how it was found."""
    if link.kind not in _POINTERS:
        return None, None
    matching = [n for n in oids.matching(link.oid) if n != source] if link.oid else []
    if len(matching) == 1:
        return oids[matching[0]], "exact" if len(link.oid or "") == 40 else "abbreviated"
    if link.subject:
        wanted = plain_subject(link.subject)
        named = [n for n in by_subject.get(wanted, ()) if n < source]
        if not named and wanted.endswith("..."):
            start = wanted.rstrip(".")
            named = [
                n
                for text, group in by_subject.items()
                if text.startswith(start)
                for n in group
                if n < source
            ]
        if matching:
            named = [n for n in named if n in matching]
        if link.kind is LinkKind.REVERTS and named:
            # A revert without an id takes back the newest of that subject.
            named = [max(named)]
        if len(named) == 1:
            return oids[named[0]], "subject" if link.oid is None else "repaired"
        if named:
            return None, "ambiguous"
    if matching:
        return None, "ambiguous"
    release = by_release.get(link.text.removeprefix("Fixes:").strip())
    if release and link.kind is LinkKind.FIXES:
        return release, "release"
    return None, "unknown" if link.oid else "unresolved"


def _release_table(found: Sequence[Release]) -> pa.Table:
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


def _edge_table(edges: Mapping[int, Sequence[int]], oids: Oids) -> pa.Table:
    import pyarrow as pa

    rows = [(child, parent) for child, line in edges.items() for parent in line or (-1,)]
    return pa.table(
        {
            "child": pa.array([oids[child] for child, _ in rows], pa.string()),
            "parent": pa.array([oids[p] if p >= 0 else None for _, p in rows], pa.string()),
        }
    )

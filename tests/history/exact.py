# SPDX-License-Identifier: GPL-2.0-or-later
"""Is the index what git says, on a whole kernel tree? `python -m tests.history.exact`.

KBISECT_NET_REPO names the repository; nothing is written into it. It takes some minutes, so it is
no part of the tests, which ask the same of the fixtures.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history import releases as naming
from kbisect.history import store
from kbisect.history.messages import trailers
from kbisect.history.releases import Release, State
from kbisect.history.store import Index

PATHS = ("net", "drivers/net")
_SAMPLE = 2000


def main() -> int:
    """Compare, print a table, and return 1 if anything differs."""
    named = os.environ.get("KBISECT_NET_REPO")
    if not named:
        print("exact: set KBISECT_NET_REPO to a clone of a kernel tree", file=sys.stderr)
        return 4
    net = Path(named)
    rows = []
    with tempfile.TemporaryDirectory(prefix="kbisect-exact-") as place:
        repository = Repository.open(net, place)
        indexing.update(repository, paths=PATHS)
        index = store.load(Path(place))
        rows.append(("commits in scope, their parents and paths", *_commits(net, index)))
        rows.append(("graph: --full-history --simplify-merges", *_graph(net, index)))
        rows.append(("parents and times of the whole history", *_history(net, index)))
        rows.append(("what 20 commits at random contain", *_ancestry(net, index)))
        rows.append(("trailers, against git log", *_trailers(net, index)))
        rows.append((f"trailers of {_SAMPLE:,}, against interpret-trailers", *_parsed(net, index)))
        rows.append(("merge window, every day of 2008 to 2011", *_windows(index)))
    print(f"{'':<52} {'compared':>9}  {'differ':>6}")
    for what, compared, differ in rows:
        print(f"{what:<52} {compared:>9,}  {differ:>6,}")
    return int(any(differ for _, _, differ in rows))


def _git(net: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    env = {**os.environ, "LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1"}
    command = ["git", "-C", str(net), "-c", "core.quotePath=false", *arguments]
    return subprocess.run(command, input=stdin, stdout=subprocess.PIPE, env=env, check=True).stdout


def _compare(ours: Iterable[object], theirs: Iterable[object]) -> tuple[int, int]:
    left, right = set(ours), set(theirs)
    return len(right), len(left ^ right)


def _commits(net: Path, index: Index) -> tuple[int, int]:
    """Rows of (commit, parent, path); the two names of a renamed file count both."""
    said = _git(
        net,
        *("log", "--all", "--full-history", "--no-merges", "--no-renames", "-z", "--name-only"),
        *("--format=%x01%H %P", "HEAD", "--", *PATHS),
    )
    theirs = []
    for record in said.split(b"\x01")[1:]:
        head, *names = record.strip(b"\0\n").split(b"\0")
        oid, _, parent = head.decode().strip().partition(" ")
        clean = (name.strip(b"\n").decode("utf-8", "backslashreplace") for name in names)
        theirs += [(oid, parent, name) for name in clean if name]
    ours = index.rows(
        "SELECT c.oid, array_to_string(c.parents, ' '), unnest([path, old_path])"
        " FROM commits c JOIN changes USING (oid)"
    )
    found = _compare((row for row in ours if row[2] is not None), theirs)
    commits = len({row[0] for row in theirs})
    return commits, found[1]


def _graph(net: Path, index: Index) -> tuple[int, int]:
    said = _git(
        net,
        *("rev-list", "--all", "HEAD", "--parents", "--full-history", "--simplify-merges"),
        *("--", *PATHS),
    )
    theirs = {line.split()[0]: frozenset(line.split()[1:]) for line in said.decode().splitlines()}
    ours: dict[str, set[str]] = {}
    for child, parent in index.rows("SELECT child, parent FROM edges"):
        ours.setdefault(child, set()).update([parent] if parent else [])
    return _compare(((one, frozenset(above)) for one, above in ours.items()), theirs.items())


def _history(net: Path, index: Index) -> tuple[int, int]:
    said = _git(net, "rev-list", "--all", "HEAD", "--parents", "--timestamp").decode()
    theirs = []
    for line in said.splitlines():
        time, oid, *parents = line.split()
        theirs.append((oid, int(time), tuple(parents)))
    graph = index.graph
    oids = list(index.oids)
    times = graph.times.tolist()
    ours = (
        (oid, times[at], tuple(oids[parent] for parent in graph.parents_of(at)))
        for at, oid in enumerate(oids)
    )
    return _compare(ours, theirs)


def _ancestry(net: Path, index: Index) -> tuple[int, int]:
    oids = list(index.oids)
    differ = compared = 0
    for tip in random.Random(3).sample(range(len(oids)), 20):
        ours = {oids[int(n)] for n in index.graph.ancestors([tip]).nonzero()[0]}
        count, apart = _compare(ours, _git(net, "rev-list", oids[tip]).decode().split())
        compared += count
        differ += apart
    return compared, differ


def _trailers(net: Path, index: Index) -> tuple[int, int]:
    oids = [row[0] for row in index.rows("SELECT oid FROM commits")]
    said = _git(
        net,
        *("log", "--no-walk=unsorted", "--stdin", "-z", "--format=%H%n%(trailers:only,unfold)"),
        stdin="".join(f"{oid}\n" for oid in oids).encode(),
    )
    theirs = set()
    for record in filter(None, said.split(b"\0")):
        oid, _, lines = record.decode("utf-8", "replace").partition("\n")
        theirs.add((oid, tuple(filter(None, lines.split("\n")))))
    # The whole list of a commit is compared: order and repeats count.
    held = index.rows("SELECT oid, trailers FROM commits")
    ours = (
        (oid, tuple(f"{each['key']}: {each['value']}".rstrip() for each in listed or ()))
        for oid, listed in held
    )
    stripped = {(oid, tuple(line.rstrip() for line in lines)) for oid, lines in theirs}
    return _compare(ours, stripped)


def _parsed(net: Path, index: Index) -> tuple[int, int]:
    oids = [row[0] for row in index.rows("SELECT oid FROM commits ORDER BY oid")]
    differ = 0
    for oid in random.Random(2).sample(oids, min(_SAMPLE, len(oids))):
        message = _git(net, "log", "-1", "--format=%B", oid)
        said = _git(net, "interpret-trailers", "--parse", "--no-divider", stdin=message)
        theirs = [line.rstrip() for line in said.decode("utf-8", "replace").split("\n") if line]
        found = trailers(message.decode("utf-8", "replace"))
        differ += [f"{each.key}: {each.value}".rstrip() for each in found] != theirs
    return min(_SAMPLE, len(oids)), differ


def _windows(index: Index) -> tuple[int, int]:
    """Open from a final release to the first candidate of the next one, and else closed."""
    rows = index.rows("SELECT name, oid, time, source FROM releases WHERE mainline ORDER BY time")
    releases = [Release(*row) for row in rows]
    compared = differ = 0
    for moment in _days():
        past = [each for each in releases if each.time <= moment]
        if not past or moment - past[-1].time > 28 * 86400:
            continue
        expected = State.CLOSED if "-rc" in past[-1].name else State.OPEN
        compared += 1
        differ += naming.window(releases, moment).merge_window is not expected
    return compared, differ


def _days() -> Iterator[int]:
    day = datetime(2008, 1, 1, tzinfo=UTC)
    while day.year < 2012:
        yield int(day.timestamp())
        day += timedelta(days=1)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: GPL-2.0-or-later
"""The index against git's own commands for the same facts."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from kbisect.history import store
from tests.bench.measure import (
    KBISECT,
    Cost,
    cost,
    costs_in_turn,
    header,
    in_turn,
    seconds,
)

PATHS = ("net", "drivers/net", "include/net")
_MANY = 1000
FORMAT = "--format=%H%x00%P%x00%an%x00%at%x00%B"


def run(net: Path) -> None:
    """Measure everything about the history on one repository."""
    header(f"History: {net.name}")
    work = Path(tempfile.mkdtemp(prefix="kbisect-bench-"))
    try:
        _measure(net, work)
    finally:
        shutil.rmtree(work)


def _git(net: Path, *arguments: str) -> float:
    return seconds(["git", "-C", net, *arguments])


def _measure(net: Path, work: Path) -> None:
    paths = [word for path in PATHS for word in ("--path", path)]
    log = ("log", "--raw", "--full-history", "--no-merges", FORMAT, "HEAD", "--", *PATHS)
    graph = ("rev-list", "--parents", "--timestamp", "HEAD")
    simple = ("rev-list", "--parents", "--full-history", "--simplify-merges", "HEAD", "--", *PATHS)

    def build(place: str, *arguments: str) -> Cost:
        return cost([*KBISECT, "-C", net, "--store", work / place, "index", "--full", *arguments])

    def peers() -> Cost:
        each = [cost(["git", "-C", net, *command]) for command in (log, graph, simple)]
        return Cost(sum(one.wall for one in each), sum(one.cpu for one in each))

    _git(net, *graph)  # warm the disk's cache
    costs_in_turn(
        "full index, three folders; log + rev-list + simplify",
        "<= 0.6; 600 MB",
        lambda: build("a", *paths),
        peers,
    )
    costs_in_turn(
        "the same; git log --raw --no-merges",
        "< 1.0",
        lambda: build("a", *paths),
        lambda: cost(["git", "-C", net, "log", "--raw", "--no-merges", "HEAD", "--", *PATHS]),
    )
    costs_in_turn(
        "full index, default scope; the same with three folders",
        "<= 1.5",
        lambda: build("b"),
        lambda: build("a", *paths),
    )
    numstat = ("log", "--numstat", "--full-history", "--no-merges", "HEAD", "--", *PATHS)
    costs_in_turn(
        "full index with line counts; git log --numstat",
        "<= 0.6",
        lambda: build("c", "--lines", *paths),
        lambda: cost(["git", "-C", net, *numstat]),
        runs=1,
    )
    _increment(net, work, paths)
    for words, aim in (
        ("index", "< 0.5 s"),
        ("show HEAD", "< 0.5 s"),
        ("window", "< 0.5 s"),
        ("query reverts --format csv", "< 0.5 s"),
        ("query reverts --json", "< 0.5 s"),
        ("graph HEAD~1000..HEAD --format dot", "< 1.0 s"),
    ):
        command = [*KBISECT, "-C", net, "--store", work / "a", *words.split()]
        costs_in_turn(words, aim, lambda command=command: cost(command))  # type: ignore[misc]
    _ancestry(net, work)


def _said(net: Path, *arguments: str) -> list[str]:
    command = ["git", "-C", str(net), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def _increment(net: Path, work: Path, paths: list[str]) -> None:
    """A clone that borrows the objects, first without its newest thousand commits."""
    clone = work / "clone.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(clone)], check=True)
    objects = _said(net, "rev-parse", "--git-path", "objects")[0]
    (clone / "objects/info/alternates").write_text(f"{(net / objects).resolve()}\n")
    spine = _said(net, "rev-list", "--first-parent", "HEAD")
    base = next(one for one in spine if len(_said(net, "rev-list", f"{one}..HEAD")) >= _MANY)

    def point(at: str) -> None:
        _git(clone, "update-ref", "refs/heads/master", at)

    def grow() -> Cost:
        shutil.rmtree(clone / "kbisect", ignore_errors=True)
        point(base)
        seconds([*KBISECT, "-C", clone, "index", *paths])
        point(spine[0])
        return cost([*KBISECT, "-C", clone, "index"])

    def full() -> Cost:
        return cost([*KBISECT, "-C", net, "--store", work / "a", "index", "--full", *paths])

    new = len(_said(net, "rev-list", f"{base}..HEAD"))
    costs_in_turn(f"{new:,} new commits; full", "< 0.1", grow, full, runs=2)


def _ancestry(net: Path, work: Path) -> None:
    index = store.load(work / "a")
    draw = random.Random(1)
    pairs = [
        (draw.randrange(len(index.oids)), draw.randrange(len(index.oids))) for _ in range(10_000)
    ]

    def ours() -> float:
        begun = time.perf_counter()
        opened = store.load(work / "a")
        opened.graph.contains(pairs)
        for older, _ in pairs:
            opened.release_of(older)
        return time.perf_counter() - begun

    def git() -> float:
        begun = time.perf_counter()
        for older, newer in pairs[:100]:
            subprocess.run(
                [
                    "git",
                    "-C",
                    str(net),
                    "merge-base",
                    "--is-ancestor",
                    index.oids[older],
                    index.oids[newer],
                ],
                check=False,
            )
        return time.perf_counter() - begun

    in_turn("A in B, and A's first release: 10,000 pairs; git: 100", "< 1.0", ours, git)

# SPDX-License-Identifier: GPL-2.0-or-later
"""API differences and lives: cold, cached, and the extraction against Universal Ctags."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from kbisect.api import annotations as words
from kbisect.api import surface
from kbisect.git import blobs
from kbisect.git.repository import Repository
from kbisect.history import releases as naming
from kbisect.history import store
from tests.bench.measure import (
    KBISECT,
    Cost,
    cost,
    costs_in_turn,
    header,
    in_turn,
    peak_of_children,
    seconds,
)


def run(net: Path) -> None:
    """Measure everything about the API on one repository."""
    header(f"API: {net.name}")
    work = Path(tempfile.mkdtemp(prefix="kbisect-bench-"))
    try:
        _measure(net, work)
    finally:
        shutil.rmtree(work)


def _measure(net: Path, work: Path) -> None:
    kept = work / "store"

    def ask(*arguments: str) -> float:
        return seconds([*KBISECT, "-C", net, "--store", kept, *arguments])

    def cold(*arguments: str) -> float:
        shutil.rmtree(kept / "api", ignore_errors=True)
        return ask("api", *arguments)

    ask("index")
    repository = Repository.open(net, kept)
    named = store.load(kept).meta.releases
    finished = [
        (name, oid)
        for name, oid in named
        if naming.is_mainline(name) and not naming.is_candidate(name)
    ]
    old, new = finished[len(finished) // 2 - 1][0], finished[len(finished) // 2][0]
    in_turn(f"api diff {old} {new}, cold", "<= 6 s", lambda: cold("diff", old, new))
    print(f"{'  peak memory':<58} {peak_of_children():8} MB")
    in_turn("  the same, cached", "<= 1 s", lambda: ask("api", "diff", old, new))
    in_turn("api history sk_buff, cold", "<= 15 s", lambda: cold("history", "sk_buff"))
    in_turn("  the same, cached", "<= 0.5 s", lambda: ask("api", "history", "sk_buff"))
    _extraction(repository, finished[-30:], work / "headers")


def _extraction(repository: Repository, commits: list[tuple[str, str]], work: Path) -> None:
    """Extract the public headers of up to 30 releases; ctags reads those of each release.

    Nothing is known before: what releases share is read once because their blobs have one name.
    """
    paths: dict[str, str] = {}
    for release, commit in commits:
        found = blobs.at_commit(repository, commit, surface.FOLDERS).blobs
        public = {path: oid for path, oid in found.items() if surface.is_public(path)}
        for oid, path in ((oid, path) for path, oid in public.items()):
            paths.setdefault(oid, path)
        for oid, text in blobs.read(repository, sorted(set(public.values()))):
            for path in (path for path, blob in public.items() if blob == oid):
                place = work / release / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(text)

    listed = work / "oids"
    listed.write_text("".join(f"{oid} {path}\n" for oid, path in paths.items()))

    def ours() -> Cost:
        module = "tests.bench.extracting"
        return cost([sys.executable, "-m", module, str(repository.gitdir), listed])

    def ctags() -> Cost:
        macros = [f"-I{word}+" for word in words._PLAIN.split()]
        kinds = "--kinds-C=+pmx"
        told = ["ctags", "-R", "-f", "-", "--language-force=C", kinds, "--fields=+S", *macros]
        each = [cost([*told, work / name]) for name, _ in commits]
        return Cost(sum(one.wall for one in each), sum(one.cpu for one in each))

    peer = ctags if shutil.which("ctags") else None
    title = f"extraction of {len(commits)} releases ({len(paths)} headers); Universal Ctags"
    costs_in_turn(title, "<= 0.5", ours, peer, runs=3)

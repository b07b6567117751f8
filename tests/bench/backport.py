# SPDX-License-Identifier: GPL-2.0-or-later
"""Backports against what people really did: DPDK's 20.11 and 22.11, and the speed of one pick.

KBISECT_DPDK_REPO names a clone of DPDK with its stable branches. The truth is the ids in those
branches' `[ upstream commit … ]` markers whose upstream commit touches the paths looked at.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kbisect.backport.candidates import Survey, survey
from kbisect.backport.carried import facts
from kbisect.backport.fixes import Strength
from kbisect.backport.forecast import State, by_strength, forecasts
from kbisect.backport.wishes import Wishes
from kbisect.git.patchprints import prints
from kbisect.git.picks import Picker
from kbisect.git.repository import Repository
from kbisect.history import identity, store
from kbisect.history import index as indexing
from kbisect.history.store import Index
from tests.bench.cherrypick import oracle
from tests.bench.measure import KBISECT

PATHS = ("drivers/net", "lib/net", "lib/ethdev")
INDEXED = ("drivers/net", "lib")
DELAY = 77 * 86400
"""Seconds before a release in which a fix may be too new for it."""
PICKS = 500


@dataclass(frozen=True)
class Line:
    """A stable line and what people took into it: (own oid, upstream oid)."""

    name: str
    base: str
    tip: str
    pairs: tuple[tuple[str, str], ...]


def row(what: str, found: str, aim: str) -> None:
    """Print one row of the table."""
    print(f"{what:<58} {found:<44} {aim}", flush=True)


def git(repository: Repository, *arguments: str) -> list[str]:
    """Ask git."""
    done = subprocess.run(
        ["git", "-C", str(repository.gitdir), *arguments], capture_output=True, check=True
    )
    return done.stdout.decode("utf-8", "replace").split()


def line(repository: Repository, index: Index, name: str) -> Line:
    """Read a stable line's markers."""
    base = git(repository, "rev-parse", f"v{name}^{{commit}}")[0]
    tip = git(repository, "rev-parse", f"refs/heads/{name}")[0]
    own = set(git(repository, "rev-list", f"{base}..{tip}"))
    rows = index.rows("SELECT oid, target FROM links WHERE kind = 'upstream' AND target NOT NULL")
    return Line(name, base, tip, tuple(sorted(pair for pair in rows if pair[0] in own)))


def touching(index: Index) -> set[str]:
    """Return the commits that touch the paths looked at."""
    folders = tuple(f"{path}/" for path in PATHS)
    return {
        oid for oid, path in index.rows("SELECT oid, path FROM changes") if path.startswith(folders)
    }


def shares(found: Iterable[str], truth: set[str]) -> str:
    """Return precision and recall."""
    listed = set(found)
    right = len(listed & truth)
    return f"P {right / (len(listed) or 1):.3f}  R {right / (len(truth) or 1):.3f}  of {len(truth)}"


def first_parent_at(repository: Repository, seconds: int) -> str:
    """Return main as it stood at a time."""
    return git(repository, "rev-list", "-1", f"--until={seconds}", "--first-parent", "main")[0]


def retrospective(repository: Repository, index: Index, one: Line) -> Survey:
    """Compare the list at the base with all that was ever taken."""
    inside = touching(index)
    times = dict(index.rows("SELECT oid, commit_time FROM commits"))
    upstream = first_parent_at(repository, max(times[own] for own, _ in one.pairs))
    contained = index.graph.ancestors([index.number(upstream)])
    truth = {oid for _, oid in one.pairs if oid in inside and contained[index.number(oid)]}
    surveyed = survey(repository, index, one.base, upstream, Wishes(PATHS))
    every = [each.oid for each in surveyed.candidates]
    firm = [each.oid for each in surveyed.candidates if each.strength is not Strength.WEAK]
    aim = {"22.11": ">= .95 / >= .985", "20.11": ">= .95 / >= .965"}[one.name]
    row(f"{one.name} retrospective, all that is listed", shares(every, truth), aim)
    row(f"{one.name} retrospective, without the weak", shares(firm, truth), aim)
    at_tip = survey(repository, index, one.tip, upstream, Wishes(PATHS))
    also = {each.oid for each in at_tip.already}
    row(
        f"{one.name} the same, also what was taken unmarked",
        shares(firm, truth | (also & set(firm))),
        "reported",
    )
    return surveyed


def prospective(repository: Repository, index: Index, one: Line) -> None:
    """At each stable release: the list before it against what it added."""
    inside = touching(index)
    times = dict(index.rows("SELECT oid, commit_time FROM commits"))
    tags = [
        tag
        for tag in git(repository, "tag", "-l", f"v{one.name}*", "--sort=v:refname")
        if "-rc" not in tag and (tag == f"v{one.name}" or tag.startswith(f"v{one.name}."))
    ]
    right = listed = wanted = first = first_right = long = long_right = 0
    for before, after in pairwise(tags):
        old, new = (git(repository, "rev-parse", f"{tag}^{{commit}}")[0] for tag in (before, after))
        date = int(git(repository, "log", "-1", "--format=%ct", new)[0])
        upstream = first_parent_at(repository, date)
        contained = index.graph.ancestors([index.number(upstream)])
        own = set(git(repository, "rev-list", f"{old}..{new}"))
        added = {
            oid
            for mine, oid in one.pairs
            if mine in own
            and oid in inside
            and contained[index.number(oid)]
            and times[oid] <= date - DELAY
        }
        if not added:
            continue
        surveyed = survey(repository, index, old, upstream, Wishes(PATHS))
        chosen = [
            each
            for each in surveyed.candidates
            if each.strength is not Strength.WEAK and times[each.oid] <= date - DELAY
        ]
        found = {each.oid for each in chosen}
        ordered = by_strength(list(forecasts(repository, index, surveyed, chosen)))
        best = [each.candidate.oid for each in ordered[:50]]
        right, listed, wanted = (
            right + len(found & added),
            listed + len(found),
            wanted + len(added),
        )
        first, first_right = first + len(best), first_right + len(set(best) & added)
        if len(chosen) > len(best):
            long, long_right = long + len(best), long_right + len(set(best) & added)
        row(
            f"  {after}",
            shares(found, added) + f"  first {len(best)}: {len(set(best) & added)}",
            "",
        )
    row(
        f"{one.name} prospective, all releases together",
        f"P {right / listed:.3f}  R {right / wanted:.3f}  first 50 P {first_right / first:.3f}",
        ">= .90 / >= .95 / >= .97",
    )
    row(
        f"{one.name} the same, first 50 of lists longer than that",
        f"P {long_right / (long or 1):.3f} of {long}",
        ">= .97",
    )


def known_pairs(repository: Repository, index: Index, one: Line) -> None:
    """Hide the markers, and look whether identity finds the pairs; then show it strangers."""
    here = index.graph.ancestors([index.number(one.base)])
    own = index.graph.ancestors([index.number(one.tip)]) & ~here
    ahead = index.graph.ancestors([index.number(git(repository, "rev-parse", "main")[0])]) & ~here
    files: dict[str, list[str]] = {}
    for oid, path in index.rows("SELECT oid, path FROM changes"):
        files.setdefault(oid, []).append(path)
    left, right = facts(index, own, files), facts(index, ahead, files)
    inside = ({fact.oid for fact in left}, {fact.oid for fact in right})
    truth = [pair for pair in one.pairs if pair[0] in inside[0] and pair[1] in inside[1]]
    found = identity.match(left, right, {}, lambda oids: prints(repository, oids))
    hit = sum(upstream in found for _, upstream in truth)
    exact = sum(upstream in found and found[upstream].on_branch == mine for mine, upstream in truth)
    row(
        f"{one.name} identity, markers hidden",
        f"{hit / len(truth):.4f} found, {exact / len(truth):.4f} the same commit, of {len(truth)}",
        ">= .997",
    )
    partner = dict(truth)
    dice = random.Random(7)
    alone = [fact for fact in left if fact.oid in partner]
    false = 0
    for _ in range(1000):
        mine = dice.choice(alone)
        other = dice.choice(right)
        if partner[mine.oid] != other.oid:
            pair = identity.match([mine], [other], {}, lambda oids: prints(repository, oids))
            false += bool(pair)
    row(f"{one.name} identity, random non-pairs", f"{false} of 1,000 paired", "0")


def picks(repository: Repository, lines: Iterable[Line]) -> None:
    """Ask git cherry-pick in a worktree whether real backports apply, and compare."""
    picker = Picker(repository)
    asked = same = wrong = 0
    lines = list(lines)
    for one in lines:
        order = {
            oid: at for at, oid in enumerate(git(repository, "rev-list", "--reverse", one.tip))
        }
        chosen = list(one.pairs)
        random.Random(7).shuffle(chosen)
        chosen = sorted(chosen[: PICKS // len(lines)], key=lambda pair: order[pair[0]])
        with oracle(repository.gitdir, one.base) as truth:
            for mine, upstream in chosen:
                onto = repository.commit(mine).parents[0]
                said = truth.conflicts(upstream, onto)
                found = picker.pick(upstream, picker.tree_of(onto))
                asked += 1
                same += bool(said) == bool(found.conflicts)
                wrong += bool(said) and found.clean
    row(
        "applies: the same as git cherry-pick",
        f"{same} of {asked}, {wrong} clean where git conflicts",
        ">= .998, 0",
    )


def speed(repository: Repository, onto: str, oids: list[str], aim: str) -> None:
    """Time one applies check after another, and the merge of whole trees beside it.

    Waiting for a busy machine isn't the check's: the processors' time is told too.
    """
    picker, whole = (Picker(repository, passing=True) for _ in range(2))
    tree = picker.tree_of(onto)
    ours, theirs = [], []
    for at, oid in enumerate(oids):
        begun = time.perf_counter()
        picker.pick(oid, tree)
        ours.append(time.perf_counter() - begun)
        if at % 10 == 0:
            before, after = whole._sides(oid)
            begun = time.perf_counter()
            whole._whole(before, tree, after)
            theirs.append(time.perf_counter() - begun)
    del picker, whole
    gc.collect()
    begun = _processor()
    again = Picker(repository, passing=True)
    for oid in oids:
        again.pick(oid, tree)
    del again
    gc.collect()
    used = (_processor() - begun) / len(oids)
    row(
        f"one applies check, {len(oids)} commits",
        f"median {statistics.median(ours) * 1e3:.1f} ms (whole trees"
        f" {statistics.median(theirs) * 1e3:.1f} ms; load {os.getloadavg()[0]:.0f}),"
        f" processor {used * 1e3:.1f} ms a check",
        aim,
    )


def _processor() -> float:
    """Return processor seconds of this process and of those that ended."""
    mine, ended = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return mine.ru_utime + mine.ru_stime + ended.ru_utime + ended.ru_stime


def resolved_unchanged(repository: Repository, index: Index, one: Line, surveyed: Survey) -> None:
    """Of conflicts that a person resolved without changing the patch, how many replay cleanly."""
    begun = time.monotonic()
    tried = list(forecasts(repository, index, surveyed))
    row(f"{one.name} forecasts of {len(tried)}", f"{time.monotonic() - begun:.1f} s", "")
    mine = {upstream: own for own, upstream in one.pairs}
    hard = [each for each in tried if each.conflicts and each.candidate.oid in mine]
    known = prints(
        repository,
        [oid for each in hard for oid in (each.candidate.oid, mine[each.candidate.oid])],
    )
    kept = [
        each for each in hard if known[each.candidate.oid][1] == known[mine[each.candidate.oid]][1]
    ]
    clean = sum(each.state is State.CLEAN_AFTER or bool(each.prerequisites) for each in kept)
    row(
        f"{one.name} conflicts, clean after what is named",
        f"{clean} of {len(kept)} a person left unchanged ({clean / (len(kept) or 1):.2f});"
        f" of all {len(hard)}: "
        f"{sum(each.state is State.CLEAN_AFTER or bool(each.prerequisites) for each in hard)}",
        ">= .40",
    )


def run(net: Path) -> None:
    """Print the table."""
    print(f"\n{'backports':<58} {'found':<44} to reach")
    named = os.environ.get("KBISECT_DPDK_REPO")
    with tempfile.TemporaryDirectory(prefix="kbisect-bench-") as place:
        if named:
            _dpdk(Path(named), Path(place) / "dpdk")
        else:
            print("KBISECT_DPDK_REPO names no clone of DPDK: its part is left out")
        kernel = Repository.open(net, Path(place) / "net")
        oids = git(kernel, "log", "--no-merges", "-n", "400", "--format=%H", "HEAD", "--", "net")
        speed(kernel, git(kernel, "rev-parse", "HEAD~3000")[0], oids, "<= 5 ms")


def _dpdk(directory: Path, place: Path) -> None:
    repository = Repository.open(directory, place)
    indexing.update(repository, trees={"mainline": "main"}, paths=INDEXED)
    index = store.load(repository.store)
    lines = [line(repository, index, name) for name in ("22.11", "20.11")]
    surveys = [retrospective(repository, index, one) for one in lines]
    for one in lines:
        known_pairs(repository, index, one)
    oids = [each.oid for each in surveys[0].candidates]
    speed(repository, lines[0].base, oids, "<= 3 ms")
    for one in lines:
        prospective(repository, index, one)
    resolved_unchanged(repository, index, lines[0], surveys[0])
    picks(repository, lines)
    command = ("backport", "list", "v22.11", "--upstream", surveys[0].upstream)
    begun, used = time.monotonic(), _processor()
    paths = [word for path in PATHS for word in ("--path", path)]
    subprocess.run(
        [*KBISECT, "-C", str(directory), "--store", str(place), *command, *paths, "--json"],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    row(
        "backport list on 22.11",
        f"{time.monotonic() - begun:.1f} s, processor {_processor() - used:.1f} s",
        "<= 15 s",
    )

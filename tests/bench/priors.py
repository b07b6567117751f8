# SPDX-License-Identifier: GPL-2.0-or-later
"""Suspicion judged on real culprits: `python -m tests.bench priors`.

Pairs of culprit and fix come from the index: what fixes name in Fixes, or blame in prose. Ratios
are counted on culprits that were known before a date, and what the shipped weights and the counted
ones are worth is scored on culprits whose fix came after it: bits more than a flat prior gives the
culprit, among the commits in scope of its release. A bit is one test less. Nothing that was made
after the date goes into the weights.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kbisect.bisect import traits
from kbisect.bisect.traits import Look
from kbisect.git.repository import Repository
from kbisect.history import store
from tests.bench.measure import KBISECT, seconds

_COMMITS = """
SELECT c.commit_time, c.subject, coalesce(c.subsystem, ''), coalesce(c.release, ''),
       (SELECT count(*) FROM changes h WHERE h.oid = c.oid),
       (SELECT min(f.commit_time) FROM links l JOIN commits f ON f.oid = l.oid
        WHERE l.target = c.oid AND l.kind IN ('fixes', 'blames'))
FROM commits c
"""
_SHARE = 0.6  # of the pairs are before the date


@dataclass(frozen=True, slots=True)
class Known:
    """A commit, and when it was first named as a culprit."""

    time: int
    subject: str
    subsystem: str
    release: str
    files: int
    fixed: int | None


def run(net: Path | None) -> None:
    """Score the priors on the tree in KBISECT_NET_REPO."""
    if net is None:
        return
    work = Path(tempfile.mkdtemp(prefix="kbisect-bench-"))
    try:
        seconds([*KBISECT, "-C", net, "--store", work, "index"])
        score(store.load(Repository.open(net, work).store))
    finally:
        shutil.rmtree(work)


def score(index: store.Index) -> None:
    """Print what each prior is worth."""
    commits = [Known(*row) for row in index.rows(_COMMITS)]
    dates = sorted(each.fixed for each in commits if each.fixed is not None)
    if len(dates) < 50:
        print(f"\nPriors: only {len(dates)} pairs of culprit and fix")
        return
    date = dates[int(len(dates) * _SHARE)]
    before = [each for each in commits if each.time < date]
    culprits = [each for each in before if each.fixed is not None and each.fixed < date]
    common = len(culprits) / len(before)
    totals = Counter(each.subsystem for each in before)
    bad = Counter(each.subsystem for each in culprits)

    def look(each: Known) -> Look:
        name = each.subsystem
        return Look(each.subject, each.files, traits.record(bad[name], totals[name], common))

    def shipped(each: Known) -> float:
        known = look(each)
        return _product([Look(known.subject, known.files)])

    def with_record(each: Known) -> float:
        return _product([look(each)])

    counted = _counted(before, culprits)
    print(
        f"\nPriors: {len(dates)} pairs, {len(culprits)} culprits known before "
        f"{time.strftime('%Y-%m-%d', time.gmtime(date))}"
    )
    for trait, ratio in sorted(counted.items()):
        print(f"  {trait:<40} {ratio:.2f}")
    for what, weight in (
        ("shipped weights", shipped),
        ("shipped, with the subsystem's record", with_record),
        ("counted anew", lambda each: _recounted(each, counted)),
    ):
        gains = _gains(commits, weight, date)
        error = gains.std() / len(gains) ** 0.5
        print(
            f"{what:<40} {gains.mean():+.3f} +- {error:.3f} bits on {len(gains)} later culprits, "
            f"at worst {gains.min():+.2f}"
        )


def _names(each: Known) -> list[str]:
    most = next(most for most, _ in traits.FILES if each.files <= most)
    said = traits.kind(each.subject)
    return [f"files <= {most}", f"subject {said[0] if said else 'says nothing'}"]


def _counted(before: Sequence[Known], culprits: Sequence[Known]) -> dict[str, float]:
    everywhere = Counter(name for each in before for name in _names(each))
    among = Counter(name for each in culprits for name in _names(each))
    share = len(culprits) / len(before)
    return {name: (among[name] + 5) / (count * share + 5) for name, count in everywhere.items()}


def _recounted(each: Known, counted: dict[str, float]) -> float:
    found = np.prod([counted.get(name, 1.0) for name in _names(each)])
    return float(found**traits.TEMPER)


def _product(looks: list[Look]) -> float:
    return float(traits.weights(1, traits.factors(looks))[0])


def _gains(
    commits: Sequence[Known], weight: Callable[[Known], float], date: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    releases: dict[str, list[Known]] = defaultdict(list)
    for each in commits:
        releases[each.release].append(each)
    gains: list[float] = []
    for members in releases.values():
        late = [n for n, each in enumerate(members) if each.fixed is not None and each.fixed > date]
        if late:
            weights = np.array([weight(each) for each in members])
            gains += np.log2(weights[late] / weights.mean()).tolist()
    return np.array(gains)

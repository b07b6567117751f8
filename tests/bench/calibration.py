# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the stated confidence is the true one, on small ranges, where many trials are cheap.

True is what was said: that the culprit is among the named suspects, one where it is found. Of the
mixed trials a third has commits that fail alike, in the others their rates vary by commit, half as
much or as much as in the worlds unlike the model; each third has a row of its own too.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np

from kbisect.bisect import rates
from kbisect.bisect.price import Costs
from kbisect.bisect.reach import Reach
from kbisect.bisect.simulation import Bench, Trial, World, straight

TRIALS = int(os.environ.get("KBISECT_BENCH_CALIBRATION", "20000"))
_CHUNK = 250

SPREADS = (0.0, 0.5, 1.0)
"""By how much rates vary by commit in the mixed trials, in log odds."""

BENT = {
    "rates vary by commit (1 in log odds)": World(by_commit=1.0),
    "rates vary by worker (1 in log odds)": World(by_worker=1.0),
    "5 % of the runs fall in bursts": World(bursts=0.05),
}


def report() -> Iterator[tuple[str, str, str]]:
    """Give rows: what, the figures, what to reach."""
    with ProcessPoolExecutor(2) as pool:
        chunks = -(-TRIALS // _CHUNK)
        mixed = [each for part in pool.map(_mixed, range(chunks)) for each in part]
        found = [trial for _, trial in mixed]
        yield from _rows(f"calibration, {len(found):,} mixed trials", found, bins=True)
        for spread in SPREADS:
            found = [trial for each, trial in mixed if each == spread]
            what = f"varying by {spread} in log odds" if spread else "commits alike"
            yield from _rows(f"  {what} ({len(found):,})", found, "true >= stated - 0.03")
        found = [each for part in pool.map(_own, range(chunks // 10)) for each in part]
        yield from _rows(f"  worlds drawn from the prior ({len(found):,})", found)
        for number, what in enumerate(BENT):
            parts = pool.map(_bent, [(what, 1000 * number + i) for i in range(chunks // 10)])
            found = [each for part in parts for each in part]
            stated, right = _shares(found)
            yield (
                f"  {what} ({len(found):,})",
                f"stated {stated.mean():.4f}, true {right.mean():.4f}",
                "stated <= true + 0.03",
            )


def _shares(found: list[Trial]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([t.confidence for t in found]), np.array([t.held for t in found])


def _rows(
    what: str, found: list[Trial], aim: str = "within 0.01", bins: bool = False
) -> Iterator[tuple[str, str, str]]:
    stated, right = _shares(found)
    yield what, f"stated {stated.mean():.4f}, true {right.mean():.4f}", aim
    if not bins:
        return
    for low in np.arange(0.95, 1, 0.01):
        inside = (stated >= low) & (stated < low + 0.01)
        count = int(inside.sum())
        if count >= 500:
            least, most = _interval(int(right[inside].sum()), count)
            mean = stated[inside].mean()
            yield (
                f"  {low:.2f} to {low + 0.01:.2f} ({count})",
                f"stated {mean:.4f}, true {least:.4f} to {most:.4f}",
                "inside" if least <= mean <= most else "inside: IT IS NOT",
            )
    endings = Counter(trial.ending for trial in found)
    yield "  endings", ", ".join(f"{n} {name}" for name, n in endings.most_common()), ""


def _interval(right: int, count: int) -> tuple[float, float]:
    """Wilson's interval, 99.9 %."""
    z = 3.2905
    share = right / count
    middle = (share + z * z / 2 / count) / (1 + z * z / count)
    width = z / (1 + z * z / count) * (share * (1 - share) / count + z * z / 4 / count**2) ** 0.5
    return middle - width, middle + width


def _trial(world: World, rng: np.random.Generator, workers: int = 1) -> Iterator[Trial]:
    line = straight(int(rng.integers(4, 48)))
    costs = Costs(float(rng.choice([0, 2, 5])), 1)
    bench = Bench(line, Reach.of(line.graph), np.ones(len(line)), world, costs, workers=workers)
    return bench.trials([int(rng.integers(len(line)))], rng)


def _mix(rng: np.random.Generator) -> World:
    repro = float(rng.choice([1, 1, 1, 0.95, 0.9, 0.7, 0.5, 0.3, 0.2]))
    false = float(rng.choice([0, 0, 0, 0.05, 0.1])) if repro >= 0.5 else 0.0
    return World(repro, false, untied=bool(rng.random() < 0.1 and repro < 0.95))


def _mixed(seed: int) -> list[tuple[float, Trial]]:
    rng = np.random.default_rng((7, seed))
    found = []
    for _ in range(_CHUNK):
        spread = float(rng.choice(SPREADS))
        found += [(spread, trial) for trial in _trial(replace(_mix(rng), by_commit=spread), rng)]
    return found


def _own(seed: int) -> list[Trial]:
    rng, prior = np.random.default_rng((8, seed)), rates.learned()
    spreads, shares = zip(*rates.SPREADS, strict=True)
    found: list[Trial] = []
    for _ in range(_CHUNK):
        spread = float(rng.choice(spreads, p=shares))
        untied = rng.random() < prior.none
        if untied:
            means = [float(rng.choice(prior.untied, p=prior.untied_weight)), 0.0]
        else:
            pair = int(rng.choice(len(prior.fail), p=prior.weight))
            means = [float(prior.fail[pair]), float(prior.false[pair])]
        # The prior tells the mean of all commits' rates, a world the middle one.
        fail, false = rates.own(np.array(means), spread)[:, len(rates.SHARES) // 2].tolist()
        found += _trial(World(fail, false, untied=untied, by_commit=spread), rng)
    return found


def _bent(what: tuple[str, int]) -> list[Trial]:
    bend, rng = BENT[what[0]], np.random.default_rng((9, what[1]))
    found: list[Trial] = []
    for _ in range(_CHUNK):
        mixed = _mix(rng)
        world = replace(bend, repro=mixed.repro, false_fail=mixed.false_fail, untied=mixed.untied)
        found += _trial(world, rng, workers=3 if bend.by_worker else 1)
    return found

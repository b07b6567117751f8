# SPDX-License-Identifier: GPL-2.0-or-later
"""Bisections of planted culprits: what would this cost, how often is it right? Pure.

The world decides each run by its own rates; the search isn't told them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from kbisect.bisect.candidates import Candidates
from kbisect.bisect.gitrule import GitRule
from kbisect.bisect.price import Costs
from kbisect.bisect.rates import Floats, Rates, learned
from kbisect.bisect.reach import Reach
from kbisect.bisect.search import GOOD_END, Choice, Search
from kbisect.bisect.stopping import Ending, Stop
from kbisect.bisect.verdict import Verdict
from kbisect.history.graph import Mask

LIMIT = 5000
"""Runs after which a trial is given up."""


def name(number: int) -> str:
    """Return an oid for a commit that is only thought of; their first digits differ, as in git."""
    return f"{(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276B % (1 << 160):040x}"


def straight(size: int) -> Candidates:
    """Return so many commits in a row."""
    rows = [(name(i), i, [name(i - 1)] if i else []) for i in reversed(range(size))]
    return Candidates.build(rows)


@dataclass(frozen=True, slots=True)
class World:
    """How the tests behave.

    Attributes
    ----------
    repro, false_fail : rates of failing with and without the culprit
    untied : whether every commit fails at the rate of reproduction, the ends too
    blocks : sizes of blocks that can't be tested; below 1 a share of the range
    time_sigma : of the logarithm of a run's time
    by_commit, by_worker : rates that aren't 0 or 1 vary so much, in log odds
    bursts : share of the runs that fall in a burst, in which every other run fails anyhow
    """

    repro: float = 1.0
    false_fail: float = 0.0
    untied: bool = False
    blocks: tuple[float, ...] = ()
    time_sigma: float = 0.0
    by_commit: float = 0.0
    by_worker: float = 0.0
    bursts: float = 0.0


class Weather:
    """What bends the rates of one trial: its commits, its workers, and bursts of failures."""

    LONG = 4.0
    """Mean length of a burst, in runs."""

    def __init__(self, world: World, size: int, workers: int, rng: np.random.Generator) -> None:
        self._world, self._rng, self._burst = world, rng, False
        self._commit = world.by_commit * rng.standard_normal(size + 1) if world.by_commit else None
        self._worker = world.by_worker * rng.standard_normal(workers) if world.by_worker else None

    def fails(self, rate: float, position: int) -> bool:
        """Draw whether a run fails."""
        world, rng = self._world, self._rng
        if 0 < rate < 1 and (self._commit is not None or self._worker is not None):
            odds = np.log(rate / (1 - rate))
            odds += self._commit[position] if self._commit is not None else 0
            odds += rng.choice(self._worker) if self._worker is not None else 0
            rate = float(1 / (1 + np.exp(-odds)))
        if world.bursts:
            ends = 1 / self.LONG
            begins = ends * world.bursts / (1 - world.bursts)
            self._burst = rng.random() < (1 - ends if self._burst else begins)
            if self._burst and rng.random() < 0.5:
                return True
        return rate >= 1 or (rate > 0 and rng.random() < rate)


@dataclass(frozen=True, slots=True)
class Trial:
    """One bisection: how it ended and what it took.

    Attributes
    ----------
    held : what was said holds: the culprit is among the suspects, or there is none
    tests : runs of the search; every run, once answers contradicted each other
    runs : with those that only repeat a test to confirm it, and those that were cancelled
    time_found : when one suspect was left, before the confirmation
    """

    correct: bool
    held: bool
    ending: str
    tests: int
    runs: int
    builds: int
    skips: int
    cancelled: int
    cost: float
    time: float
    time_found: float
    suspects: int
    confidence: float


@dataclass(slots=True)
class Meter:
    """What a trial has taken so far."""

    costs: Costs
    rng: np.random.Generator
    sigma: float
    built: set[int] = field(default_factory=set)
    runs: int = 0
    repeats: int = 0
    builds: int = 0
    skips: int = 0
    cancelled: int = 0
    cost: float = 0.0
    clock: float = 0.0
    found: float = 0.0

    def take(self, position: int, verdict: Verdict) -> float:
        """Account for a run; return the time it takes."""
        spent = self.costs.test * (self.costs.bad_ratio if verdict is Verdict.BAD else 1)
        if position not in self.built:
            # What can't be tested is found out by trying to build it.
            self.built.add(position)
            self.builds += 1
            spent += self.costs.build
        self.runs += 1
        self.skips += verdict is Verdict.SKIP
        self.cost += spent
        if self.sigma:
            spent *= float(np.exp(self.sigma * self.rng.standard_normal() - self.sigma**2 / 2))
        return spent


@dataclass(frozen=True, slots=True)
class Bench:
    """What trials on one range share.

    Attributes
    ----------
    candidates, reach : the range
    believed : the costs as the search knows them, where they aren't the true ones
    prior : float64[N], by position
    """

    candidates: Candidates
    reach: Reach
    prior: Floats
    world: World = field(default_factory=World)
    costs: Costs = field(default_factory=Costs)
    rates: Rates = field(default_factory=learned)
    confidence: float = 0.95
    workers: int = 1
    believed: Costs | None = None

    def trials(self, culprits: Sequence[int], rng: np.random.Generator) -> Iterator[Trial]:
        """Run one trial for each culprit (a position)."""
        for culprit in culprits:
            yield self.trial(culprit, self.broken(rng), rng)

    def baseline(self, culprits: Sequence[int], rng: np.random.Generator) -> Iterator[Trial]:
        """Do the same by git's own rule, one test at a time."""
        for culprit in culprits:
            yield self._by_git(culprit, self.broken(rng), rng)

    def trial(self, culprit: int, broken: Mask, rng: np.random.Generator) -> Trial:
        """Run one, on a range of which some commits can't be tested; by position."""
        search = Search(
            self.candidates.graph,
            self.reach,
            self.prior,
            self.rates,
            self.believed or self.costs,
            self.confidence,
        )
        meter = Meter(self.costs, rng, self.world.time_sigma)
        weather = Weather(self.world, len(self.reach), self.workers, rng)
        running: list[tuple[float, int, int, Verdict]] = []
        stop: Stop | None = None
        found = np.inf
        while meter.runs < LIMIT:
            planned: Choice | Stop | None = None
            while len(running) < self.workers:
                planned = search.next([each[2] for each in running])
                if not isinstance(planned, Choice):
                    break
                verdict = self._answer(planned.position, culprit, broken, weather)
                ends = meter.clock + meter.take(planned.position, verdict)
                heapq.heappush(running, (ends, meter.runs, planned.position, verdict))
            if isinstance(planned, Stop):
                stop = planned
                meter.cancelled += len(running)
                break
            meter.clock, _, position, verdict = heapq.heappop(running)
            meter.repeats += search.repeats(position)
            search.hear(position, verdict)
            known = int(search.belief.suspects().sum()) == 1
            found = (meter.clock if np.isinf(found) else found) if known else np.inf
            if running:
                kept = [each for each in running if not search.idle(each[2])]
                meter.cancelled += len(running) - len(kept)
                running = kept
                heapq.heapify(running)
        contradicted = not search.belief.suspects().any()
        tests = meter.runs - meter.cancelled - (0 if contradicted else meter.repeats)
        stop = stop or Stop(Ending.UNRESOLVED, (), 0.0)
        meter.found = min(found, meter.clock)
        return self._told(stop, tests, meter, culprit, broken)

    def _by_git(self, culprit: int, broken: Mask, rng: np.random.Generator) -> Trial:
        rule = GitRule(self.reach)
        meter = Meter(self.costs, rng, self.world.time_sigma)
        weather = Weather(self.world, len(self.reach), self.workers, rng)
        while (position := rule.next()) is not None:
            verdict = self._answer(position, culprit, broken, weather)
            meter.clock += meter.take(position, verdict)
            rule.hear(position, verdict)
        meter.found = meter.clock
        left = tuple(np.flatnonzero(rule.left).tolist())
        ending = Ending.CULPRIT if len(left) == 1 else Ending.RANGE
        return self._told(Stop(ending, left, 1.0), meter.runs, meter, culprit, broken)

    def _told(self, stop: Stop, tests: int, meter: Meter, culprit: int, broken: Mask) -> Trial:
        if self.world.untied:
            correct = stop.ending is Ending.NO_CULPRIT
        elif stop.ending is Ending.CULPRIT:
            correct = stop.positions == (culprit,)
        elif stop.ending is Ending.RANGE:
            cell = self.reach.inseparable(broken)
            correct = set(np.flatnonzero(cell == cell[culprit]).tolist()) == set(stop.positions)
        else:
            correct = False
        held = stop.ending is Ending.NO_CULPRIT if self.world.untied else culprit in stop.positions
        return Trial(
            correct=correct,
            held=held,
            ending=str(stop.ending),
            tests=tests,
            runs=meter.runs,
            builds=meter.builds,
            skips=meter.skips,
            cancelled=meter.cancelled,
            cost=meter.cost,
            time=meter.clock,
            time_found=meter.found,
            suspects=len(stop.positions),
            confidence=stop.confidence,
        )

    def _answer(self, position: int, culprit: int, broken: Mask, weather: Weather) -> Verdict:
        if position != GOOD_END and broken[position]:
            return Verdict.SKIP
        has = position != GOOD_END and any(
            low <= culprit < high for low, high in self.reach.within(position)
        )
        rate = self.world.repro if has or self.world.untied else self.world.false_fail
        return Verdict.BAD if weather.fails(rate, position) else Verdict.GOOD

    def broken(self, rng: np.random.Generator) -> Mask:
        """Draw the blocks of one trial: one commit breaks the build, a later one repairs it.

        All that contain the first and not the second can't be tested; on a line, so many in a row.
        """
        size = len(self.reach)
        broken = np.zeros(size, np.bool_)
        for block in self.world.blocks:
            length = min(round(block * size) if block < 1 else int(block), size - 1)
            lost_by = self.reach.holders(np.ones(size))
            breakers = np.flatnonzero(lost_by > length)
            breaker = int(breakers[rng.integers(len(breakers))])
            lost = self.reach.containing(breaker)
            saved = np.abs(lost_by[breaker] - lost_by - length)
            repair = int(np.argmin(np.where(lost, saved, np.inf)))
            broken |= lost & ~self.reach.containing(repair)
        broken[-1] = False  # the bad end was seen to fail
        return broken


def summary(trials: Sequence[Trial]) -> dict[str, object]:
    """Return the figures of some trials, under the keys that others rely on."""
    table = {
        name: np.array([float(getattr(trial, name)) for trial in trials])
        for name in (
            *("correct", "held", "tests", "runs", "builds", "skips", "cancelled"),
            *("cost", "time", "time_found", "suspects", "confidence"),
        )
    }
    endings: dict[str, int] = {}
    for trial in trials:
        endings[trial.ending] = endings.get(trial.ending, 0) + 1
    found: dict[str, object] = {
        "trials": len(trials),
        "correct": int(table["correct"].sum()),
        "accuracy": round(float(table["correct"].mean()), 4),
        "tests_p95": float(np.percentile(table["tests"], 95)),
        "tests_max": int(table["tests"].max()),
        "outcomes": endings,
    }
    for name, values in table.items():
        if name != "correct":
            found[f"{name}_mean"] = round(float(values.mean()), 4)
    return found

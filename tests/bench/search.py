# SPDX-License-Identifier: GPL-2.0-or-later
"""The search against git's own rule and git_bayesect, row by row: `python -m tests.bench.search`.

KBISECT_BAYESECT_PYTHON names a Python that can import git_bayesect; without it its columns are
empty. KBISECT_BENCH_TRIALS is the number of trials a row (300), KBISECT_BENCH_SEED the seed, and
KBISECT_BENCH_ROWS names the groups of rows that are wanted (`blocks,noise`), else all are.
"""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from kbisect.bisect import priors
from kbisect.bisect.candidates import Candidates
from kbisect.bisect.gitrule import GitRule
from kbisect.bisect.price import Costs
from kbisect.bisect.rates import learned
from kbisect.bisect.reach import Reach
from kbisect.bisect.search import Search
from kbisect.bisect.simulation import Bench, Trial, World, straight, summary
from kbisect.bisect.verdict import Verdict
from kbisect.git.repository import Repository
from kbisect.lab import suspicion
from kbisect.lab.ranges import candidates_of
from tests.bench import calibration
from tests.bench.measure import KBISECT, repository, seconds
from tests.bench.proof import least_answers

GOOD = "61c4f2c81c61f73549928dfd9f3e8f26aa36a8cf"  # v2.6.39
BAD = "02f8c6aee8df3cdc935e9bdd4f2d020306035dbe"  # v3.0
OLDER = "8e0ee43bc2c3e19db56a4adaa9a9b04ce885cd84"  # v2.6.29: over 100,000 commits
FOLDERS = (
    *("net/ipv4", "net/ipv6", "net/core", "net/mac80211", "net/wireless", "net/bluetooth"),
    *("net/netfilter", "net/batman-adv", "net/sctp", "net/can", "net/packet", "net/bridge"),
    *("drivers/net/wireless/ath", "drivers/net/wireless/iwlegacy", "drivers/net/ixgbe"),
    *("drivers/net/bnx2x", "drivers/net/igb", "drivers/net/usb", "drivers/net/sfc"),
    *("drivers/net/e1000e", "drivers/net/can", "drivers/net/wireless/rtlwifi"),
)
TRIALS = int(os.environ.get("KBISECT_BENCH_TRIALS", "300"))
SEED = int(os.environ.get("KBISECT_BENCH_SEED", "1"))
DEAR = Costs(5, 1)
GROUPS = (
    *("blocks", "certain", "noise", "varying", "untied", "workers", "unequal"),
    *("real", "calibration", "git"),
)


def row(what: str, ours: object, peer: object, aim: str) -> None:
    """Print one row."""
    print(f"{what:<52} {ours!s:<42} {peer!s:<34} {aim}", flush=True)


def run(net: Path | None) -> None:
    """Measure the search: on a linear range, and on a real one where there is a repository."""
    wanted = set(os.environ.get("KBISECT_BENCH_ROWS", ",".join(GROUPS)).split(","))
    if unknown := wanted.difference(GROUPS):
        raise SystemExit(
            f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}"
        )
    print(f"\nSearch ({TRIALS} trials a row, seed {SEED})")
    row("", "kbisect", "peer", "to reach")
    linear_range(wanted)
    if net is not None and "real" in wanted:
        real_range(net)
    if "calibration" in wanted:
        for what, ours, aim in calibration.report():
            row(what, ours, "", aim)
    if "git" in wanted:
        against_real_git()


def _both(bench: Bench, culprits: list[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    ours = summary(list(bench.trials(culprits, np.random.default_rng((SEED, 1)))))
    return ours, summary(list(bench.baseline(culprits, np.random.default_rng((SEED, 1)))))


def _each(bench: Bench, culprits: list[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do the same, and tell how many tests more than git's one culprit took at most."""
    ours = list(bench.trials(culprits, np.random.default_rng((SEED, 1))))
    git = list(bench.baseline(culprits, np.random.default_rng((SEED, 1))))
    extra = max(a.tests - b.tests for a, b in zip(ours, git, strict=True))
    return {**summary(ours), "extra": extra}, summary(git)


def _bayesect(world: World, size: int, build: float) -> dict[str, float] | None:
    python = os.environ.get("KBISECT_BAYESECT_PYTHON")
    if not python:
        return None
    script = Path(__file__).with_name("bayesect.py")
    numbers = (world.repro, world.false_fail, size, TRIALS, SEED, build, world.by_commit)
    words = [str(number) for number in numbers]
    done = subprocess.run([python, script, *words], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def linear_range(wanted: Collection[str]) -> None:
    """1,024 commits in a row."""
    line = straight(1024)
    reach, flat = Reach.of(line.graph), np.ones(1024)
    culprits = np.random.default_rng(SEED).integers(1024, size=TRIALS).tolist()

    def bench(**options: Any) -> Bench:
        return Bench(line, reach, flat, **options)

    for name, rows in (
        ("blocks", _blocks),
        ("certain", _certain),
        ("noise", _noise),
        ("varying", _varying),
        ("untied", _untied),
        ("workers", _workers),
        ("unequal", _unequal),
    ):
        if name in wanted:
            rows(bench, culprits)


def _blocks(bench: Callable[..., Bench], culprits: list[int]) -> None:
    for what, blocks, aim in (
        ("one block of 30 % can't be tested", (0.3,), "<= 30 tests, exact suspects"),
        ("five blocks of 6 %", (0.06,) * 5, "<= 70 tests, exact suspects"),
    ):
        ours, git = _both(bench(world=World(blocks=blocks)), culprits)
        row(
            what,
            f"{ours['tests_mean']:.1f} tests, exact {ours['accuracy']:.3f}",
            f"git {git['tests_mean']:.1f}",
            aim,
        )


def _certain(bench: Callable[..., Bench], culprits: list[int]) -> None:
    ours, git = _both(bench(costs=DEAR), culprits)
    row(
        "reproduction 100 %, build 5, test 1",
        f"cost {ours['cost_mean']:.1f}, right {ours['accuracy']:.3f}",
        f"git {git['cost_mean']:.1f}",
        "<= 1.1 x git",
    )


def _noise(bench: Callable[..., Bench], culprits: list[int]) -> None:
    for repro, false in ((0.5, 0), (0.2, 0), (0.1, 0), (0.9, 0.1), (0.8, 0.2)):
        costs = DEAR if not false else Costs(0, 1)
        world = World(repro, false)
        ours, _ = _both(bench(world=world, costs=costs), culprits)
        peer = _bayesect(world, 1024, costs.build)
        said = "git_bayesect was not measured"
        if peer:
            said = (
                f"bayesect {peer['accuracy']:.2f}, {peer['tests']:.1f} runs, "
                f"{peer['builds']:.1f} builds, cost {peer['cost']:.0f}"
            )
        row(
            f"fails {repro:.0%} with it, {false:.0%} without",
            f"right {ours['accuracy']:.3f}, {ours['runs_mean']:.1f} runs, "
            f"{ours['builds_mean']:.1f} builds, cost {ours['cost_mean']:.0f}",
            said,
            "right .95, runs <= peer's" if false else "right .95, <= 13 builds, cost <= .5 x",
        )


def _varying(_: Callable[..., Bench], culprits: list[int]) -> None:
    """Every commit has rates of its own; 64 commits, so that its neighbours are all that matters.

    git_bayesect states no confidence at the end but stops at .95.
    """
    line = straight(64)
    culprits = [culprit % 64 for culprit in culprits]
    for repro, false in ((0.5, 0), (0.2, 0), (0.8, 0.1), (0.9, 0.1)):
        world = World(repro, false, by_commit=1.0)
        bench = Bench(line, Reach.of(line.graph), np.ones(64), world, DEAR)
        ours = summary(list(bench.trials(culprits, np.random.default_rng((SEED, 1)))))
        peer = _bayesect(world, 64, DEAR.build)
        row(
            f"{repro:.0%} with it, {false:.0%} without, 1 in log odds apart",
            f"stated {ours['confidence_mean']:.3f}, held {ours['held_mean']:.3f}, "
            f"cost {ours['cost_mean']:.0f}",
            f"bayesect right {peer['accuracy']:.3f}, cost {peer['cost']:.0f}" if peer else "",
            "stated <= held + .03",
        )


def _untied(bench: Callable[..., Bench], culprits: list[int]) -> None:
    for rate in (0.3, 0.7):
        ours, _ = _both(bench(world=World(rate, untied=True), costs=DEAR), culprits)
        row(f"not tied, fails {rate:.0%} everywhere", ours["outcomes"], "", ">= 99 % no culprit")


def _unequal(bench: Callable[..., Bench], culprits: list[int]) -> None:
    true = Costs(0, 1, 0.1)
    known, _ = _both(bench(costs=true), culprits)
    blind, _ = _both(bench(costs=true, believed=Costs(0, 1)), culprits)
    row(
        "good runs take 10 x as long as bad ones",
        f"{known['time_mean']:.2f}",
        f"not knowing it {blind['time_mean']:.2f}",
        "<= 0.8 x",
    )


def _workers(bench: Callable[..., Bench], culprits: list[int]) -> None:
    for count in (3, 7, 15):
        ours, _ = _both(bench(workers=count, costs=Costs(0, 1)), culprits)
        floor = math.ceil(math.log(1024, count + 1) - 1e-9)
        row(
            f"{count} workers, equal times",
            f"{ours['time_found_mean']:.2f} rounds, {ours['time_mean']:.2f} confirmed",
            "",
            f"<= {floor} + 1 rounds",
        )
    spread = World(time_sigma=0.5)
    alone, _ = _both(bench(world=spread, costs=Costs(0, 1)), culprits)
    for count, aim in ((3, 2.0), (7, 3.0)):
        ours, _ = _both(bench(workers=count, world=spread, costs=Costs(0, 1)), culprits)
        row(
            f"{count} workers, lognormal times",
            f"{alone['time_mean'] / ours['time_mean']:.2f} x"
            f" ({alone['time_found_mean'] / ours['time_found_mean']:.2f} x before confirmation)",
            f"one {alone['time_mean']:.2f}",
            f">= {aim} x, same culprit {ours['accuracy']:.2f}",
        )


def real_range(net: Path) -> None:
    """v2.6.39..v3.0 of the net tree."""
    work = Path(tempfile.mkdtemp(prefix="kbisect-bench-"))
    try:
        seconds([*KBISECT, "-C", net, "--store", work, "index"])
        _real(Repository.open(net, work), net, work)
    finally:
        shutil.rmtree(work)


def _real(repo: Repository, net: Path, work: Path) -> None:
    candidates = candidates_of(repo, BAD, [GOOD])
    reach, size = Reach.of(candidates.graph), len(candidates)
    rng = np.random.default_rng(1)
    in_scope = suspicion.in_scope(repo, candidates)
    assert in_scope is not None

    def measured(prior: priors.Prior, among: Any, count: int) -> tuple[Any, Any]:
        numbers = rng.permutation(np.flatnonzero(among))[:count]
        bench = Bench(candidates, reach, prior.weights[reach.order], costs=DEAR)
        return _each(bench, reach.position[numbers].tolist())

    everywhere = np.ones(size, np.bool_)
    default = suspicion.weigh(repo, candidates)
    many = max(TRIALS, 1000)
    for what, prior, among, aim in (
        ("real range, deterministic, flat", priors.flat(size), everywhere, "<= git + 0.05"),
        ("  culprit in scope", default, in_scope, "<= 0.85 x"),
        ("  culprit outside", default, ~in_scope, "mean +3, most +6, found"),
    ):
        ours, git = measured(prior, among, many)
        row(
            what,
            f"{ours['tests_mean']:.3f} tests, most {ours['tests_max']}, "
            f"right {ours['accuracy']:.3f}, most extra {ours['extra']}",
            f"git {git['tests_mean']:.3f}, most {git['tests_max']}",
            aim,
        )
    ratios, extra = [], []
    for folder in FOLDERS:
        named = suspicion.touching(repo, candidates, BAD, [GOOD], [folder])
        if not named.any():
            continue
        prior = suspicion.weigh(repo, candidates, named)
        ours, git = measured(prior, named, 12)
        ratios.append(ours["tests_mean"] / git["tests_mean"])
        ours, git = measured(prior, ~named, 6)
        extra.append(ours["tests_mean"] - git["tests_mean"])
        assert ours["accuracy"] == 1, folder
    row(
        f"  --suspect its folder ({len(ratios)} folders)",
        f"{np.mean(ratios):.3f} x; elsewhere {np.mean(extra):+.1f} tests",
        "",
        "<= 0.55 x, always found",
    )
    weights = default.weights[reach.order]
    for what, world in (("  reproduction 50 %", World(0.5)), ("  90 % / 10 %", World(0.9, 0.1))):
        bench = Bench(candidates, reach, weights, world, DEAR)
        place = [int(reach.position[5000])]
        ours = summary(list(bench.trials(place, np.random.default_rng((SEED, 1)))))
        row(
            what + ", one run",
            f"{ours['runs_mean']:.0f} runs, {ours['builds_mean']:.0f} builds, {ours['outcomes']}",
            "",
            "",
        )
    _block(Bench(candidates, reach, weights, World(blocks=(0.3,))), rng)
    for what, good, aim in (("this range", GOOD, "< 0.3 s"), ("v2.6.29..v3.0", OLDER, "< 3 s")):
        chosen = candidates if good == GOOD else candidates_of(repo, BAD, [good])
        began = time.process_time()
        wide = Reach.of(chosen.graph)
        Search(chosen.graph, wide, np.ones(len(wide)), learned()).next()
        took = time.process_time() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        row(
            f"  choosing, {what} ({len(chosen):,})",
            f"{took:.3f} s CPU, peak {memory} MB with all of the bench",
            "",
            aim,
        )
    _commands(candidates, net, work)


def _block(bench: Bench, rng: np.random.Generator) -> None:
    """One broken block of 30 %, the culprit outside it and inside."""
    kinds: dict[bool, list[tuple[Trial, int]]] = {False: [], True: []}
    while min(map(len, kinds.values())) < 5:
        culprit, broken = int(rng.integers(len(bench.reach))), bench.broken(rng)
        trial = bench.trial(culprit, broken, rng)
        least = least_answers(bench.reach, culprit, broken)
        kinds[trial.ending != "culprit"].append((trial, least))
    limit = 3 * math.ceil(math.log2(len(bench.reach)))
    for what, trials in (("found", kinds[False]), ("inside it", kinds[True])):
        runs = sorted(trial.runs for trial, _ in trials)
        row(
            f"  one block of 30 %, culprit {what} ({len(trials)})",
            f"{np.mean(runs):.0f} runs, {runs[0]} to {runs[-1]}, "
            f"exact {np.mean([trial.correct for trial, _ in trials]):.2f}",
            f"any search: >= {np.mean([least for _, least in trials]):.0f} answers",
            f"<= {limit}, exact",
        )


def _commands(candidates: Candidates, net: Path, work: Path) -> None:
    """Six bisections by the command itself."""
    script = work / "ancestry.sh"
    for number in np.random.default_rng(2).integers(len(candidates), size=6).tolist():
        culprit = candidates.graph.oids[number]
        script.write_text(
            f'#!/bin/sh\ngit -C {net} merge-base --is-ancestor {culprit} "$KBISECT_COMMIT"'
            " && exit 1\nexit 0\n"
        )
        script.chmod(0o755)
        words = ["--good", GOOD, "--bad", BAD, "--no-checkout", str(script)]
        done = subprocess.run(
            [*KBISECT, "-C", net, "--store", work, "bisect", "run", "--json", *words],
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout)
        row(
            f"  kbisect bisect run, {culprit[:12]}",
            f"{found['tests']} tests and {found['tests_confirm']} to confirm, "
            f"{'right' if found['culprit'] == culprit else 'WRONG'}",
            "",
            "right",
        )


def against_real_git() -> None:
    """The baseline is git's rule: the same number of tests as `git bisect run`, blocks too."""
    work = Path(tempfile.mkdtemp(prefix="kbisect-bench-"))
    size = 300
    try:
        subprocess.run(["git", "init", "-q", "--bare", work], check=True)
        stream = "".join(
            f"commit refs/heads/master\nmark :{i + 1}\ncommitter A <a@example.org> {i} +0000\n"
            f"data 0\n" + (f"from :{i}\n" if i else "")
            for i in range(size + 1)
        )
        command = ["git", "-C", str(work)]
        subprocess.run([*command, "fast-import", "--quiet"], input=stream.encode(), check=True)
        listed = subprocess.run(
            [*command, "rev-list", "--reverse", "master"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        reach = Reach.of(straight(size).graph)
        for culprit, block in ((17, range(0)), (170, range(0)), (200, range(100, 190))):
            rule, ours = GitRule(reach), 0
            while (position := rule.next()) is not None:
                ours += 1
                verdict = Verdict.BAD if position >= culprit else Verdict.GOOD
                rule.hear(position, Verdict.SKIP if position in block else verdict)
            theirs = _git_tests(command, work, listed, culprit, block)
            row(f"git's rule here and in git, culprit {culprit}", ours, theirs, "about the same")
    finally:
        shutil.rmtree(work)


def _git_tests(command: list[str], work: Path, oids: list[str], culprit: int, block: range) -> int:
    number = {oid: index - 1 for index, oid in enumerate(oids)}
    subprocess.run(
        [*command, "bisect", "start", "--no-checkout", oids[-1], oids[0]],
        capture_output=True,
        check=True,
    )
    tests = 0
    while tests < 2 * len(oids):
        head = (work / "BISECT_HEAD").read_text().strip()
        word = "bad" if number[head] >= culprit else "good"
        word = "skip" if number[head] in block else word
        tests += 1
        done = subprocess.run(
            [*command, "bisect", word, head], capture_output=True, text=True, check=False
        )
        if "first bad commit" in done.stdout or done.returncode:
            break
    subprocess.run([*command, "bisect", "reset"], capture_output=True, check=False)
    return tests


if __name__ == "__main__":
    run(repository())

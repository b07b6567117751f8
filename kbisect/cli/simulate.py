# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect bisect simulate`: what a bisection will cost, by trying it on planted culprits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from kbisect.cli.amounts import Amount
from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import UsageError
from kbisect.report import simulation as report

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kbisect.bisect.candidates import Candidates
    from kbisect.bisect.priors import Prior
    from kbisect.history.graph import Mask

_SHARE = Amount(0, 1)
_POSITIVE = Amount(0)


@click.command()
@click.option("--good", metavar="REV", help="The good end of a real range.")
@click.option("--bad", metavar="REV", help="The bad end of a real range.")
@click.option(
    "--range-size",
    type=click.IntRange(1),
    metavar="N",
    help="A range of N commits in a row (1024, without a real one).",
)
@click.option("--culprit", default="random", metavar="REV|random", help="Which commit is planted.")
@click.option(
    "--among",
    type=click.Choice(["all", "in-scope", "outside", "suspected"]),
    default="all",
    help="Where random culprits come from.",
)
@click.option(
    "--prior",
    type=click.Choice(["default", "flat"]),
    default="default",
    help="What the search suspects beforehand.",
)
@click.option("--suspect", "suspects", multiple=True, metavar="PATH", help="Suspect this path.")
@click.option(
    "--strategy",
    type=click.Choice(["bayes", "blind", "git"]),
    default="bayes",
    help="Ours; ours without knowing the costs; git's.",
)
@click.option("--repro", type=_SHARE, default=1.0, help="How often a commit with it fails.")
@click.option("--false-fail", type=_SHARE, default=0.0, help="How often one without it fails.")
@click.option(
    "--by-commit",
    type=_POSITIVE,
    default=0.0,
    metavar="S",
    help="These rates vary by commit (standard deviation, in log odds; 1 is much).",
)
@click.option(
    "--by-worker",
    type=_POSITIVE,
    default=0.0,
    metavar="S",
    help="They vary by worker, in the same way.",
)
@click.option(
    "--bursts",
    type=Amount(0, 0.5),
    default=0.0,
    help="Share of the runs in bursts of failures, about four long.",
)
@click.option("--untied", is_flag=True, help="There is no culprit: every commit fails so often.")
@click.option(
    "--broken-block",
    "blocks",
    type=_POSITIVE,
    multiple=True,
    metavar="N",
    help="N commits in a row can't be tested (below 1: a share of the range).",
)
@click.option("--workers", type=click.IntRange(1), default=1, help="So many tests at a time.")
@click.option("--time-sigma", type=_POSITIVE, default=0.0, help="Spread of the times (lognormal).")
@click.option("--build-cost", type=_POSITIVE, default=5.0, help="Cost of a build (5).")
@click.option("--test-cost", type=_POSITIVE, default=1.0, help="Cost of a run that ends good (1).")
@click.option(
    "--bad-time-ratio", type=_POSITIVE, default=1.0, help="Time of a bad run against a good one."
)
@click.option(
    "--confidence",
    type=Amount(0.5, 0.9999),
    default=0.95,
    help="Stop at this confidence (0.95).",
)
@click.option("--trials", type=click.IntRange(1), default=200, help="So many bisections (200).")
@click.option("--seed", type=click.IntRange(0), default=1, help="Draw the same again (1).")
@json_option
@pass_session
def simulate(
    session: Session,
    good: str | None,
    bad: str | None,
    range_size: int | None,
    culprit: str,
    among: str,
    prior: str,
    suspects: tuple[str, ...],
    strategy: str,
    repro: float,
    false_fail: float,
    by_commit: float,
    by_worker: float,
    bursts: float,
    untied: bool,
    blocks: tuple[float, ...],
    workers: int,
    time_sigma: float,
    build_cost: float,
    test_cost: float,
    bad_time_ratio: float,
    confidence: float,
    trials: int,
    seed: int,
    as_json: bool,
) -> None:
    """Try the search on planted culprits, with git's own rule beside it.

    Nothing is tested or checked out: the answers are drawn. `tests` counts the runs of the search;
    runs that only repeat a test, to confirm what was found, are in `runs` and in the cost.

    Would five retries be enough? A test that fails one time in five fails two times in three when
    it is run five times and one failure counts: compare --repro 0.2 with --repro 0.67 --test-cost
    5. If some commits fail less often than others, say so with --by-commit 1.
    """
    import numpy as np

    from kbisect.bisect import priors
    from kbisect.bisect.price import Costs
    from kbisect.bisect.reach import Reach, Tangled
    from kbisect.bisect.simulation import Bench, World, summary

    if test_cost <= 0:
        raise UsageError("a test that costs nothing can't be weighed", hint="--test-cost 1")
    if (good is None) != (bad is None) or (good is not None and range_size is not None):
        raise UsageError(
            "a real range has two ends, and its own size",
            hint="--good REV --bad REV, or --range-size N",
        )
    candidates, in_scope, suspected, weigh = _range(
        session, good, bad, range_size or 1024, suspects
    )
    try:
        reach = Reach.of(candidates.graph)
    except Tangled:
        raise UsageError(
            "the range is too tangled to simulate", hint="choose ends that are nearer"
        ) from None
    weighed = priors.flat(len(candidates))
    if prior == "default":
        weighed = weigh(suspected)
    eligible = _eligible(session, candidates, culprit, among, in_scope, suspected)
    rng = np.random.default_rng(seed)
    rounds = [rng.permutation(eligible) for _ in range(-(-trials // len(eligible)))]
    culprits = reach.position[np.concatenate(rounds)[:trials]].tolist()
    bench = Bench(
        candidates=candidates,
        reach=reach,
        prior=weighed.weights[reach.order],
        world=World(repro, false_fail, untied, blocks, time_sigma, by_commit, by_worker, bursts),
        costs=Costs(build_cost, test_cost, bad_time_ratio),
        confidence=confidence,
        workers=workers,
        believed=Costs(build_cost, test_cost) if strategy == "blind" else None,
    )
    with_git = summary(list(bench.baseline(culprits, np.random.default_rng((seed, 1)))))
    ours = with_git
    if strategy != "git":
        ours = summary(list(bench.trials(culprits, np.random.default_rng((seed, 1)))))
    content = {
        **ours,
        "baseline": with_git,
        "candidates": len(candidates),
        "eligible": len(eligible),
        "prior": weighed.sources,
        "strategy": strategy,
        "confidence": confidence,
        "seed": seed,
    }
    session.answer("bisect-simulate", content, lambda style: report.text(content, style), as_json)


def _range(
    session: Session, good: str | None, bad: str | None, size: int, paths: tuple[str, ...]
) -> tuple[Candidates, Mask | None, Mask | None, Callable[[Mask | None], Prior]]:
    from kbisect.bisect import priors
    from kbisect.bisect.simulation import straight
    from kbisect.history.names import resolve

    if good is None or bad is None:
        if paths:
            raise UsageError(
                "--suspect needs a real range", hint="--good REV --bad REV, or leave it out"
            )
        return straight(size), None, None, lambda _: priors.flat(size)
    from kbisect.lab import suspicion
    from kbisect.lab.ranges import candidates_of, merge_bases

    repository = session.repository
    repository.require_whole_history()
    ends = [resolve(repository, name, session.say) for name in (good, bad)]
    merge_bases(repository, ends[1], ends[:1])  # refuses ends that make no sense
    candidates = candidates_of(repository, ends[1], ends[:1])
    in_scope = suspicion.in_scope(repository, candidates)
    if in_scope is None:
        session.say("without an index nobody knows what is in scope: kbisect index")
    named = None
    if paths:
        named = suspicion.touching(repository, candidates, ends[1], ends[:1], paths)
    return candidates, in_scope, named, partial(suspicion.weigh, repository, candidates)


def _eligible(
    session: Session,
    candidates: Candidates,
    culprit: str,
    among: str,
    in_scope: Mask | None,
    suspected: Mask | None,
) -> NDArray:  # type: ignore[type-arg]
    import numpy as np

    if culprit != "random":
        from kbisect.history.names import resolve

        oid = resolve(session.repository, culprit, session.say)
        if oid not in candidates.number:
            raise UsageError(
                f"{oid[:12]} is not in the range", hint="kbisect bisect simulate --culprit random"
            )
        return np.array([candidates.number[oid]])
    if among == "all":
        return np.arange(len(candidates))
    marked = suspected if among == "suspected" else in_scope
    if marked is None:
        hint = "--suspect PATH" if among == "suspected" else "kbisect index, and a real range"
        raise UsageError(f"nobody knows which commits are {among}", hint=hint)
    found = np.flatnonzero(~marked if among == "outside" else marked)
    if not len(found):
        raise UsageError(f"no candidate is {among}", hint="--among all")
    return found

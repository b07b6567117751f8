# SPDX-License-Identifier: GPL-2.0-or-later
"""The range of a campaign, read from git: its candidates, merge bases, and what is suspected."""

from __future__ import annotations

from collections.abc import Sequence

from kbisect.bisect import priors
from kbisect.bisect.candidates import Candidates
from kbisect.bisect.events import Started
from kbisect.bisect.reach import Reach, Tangled
from kbisect.bisect.view import Range
from kbisect.errors import UsageError
from kbisect.git import commits
from kbisect.git.repository import Repository
from kbisect.lab import suspicion


def read(
    repository: Repository,
    started: Started,
    bad: str,
    goods: tuple[str, ...],
    traced: Sequence[str] = (),
) -> Range:
    """Read the range between the ends.

    Parameters
    ----------
    traced : paths that the crash that is hunted went through

    Raises
    ------
    UsageError
        The ends make no sense, nothing in the range is suspected, or it is too tangled.
    """
    bases = merge_bases(repository, bad, goods, started.find_fix)
    candidates = candidates_of(repository, bad, goods, started.first_parent)
    prior = _prior(repository, started, candidates, bad, goods, traced)
    try:
        reach = Reach.of(candidates.graph)
    except Tangled:
        raise UsageError(
            f"the {len(candidates):,} commits of this range are too tangled to be weighed",
            hint="choose ends that are nearer, or --first-parent",
        ) from None
    return Range(candidates, reach, prior, bases)


def merge_bases(
    repository: Repository, bad: str, goods: Sequence[str], find_fix: bool = False
) -> tuple[str, ...]:
    """Return what must be tested first where a good end isn't an ancestor of the bad one.

    Where a fix is looked for, `bad` is the end that contains it.

    Raises
    ------
    UsageError
        The ends are equal, swapped, or have nothing in common.
    """
    found: dict[str, None] = {}
    for good in goods:
        if good == bad:
            raise UsageError(
                f"the good and the bad end are the same commit {bad[:12]}",
                hint="give two different ones: --good OLDER --bad NEWER",
            )
        bases = repository.merge_bases(bad, good)
        if not bases:
            raise UsageError(
                f"{good[:12]} and {bad[:12]} have no history in common",
                hint="give a --good whose history the --bad one contains",
            )
        if bad in bases and find_fix:
            raise UsageError(
                f"the ends look swapped: the good end {bad[:12]} is older than the bad end "
                f"{good[:12]}, and with --find-fix the bad end is the older one",
                hint=f"--find-fix --bad {bad[:12]} --good {good[:12]}",
            )
        if bad in bases:
            raise UsageError(
                f"the ends look swapped: the good end {good[:12]} contains the bad end {bad[:12]}",
                hint=f"--good {bad[:12]} --bad {good[:12]}",
            )
        found |= dict.fromkeys(base for base in bases if base != good)
    return tuple(found)


def candidates_of(
    repository: Repository, bad: str, goods: Sequence[str], first_parent: bool = False
) -> Candidates:
    """Read the commits of a range."""
    flags = ("--first-parent",) if first_parent else ()
    return Candidates.build(commits.walk(repository, [bad], goods, *flags), first_parent)


def _prior(
    repository: Repository,
    started: Started,
    candidates: Candidates,
    bad: str,
    goods: tuple[str, ...],
    traced: Sequence[str],
) -> priors.Prior:
    size, only = len(candidates), started.only
    if only:
        marked = suspicion.touching(repository, candidates, bad, goods, only)
        if not marked.any():
            raise UsageError(
                f"no commit of the range changes {' '.join(only)}", hint="leave --only out"
            )
        source = priors.Source(f"changes {' '.join(only)}", int(marked.sum()), 1.0)
        return priors.Prior(marked / marked.sum(), (source,))
    if started.flat:
        return priors.flat(size)
    named, through = (
        suspicion.touching(repository, candidates, bad, goods, paths) if paths else None
        for paths in (started.suspects, traced)
    )
    return suspicion.weigh(repository, candidates, named, through)

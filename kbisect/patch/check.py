# SPDX-License-Identifier: GPL-2.0-or-later
"""All rules of the list on a series, at one revision and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kbisect.git.repository import Repository
from kbisect.history.releases import Release, Window, window
from kbisect.history.store import Index
from kbisect.patch import newfiles, posting, style, tags, target
from kbisect.patch.maintainers import Desk
from kbisect.patch.rules import Level, Result, worst
from kbisect.patch.series import Series
from kbisect.patch.target import Target
from kbisect.patch.whereabouts import Base, Whereabouts, base_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say.

    Attributes
    ----------
    results : series first, then patch by patch
    target : the tree it should go to
    window : the merge window when it is sent, None where no release is known
    """

    results: tuple[Result, ...]
    target: Target
    window: Window | None

    @property
    def level(self) -> Level:
        """The most serious of all."""
        return worst(self.results)


def check(
    repository: Repository,
    series: Series,
    at: str,
    releases: Sequence[Release],
    now: Callable[[], float],
    further: Sequence[Result] = (),
    *,
    base: Base | None = None,
    index: Index | None = None,
) -> Verdict:
    """Check a series.

    Parameters
    ----------
    at : oid of the commit whose MAINTAINERS counts
    releases : those known; empty without an index
    now : the time, for what hasn't been sent yet (its Date: is then the author's)
    further : results of others, such as checkpatch's
    base : what has to have the commits that are fixed; None takes what the series was made on
    index : None where there is none; then no release is named
    """
    desk = Desk(repository, at)
    known = target.tips(repository)
    aim = target.choose(repository, series, desk.maintainers, known)
    whereabouts = Whereabouts(repository, base or base_of(repository, series), index, known)
    first = series.patches[0]
    sent = first.sent if first.mail.is_delivered else None
    seen = window(releases, int(sent or now())) if releases else None
    results = list(posting.check(repository, series, desk, aim, seen))
    results += newfiles.check(series, desk)
    for patch in series.patches:
        results += tags.check(repository, series, patch, whereabouts)
        results += style.check(patch.files, patch.subject.number)
    return Verdict((*results, *further), aim, seen)

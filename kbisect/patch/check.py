# SPDX-License-Identifier: GPL-2.0-or-later
"""All rules of the list on a series, at one revision and time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kbisect.git.repository import Repository
from kbisect.history.releases import Release, Window, window
from kbisect.patch import newfiles, posting, style, tags, target
from kbisect.patch.maintainers import Desk
from kbisect.patch.rules import Level, Result, worst
from kbisect.patch.series import Series
from kbisect.patch.target import Target


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
) -> Verdict:
    """Check a series.

    Parameters
    ----------
    at : oid of the commit whose MAINTAINERS counts
    releases : those known; empty without an index
    now : the time, for what hasn't been sent yet (its Date: is then the author's)
    further : results of others, such as checkpatch's
    """
    desk = Desk(repository, at)
    aim = target.choose(repository, series, desk.maintainers, target.tips(repository))
    is_mailed = series.source == "mail"
    first = series.patches[0]
    sent = first.sent if first.mail.is_delivered else None
    seen = window(releases, int(sent or now())) if releases else None
    results = list(posting.check(repository, series, desk, aim, seen))
    results += newfiles.check(series, desk)
    for patch in series.patches:
        results += tags.check(repository, patch, is_mailed=is_mailed)
        results += style.check(patch.files, patch.subject.number)
    return Verdict((*results, *further), aim, seen)

# SPDX-License-Identifier: GPL-2.0-or-later
"""A branch with the patches of a forecast that holds: all of them, or nothing is made."""

from __future__ import annotations

from email.utils import parseaddr

from kbisect.errors import UsageError
from kbisect.git import publishing
from kbisect.git.application import Applier
from kbisect.git.repository import Repository
from kbisect.patch.application import Outcome
from kbisect.patch.series import Patch, Series


def make(
    repository: Repository, applier: Applier, series: Series, outcome: Outcome, branch: str
) -> str:
    """Make a new branch of a series, with the authors, dates and messages of its mails.

    Returns
    -------
    str
        Oid of its tip.

    Raises
    ------
    UsageError
        A patch doesn't apply, is incomplete or names no author; the branch exists.
    """
    publishing.require_new(repository, branch)
    series.require_whole()
    for forecast in outcome.forecasts:
        if forecast.state.fails:
            raise UsageError(
                f"no branch made: {forecast.title}: {forecast.state.value}",
                hint="leave --branch out to see what is in the way",
            )
    tip = outcome.onto
    for patch, forecast in zip(series.patches, outcome.forecasts, strict=True):
        if forecast.state.holds and forecast.tree is not None:
            tip = publishing.commit(
                repository, applier.gitdir, forecast.tree, tip, _author(patch), patch.message
            )
    if tip == outcome.onto:
        raise UsageError("no branch made: all of it is there already", hint="nothing is left to do")
    publishing.publish(repository, applier.gitdir, tip, outcome.onto, branch)
    return tip


def _author(patch: Patch) -> tuple[str, str, str]:
    name, email = parseaddr(patch.mail.author)
    if "@" not in email:
        raise UsageError(
            f"no branch made: {patch.title} names no author",
            hint="give the mail, not only its diff",
        )
    return name, email, patch.mail.date

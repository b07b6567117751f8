# SPDX-License-Identifier: GPL-2.0-or-later
"""Test once more what a campaign found, whatever was tested before."""

from __future__ import annotations

from kbisect.bisect.moves import Try
from kbisect.bisect.verdict import Role
from kbisect.lab import fixed
from kbisect.lab.campaign import Campaign
from kbisect.lab.driver import Driver, Listener, Notice
from kbisect.lab.executors import Crew
from kbisect.lab.recipe import Recipe


def again(
    campaign: Campaign,
    crew: Crew,
    recipe: Recipe,
    listen: Listener | None = None,
    notice: Notice | None = None,
) -> None:
    """Run the culprit, its parents, the revert and the tips once more; the end stays as it is."""
    state = campaign.state
    end = state.finished
    assert end is not None
    assert end.culprit is not None
    culprit = end.culprit
    parents = campaign.searched.candidates.parents[campaign.searched.candidates.number[culprit]]
    tests = [Try(oid, Role.CONFIRM, 1) for oid in (culprit, *parents)]
    tip, others = state.ends
    if tip is not None:
        if tip != culprit and state.started.checkout and not state.started.find_fix:
            tests.append(Try(tip, Role.REVERT, 1, culprit))
        tips = fixed.tips(campaign.repository, (tip, *others))
        pairs = (each.rpartition("=") for each in tips)
        tests += [Try(oid, Role.TIP, 1, tree=tree) for tree, _, oid in pairs]
    driver = Driver(campaign, crew, recipe, listen, notice)
    driver.all_of(tests)
    campaign.append(end)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test tells about the culprit where answers may be wrong: bits for its price. Pure.

The bits are the mutual information of the answer and the culprit, the rates being what the answers
so far make of them. One run on a commit that must be built first may say little for its price, and
eight runs on it much: several runs are weighed too, as one experiment.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kbisect.bisect.belief import Posterior
from kbisect.bisect.information import RUNS, entropy, several
from kbisect.bisect.price import Costs
from kbisect.bisect.rates import Floats
from kbisect.bisect.reach import Reach
from kbisect.history.graph import Mask


def bits(reach: Reach, post: Posterior) -> tuple[Floats, Floats]:
    """Return what one run says about the culprit, and how likely it fails; by position."""
    culprit = post.culprit
    often = often_at_good_end(post)
    bad = np.clip(often + reach.mass(culprit * (post.fail - post.false)), 0, 1)
    noise_fail, noise_false = entropy(post.fail), entropy(post.false)
    said = entropy(bad) - _noise(post) - reach.mass(culprit * (noise_fail - noise_false))
    return said, bad


def bits_at_good_end(post: Posterior) -> float:
    """Return what one run at a good end says: it tells a culprit from what fails everywhere."""
    return float(entropy(np.array([often_at_good_end(post)]))[0]) - _noise(post)


def often_at_good_end(post: Posterior) -> float:
    """Return how likely a run fails at a commit that contains no candidate."""
    return float(post.culprit @ post.false) + post.none * post.untied


def value(reach: Reach, post: Posterior, costs: Costs, built: Mask, dim: Floats) -> Floats:
    """Return the bits for the price of a test at each position.

    Parameters
    ----------
    built : bool[N], by position
    dim : float64[N], a factor for each: how likely it can be tested, 0 where it must not be
    """
    said, bad = bits(reach, post)
    found: Floats = said / costs.price(built, bad) * dim
    if costs.build <= 0:
        return found
    culprit = post.culprit
    share = np.clip(reach.mass(culprit), 0, 1)
    few = _worth_more(found, share, built)
    fail = reach.mass(culprit * post.fail)[few] / np.maximum(share[few], 1e-12)
    with_none = often_at_good_end(post) - reach.mass(culprit * post.false)[few]
    false = with_none / np.maximum(1 - share[few], 1e-12)
    fail, false = np.clip(fail, 0, 1), np.clip(false, 0, 1)
    for runs in RUNS:
        many, length = several(share[few], runs, fail, false)
        worth = many / costs.price(built[few], bad[few], length) * dim[few]
        found[few] = np.maximum(found[few], worth)
    return found


def _noise(post: Posterior) -> float:
    """Return the bits of an answer without the culprit that say nothing about it."""
    tied = float(post.culprit @ entropy(post.false))
    return tied + post.none * float(entropy(np.array([post.untied]))[0])


def _worth_more(value: Floats, share: Floats, built: Mask) -> NDArray[np.intp]:
    """Return the positions that several runs may be worth: the built ones, the best, halves."""
    among = np.where(value > 0, share, -1)
    halves = [np.abs(among - part).argmin() for part in (0.3, 0.4, 0.5, 0.6, 0.7)]
    best = np.argpartition(value, -min(8, len(value)))[-8:]
    few = np.unique(np.concatenate((np.flatnonzero(built), best, halves)))
    return few[value[few] > 0]

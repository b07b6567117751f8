# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test tells about the culprit where answers may be wrong: bits for its price. Pure.

The bits are the mutual information of the answer and the culprit, the rates being what the answers
so far make of them. One run on a commit that must be built first may say little for its price, and
eight runs on it much: several runs are weighed too, as one experiment.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kbisect.bisect.belief import OUTSIDE, Again, Posterior
from kbisect.bisect.information import RUNS, entropy, several
from kbisect.bisect.price import Costs
from kbisect.bisect.rates import Floats
from kbisect.bisect.reach import Reach
from kbisect.history.graph import Mask


def bits(reach: Reach, post: Posterior, again: Again) -> tuple[Floats, Floats]:
    """Return what one run says about the culprit, and how likely it fails; by position."""
    culprit = post.culprit
    often = often_at_good_end(post)
    bad = np.clip(often + reach.mass(culprit * (post.fail - post.false)), 0, 1)
    noise_fail, noise_false = entropy(post.fail), entropy(post.false)
    said = entropy(bad) - _noise(post) - reach.mass(culprit * (noise_fail - noise_false))
    inside = again.positions != OUTSIDE
    said[again.positions[inside]] = again.bits[inside]
    bad[again.positions[inside]] = again.bad[inside]
    return said, bad


def bits_at_good_end(post: Posterior, again: Again) -> float:
    """Return what one run at a good end says: it tells a culprit from what fails everywhere."""
    if (tested := again.positions == OUTSIDE).any():
        return float(again.bits[tested][0])
    return float(entropy(np.array([often_at_good_end(post)]))[0]) - _noise(post)


def often_at_good_end(post: Posterior) -> float:
    """Return how likely a run fails at a commit that contains no candidate."""
    return float(post.culprit @ post.false) + post.none * post.untied


def value(
    reach: Reach, post: Posterior, again: Again, costs: Costs, built: Mask, dim: Floats
) -> Floats:
    """Return the bits for the price of a test at each position.

    Parameters
    ----------
    built : bool[N], by position
    dim : float64[N], a factor for each: how likely it can be tested, 0 where it must not be
    """
    said, bad = bits(reach, post, again)
    found: Floats = said / costs.price(built, bad) * dim
    if costs.build <= 0:
        return found
    share = np.clip(reach.mass(post.culprit), 0, 1)
    few = _worth_more(found, share, built)
    with_it, without = _expected(reach, post, again, share, few)
    for runs in RUNS:
        many, length = several(share[few], runs, with_it, without)
        worth = many / costs.price(built[few], bad[few], length) * dim[few]
        found[few] = np.maximum(found[few], worth)
    return found


def _noise(post: Posterior) -> float:
    """Return the bits of an answer without the culprit that say nothing about it."""
    tied = float(post.culprit @ entropy(post.false))
    return tied + post.none * float(entropy(np.array([post.untied]))[0])


def _expected(
    reach: Reach, post: Posterior, again: Again, share: Floats, few: NDArray[np.intp]
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return how likely one run and two fail at some commits, with the culprit and without."""
    tested = {int(position): at for at, position in enumerate(again.positions)}
    places = [(place, tested[int(at)]) for place, at in enumerate(few) if int(at) in tested]
    place, known = np.array(places, np.intp).reshape(-1, 2).T
    found = []
    for fail, false, untied, inside, outside in (
        (post.fail, post.false, post.untied, again.with_it[0], again.without[0]),
        (post.fail_twice, post.false_twice, post.untied_twice, again.with_it[1], again.without[1]),
    ):
        with_it = reach.mass(post.culprit * fail)[few] / np.maximum(share[few], 1e-12)
        everywhere = float(post.culprit @ false) + post.none * untied
        rest = everywhere - reach.mass(post.culprit * false)[few]
        without = rest / np.maximum(1 - share[few], 1e-12)
        with_it[place], without[place] = inside[known], outside[known]
        found.append((np.clip(with_it, 0, 1), np.clip(without, 0, 1)))
    return (found[0][0], found[1][0]), (found[0][1], found[1][1])


def _worth_more(value: Floats, share: Floats, built: Mask) -> NDArray[np.intp]:
    """Return the positions that several runs may be worth: the built ones, the best, halves."""
    among = np.where(value > 0, share, -1)
    halves = [np.abs(among - part).argmin() for part in (0.3, 0.4, 0.5, 0.6, 0.7)]
    best = np.argpartition(value, -min(8, len(value)))[-8:]
    few = np.unique(np.concatenate((np.flatnonzero(built), best, halves)))
    return few[value[few] > 0]

# SPDX-License-Identifier: GPL-2.0-or-later
"""How likely each commit can be tested, given what could not. Pure.

Commits that can't be tested come in blocks: one commit breaks the build, a later one repairs it,
and all that contain the first and not the second are lost. So the breaker and the repair are looked
for as the culprit is. What is believed of them beforehand: each lies at an unknown distance from
the commits that failed, of an unknown order of magnitude (log-uniform). Then a commit that stands
alone costs next to nothing, and the edges of a large block are found in leaps, where git, which
replaces a skipped commit by a random neighbour, took 313 tests for a block of 300.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kbisect.bisect.rates import Floats
from kbisect.bisect.reach import Reach
from kbisect.history.graph import Mask

PATIENCE = 16
"""So many commits of a block that can't be tested are tried in vain before its inside is left."""

HOPELESS = 48
"""So many commits are tried in vain where none but the bad end could ever be tested."""


def testable(reach: Reach, tested: Sequence[int], skipped: Sequence[int]) -> Floats:
    """Guess how likely each commit can be tested.

    Parameters
    ----------
    tested, skipped : positions, each once

    Returns
    -------
    float64[N], by position; 0 where it isn't worth a try
    """
    size = len(reach)
    found = np.ones(size)
    if len(skipped) >= HOPELESS and not set(tested) - {size - 1}:
        found[:-1] = 0
        return found
    count = reach.mass(np.ones(size))
    for block in _parted(reach, tested, skipped):
        found *= np.maximum(_islands(count, block.lost), 1 - block.chance(reach, count))
    found[list(skipped)] = 0
    found[list(tested)] = 1
    return found


def breakers(
    reach: Reach, tested: Sequence[int], skipped: Sequence[int], position: int
) -> list[tuple[int, float]]:
    """Return what may have broken the build of a skipped commit, and how likely; likeliest first.

    Those that repair one of them are worth a try as fix-ups.
    """
    count = reach.mass(np.ones(len(reach)))
    for block in _parted(reach, tested, skipped):
        if position in block.lost and block.broke.any():
            size = count[list(block.lost)]
            weights = _near(block.broke, size.min() - count, np.ptp(size) + 1)
            order = np.argsort(-weights, kind="stable")[: int(block.broke.sum())]
            return [(int(each), float(weights[each] / weights.sum())) for each in order]
    return []


@dataclass(frozen=True, slots=True)
class _Block:
    """Skipped commits that one breaker explains.

    Attributes
    ----------
    lost : their positions
    broke : bool[N], what may have broken them: all contain it, and nothing beside that was tested
    repairs : bool[N], what may have repaired it: none contains it, and all that was tested above
    """

    lost: tuple[int, ...]
    broke: Mask
    repairs: Mask

    def chance(self, reach: Reach, count: Floats) -> Floats:
        """Return the probability that a commit contains the breaker and not its repair."""
        size = count[list(self.lost)]
        known = np.ptp(size) + 1
        breaker = _share(reach, self.broke, size.min() - count, known)
        return breaker * (1 - _share(reach, self.repairs, count - size.max(), known))


def _parted(reach: Reach, tested: Sequence[int], skipped: Sequence[int]) -> list[_Block]:
    """Explain what was skipped by as few breakers as will do, in the order of positions."""
    inside = {position: reach.mask(position) for position in {*tested, *skipped}}
    everything = reach.mask(len(reach) - 1)

    def explained(lost: tuple[int, ...]) -> _Block:
        broke, repairs = everything, everything
        for position in lost:
            broke, repairs = broke & inside[position], repairs & ~inside[position]
        for position in tested:
            if inside[position][list(lost)].any():
                repairs = repairs & inside[position]
            else:
                broke = broke & ~inside[position]
        return _Block(lost, broke, repairs)

    blocks: list[_Block] = []
    for position in skipped:
        for index, block in enumerate(blocks):
            joined = explained((*block.lost, position))
            if joined.broke.any() and joined.repairs.any():
                blocks[index] = joined
                break
        else:
            blocks.append(explained((position,)))
    return blocks


def _islands(count: Floats, block: Sequence[int]) -> Floats:
    """Return how likely it is no block but several; likeliest far from what failed, by size."""
    if len(block) >= PATIENCE:
        return np.zeros(len(count))
    sizes = np.sort(count[list(block)])
    apart = np.min([np.abs(count - size) for size in sizes], axis=0)
    widest = max(1.0, float(np.diff(sizes).max(initial=0)) / 2)
    found: Floats = np.minimum(1, apart / widest) ** 2 / (1 + len(block)) ** 2
    return found


def _share(reach: Reach, among: Mask, distance: Floats, known: float) -> Floats:
    """Return, for each commit, how likely it contains one of these, the near ones likelier."""
    if not among.any():
        return np.zeros(len(reach))
    weights = _near(among, distance, known)
    found: Floats = np.clip(reach.mass(weights) / weights.sum(), 0, 1)
    return found


def _near(among: Mask, distance: Floats, known: float) -> Floats:
    """Weigh some commits by nearness, alike on every order of magnitude."""
    weights: Floats = np.where(among, 1 / (np.abs(distance) + known), 0)
    return weights

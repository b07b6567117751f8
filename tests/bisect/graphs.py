# SPDX-License-Identifier: GPL-2.0-or-later
"""Ranges made up for tests."""

import random

from kbisect.bisect.candidates import Candidates
from kbisect.bisect.simulation import name


def build(parents: list[list[int]]) -> Candidates:
    """Number i has these parents; the last one is the bad end."""
    rows = [(name(i), i, [name(p) for p in above]) for i, above in enumerate(parents)]
    return Candidates.build(reversed(rows))


def linear(size: int) -> Candidates:
    return build([[i - 1] if i else [] for i in range(size)])


def random_dag(
    size: int, chance: random.Random, merges: float = 0.2, window: int = 30
) -> Candidates:
    parents: list[list[int]] = [[]]
    for i in range(1, size):
        low = max(0, i - window)
        above = [i - 1 if chance.random() < 0.6 else chance.randrange(low, i)]
        while chance.random() < merges:
            above.append(chance.randrange(low, i))
        parents.append(list(dict.fromkeys(above)))
    tips = set(range(size)) - {p for above in parents for p in above}
    parents.append(sorted(tips))  # one octopus, so that the bad end contains all
    return build(parents)

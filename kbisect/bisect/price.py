# SPDX-License-Identifier: GPL-2.0-or-later
"""What a test costs: its build, unless that is there, and its run. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kbisect.bisect.rates import Floats
from kbisect.history.graph import Mask

DEAR = 1.5
"""A build is weighed so much heavier than it is: it is often followed by another."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a test costs, in any unit.

    Attributes
    ----------
    build : of a commit that isn't built yet
    test : of one run that ends good
    bad_ratio : time of a run that ends bad against one that ends good
    """

    build: float = 0.0
    test: float = 1.0
    bad_ratio: float = 1.0

    def price(
        self, built: Mask | NDArray[np.bool_], bad: Floats, runs: Floats | float = 1
    ) -> Floats:
        """Return what so many runs are expected to cost, each of which fails this likely."""
        run = self.test * (1 + bad * (self.bad_ratio - 1))
        found: Floats = np.where(built, 0.0, self.build * DEAR) + runs * run
        return found

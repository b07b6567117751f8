# SPDX-License-Identifier: GPL-2.0-or-later
"""What is believed beforehand of a test's rates: how often it fails with the culprit, and without.

The rates are never asked for: they are learned with the culprit, on a grid. The first point of the
grid is the test that always tells the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NEVER = -1e9  # a logarithm that makes any product zero, and 0 times it is 0


@dataclass(frozen=True, slots=True)
class Rates:
    """A prior over rates.

    Attributes
    ----------
    fail : float64[G], probability that a commit with the culprit fails (reproduction)
    false : float64[G], probability that one without it fails (false failure)
    weight : float64[G], the prior of each pair, given that there is a culprit; 0 is (1, 0)
    untied : float64[R], rates of a failure that isn't tied to the range
    untied_weight : float64[R], their prior
    none : probability that there is no culprit
    """

    fail: Floats
    false: Floats
    weight: Floats
    untied: Floats
    untied_weight: Floats
    none: float

    @property
    def logs(self) -> Floats:
        """Return log of fail, 1 - fail, false, 1 - false: float64[4, G]."""
        return np.stack(
            [_log(each) for each in (self.fail, 1 - self.fail, self.false, 1 - self.false)]
        )

    @property
    def untied_logs(self) -> Floats:
        """Return log of untied, 1 - untied: float64[2, R]."""
        return np.stack([_log(each) for each in (self.untied, 1 - self.untied)])


def learned(certain: float = 0.55, clean: float = 0.5, none: float = 0.14) -> Rates:
    """Return the default prior.

    Parameters
    ----------
    certain : probability that the test always tells the truth
    clean : of the others, how many never fail without the culprit
    none : probability that the failure isn't tied to the range
    """
    fail = np.array(
        [0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]
    )
    spread = np.gradient(fail)
    spread[-1] = spread[-2]
    spread = np.maximum(spread, 0.03) / np.sqrt(fail)  # rare reproduction is not rare
    spread /= spread.sum()
    false = np.array([0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4])
    wide = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7])
    pairs = [(1.0, 0.0, certain)]
    pairs += [
        (p, 0.0, (1 - certain) * clean * w) for p, w in zip(fail, spread, strict=True) if p < 1
    ]
    noisy = [
        (p, q, w * v)
        for p, w in zip(fail, spread, strict=True)
        for q, v in zip(false, wide, strict=True)
        if p - q >= 0.2 or p >= 3 * q
    ]
    total = sum(w for _, _, w in noisy)
    pairs += [(p, q, (1 - certain) * (1 - clean) * w / total) for p, q, w in noisy]
    table = np.array(pairs)
    untied = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])
    # Somebody saw one end fail and the other pass.
    seen = untied * (1 - untied) * np.gradient(untied)
    return Rates(
        fail=table[:, 0],
        false=table[:, 1],
        weight=table[:, 2] / table[:, 2].sum(),
        untied=untied,
        untied_weight=seen / seen.sum(),
        none=none,
    )


def certain() -> Rates:
    """Return the belief that every answer is true, as `git bisect` holds it."""
    one, zero, nothing = np.ones(1), np.zeros(1), np.zeros(0)
    return Rates(one, zero, one, nothing, nothing, 0.0)


def _log(values: Floats) -> Floats:
    found: Floats = np.full(values.shape, _NEVER)
    np.log(values, out=found, where=values > 0)
    return found

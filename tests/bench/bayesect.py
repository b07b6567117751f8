# SPDX-License-Identifier: GPL-2.0-or-later
"""git_bayesect on a linear range, run by a Python that has it; prints JSON.

Its arguments: repro false size trials seed build by_commit, as `kbisect bisect simulate` has them.
Its own stopping rule: .95 on one commit. Index 0 is its newest commit.
"""

from __future__ import annotations

import importlib
import json
import sys


def main() -> None:
    """Run the trials."""
    import numpy as np

    made = importlib.import_module("git_bayesect").Bisector
    repro, false, build, by_commit = (float(sys.argv[i]) for i in (1, 2, 6, 7))
    size, trials, seed = int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
    rng = np.random.default_rng(seed)
    right, tests, builds, cost = [], [], [], []
    for culprit in rng.integers(size, size=trials).tolist():
        bisector = made(np.ones(size))
        own = by_commit * rng.standard_normal(size) if by_commit else np.zeros(size)
        built: set[int] = set()
        runs = 0
        while bisector.distribution.max() < 0.95 and runs < 5000:
            index = int(bisector.select())
            built.add(index)
            runs += 1
            rate = repro if index <= culprit else false
            if 0 < rate < 1:
                rate = 1 / (1 + (1 - rate) / rate * np.exp(-own[index]))
            bisector.record(index, bool(rng.random() < rate))
        right.append(int(bisector.distribution.argmax()) == culprit)
        tests.append(runs)
        builds.append(len(built))
        cost.append(runs + build * len(built))
    means = [float(np.mean(each)) for each in (right, tests, builds, cost)]
    print(json.dumps(dict(zip(("accuracy", "tests", "builds", "cost"), means, strict=True))))


if __name__ == "__main__":
    main()

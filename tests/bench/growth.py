# SPDX-License-Identifier: GPL-2.0-or-later
"""Does the index stay as cheap a commit on a history many times as long? Takes an hour, apart."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.bench import synthetic
from tests.bench.measure import KBISECT, cost, header

SIZES = (250_000, 500_000, 1_000_000, 1_500_000)


def run(_: Path, sizes: tuple[int, ...] = SIZES) -> None:
    """Index synthetic histories of several sizes: seconds and memory per commit."""
    header("Growth: synthetic histories")
    work = Path(tempfile.mkdtemp(prefix="kbisect-bench-"))
    first: tuple[float, float] | None = None
    try:
        for size in sizes:
            made = work / f"{size}.git"
            synthetic.write(made, size)
            took = cost([*KBISECT, "-C", made, "index", "--full"])
            per = (took.cpu / size * 1e6, took.peak / size * 1024)
            first = first or per
            print(
                f"{size:>10,} commits  {took.wall:7.1f} s  {took.cpu:7.1f} s CPU  {took.peak:6d} MB"
                f"  {per[0]:6.1f} us CPU and {per[1]:5.2f} kB a commit"
                f"  ({per[0] / first[0]:.2f} x, {per[1] / first[1]:.2f} x; to reach <= 1.25)",
                flush=True,
            )
            shutil.rmtree(made)
    finally:
        shutil.rmtree(work)

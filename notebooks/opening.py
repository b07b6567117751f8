# SPDX-License-Identifier: GPL-2.0-or-later
"""Opens the repository that a notebook looks at, and sets how its pictures look.

KBISECT_NOTEBOOK_REPO names it; without it the notebooks run on the project's own miniature of the
network trees. KBISECT_NOTEBOOK_STORE says where kbisect's data is kept, if not in the repository.
"""

from __future__ import annotations

import atexit
import os
import subprocess
from pathlib import Path

import matplotlib as mpl
from cycler import cycler

import kbisect
from kbisect import temporary

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8a949e")
"""Okabe and Ito's, which the colour-blind can tell apart."""


def history() -> kbisect.History:
    """Open the repository; its index is brought up to date."""
    named = os.environ.get("KBISECT_NOTEBOOK_REPO") or _miniature()
    opened = kbisect.open(named, os.environ.get("KBISECT_NOTEBOOK_STORE") or None)
    known = opened.index.graph
    print(f"{len(known):,} commits, {len(opened.commits()):,} of them in scope")
    return opened


def look() -> None:
    """Set fonts, colours and sizes."""
    mpl.rcParams.update(
        {
            "figure.figsize": (9, 3.4),
            "figure.dpi": 90,
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": cycler(color=COLORS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
            "legend.frameon": False,
            "font.size": 9,
        }
    )


def _miniature() -> Path:
    script = Path(__file__).resolve().parent.parent / "fixtures" / "histories" / "nettrees.fi"
    place, remove = temporary.make("notebook")
    atexit.register(remove)
    for arguments, stdin in (
        (["init", "-q"], b""),
        (["fast-import", "--quiet"], script.read_bytes()),
    ):
        subprocess.run(["git", "-C", place, *arguments], input=stdin, check=True)
    return place

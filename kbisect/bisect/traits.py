# SPDX-License-Identifier: GPL-2.0-or-later
"""What a commit looks like, and how often such commits turned out to be culprits. Pure.

The factors are ratios: how common a trait is among culprits, against all commits. They were counted
on the 576 culprits that fixes made before 2010-06-26 name, in the networking history of Linux
2.6.12 to 2.6.34, and raised to the power of 0.7, since traits go together. On the 384 culprits that
later fixes name they are worth 0.17 bits each, and 0.26 with the record of the subsystem;
`python -m tests.bench priors` counts anew, there and in other trees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kbisect.bisect.rates import Floats
from kbisect.history.graph import Mask

TEMPER = 0.7
"""The power that ratios are raised to."""

FILES = ((1, 0.70), (2, 1.17), (4, 1.36), (9, 1.52), (30, 2.46), (1 << 30, 6.55))
"""Commits that change at most so many files, and the ratio."""

KINDS: tuple[tuple[str, str, float], ...] = (
    (
        "spelling, comments, documentation",
        r"typos?|spelling|comments?|whitespace|documentation|docs?|checkpatch|coding style"
        r"|indent(ation)?|maintainers|copyright",
        0.16,
    ),
    (
        "tidies up",
        r"unused|unneeded|unnecessary|redundant|clean[ -]?ups?|sparse|warnings?|const|static"
        r"|annotat\w+|printk|pr_\w+|rename|dead|remove|kill|drop|delete",
        0.70,
    ),
    (
        "repairs",
        r"fix(es|ed)?|bug|leak|oops|crash|race|deadlock|panic|null|avoid|prevent|don.t|missing"
        r"|correct",
        1.02,
    ),
    (
        "reworks",
        r"convert|use|make|move|change|refactor|rework|replace|switch|split|rewrite|introduce"
        r"|implement|optimi[sz]e|convers\w+|allow|reduce|improve|speed",
        1.40,
    ),
    ("adds", r"add|support|new|enable|initial|driver", 1.26),
)
"""What a subject says of the kind of change, the first that fits; and the ratio."""

PRIOR_CULPRITS = 4
"""A subsystem's record counts as if it had so many culprits more, at the common rate."""

_KINDS = tuple((what, re.compile(rf"\b({words})\b"), ratio) for what, words, ratio in KINDS)


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of one commit.

    Attributes
    ----------
    files : how many it changes
    record : culprits among earlier commits of its subsystem, against what is common; 1 if unknown
    """

    subject: str
    files: int
    record: float = 1.0


@dataclass(frozen=True, slots=True)
class Factor:
    """A trait, who has it (bool[N], by number), and what it makes of the suspicion."""

    what: str
    marked: Mask
    times: float


def kind(subject: str) -> tuple[str, float] | None:
    """Return what a subject says of the change, and the ratio; None if nothing."""
    low = subject.lower()
    return next(((what, ratio) for what, words, ratio in _KINDS if words.search(low)), None)


def record(culprits: int, commits: int, common: float) -> float:
    """Return a subsystem's ratio of culprits, drawn to 1 while there are few commits."""
    return (culprits + PRIOR_CULPRITS) / (commits * common + PRIOR_CULPRITS)


def factors(looks: Sequence[Look | None]) -> list[Factor]:
    """Return the factors of some candidates; None: nothing is known, as of a merge."""
    marked: dict[tuple[str, float], list[int]] = {}
    for number, look in enumerate(looks):
        if look is None:
            continue
        most, ratio = next((most, ratio) for most, ratio in FILES if look.files <= most)
        what = "changes over 30 files" if most > 30 else f"changes up to {most} files"
        found = [("changes 1 file" if most == 1 else what, ratio)]
        if said := kind(look.subject):
            found.append((f"by its subject {said[0]}", said[1]))
        step = float(np.clip(np.rint(2 * np.log2(look.record)), -4, 4))
        if step:
            much = f"{2 ** (step / 2):.1f}"
            found.append(
                (f"its subsystem had {much} x the common share of culprits", 2 ** (step / 2))
            )
        for each in found:
            marked.setdefault(each, []).append(number)
    result = []
    for (what, ratio), numbers in sorted(marked.items()):
        mask = np.zeros(len(looks), np.bool_)
        mask[numbers] = True
        result.append(Factor(what, mask, ratio**TEMPER))
    return result


def weights(size: int, found: Sequence[Factor]) -> Floats:
    """Multiply the factors of each commit: float64[size]."""
    product = np.ones(size)
    for factor in found:
        product[factor.marked] *= factor.times
    return product

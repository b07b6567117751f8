# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits that can't change what is built, and what builds of them said of that. Pure.

Which they are is found by whoever reads a finished build; here it is only taken at its word, and
checked: one of them that was built must be the same binary as the commit it is said to equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kbisect.bisect.candidates import Candidates
from kbisect.bisect.state import State
from kbisect.history.graph import Mask


@dataclass(frozen=True, slots=True)
class Sample:
    """What was built of the commits set aside.

    Attributes
    ----------
    same : those that are the binary they were said to be
    other : those that are not: then nothing is to be set aside
    """

    same: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


def marked(candidates: Candidates, state: State) -> Mask:
    """Mark what is set aside, by number: bool[N]."""
    found = np.zeros(len(candidates), np.bool_)
    for oid in state.aside.oids if state.aside else ():
        if (number := candidates.number.get(oid)) is not None:
            found[number] = True
    return found


def labels(candidates: Candidates, aside: Mask) -> NDArray[np.intp]:
    """Give commits that make one binary one number: intp[N], by number."""
    roots = _roots(candidates, aside)
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(roots[oid], len(numbers)) for oid in candidates.graph.oids], np.intp
    )


def sample(candidates: Candidates, state: State) -> Sample:
    """Compare the builds of commits set aside with those of the commits they are to equal."""
    aside = marked(candidates, state)
    if not aside.any():
        return Sample()
    roots = _roots(candidates, aside)
    images = _images(state)
    first: dict[str, tuple[str, str]] = {}
    same: list[str] = []
    other: list[str] = []
    # The ones that change something first, so that the others are held against them.
    for oid in sorted(images, key=lambda each: roots.get(each, each) != each):
        of, image = first.setdefault(roots.get(oid, oid), (oid, images[oid]))
        if of != oid:
            (same if image == images[oid] else other).append(oid)
    return Sample(tuple(same), tuple(other))


def to_check(candidates: Candidates, state: State) -> str | None:
    """Choose a commit that was set aside and whose build can be compared; None without any.

    Of the commits that equal one that was built, the last: it stands for all before it.
    """
    aside = marked(candidates, state)
    roots, images = _roots(candidates, aside), _images(state)
    built = {roots.get(oid, oid) for oid in images}
    oids = [candidates.graph.oids[number] for number in np.flatnonzero(aside).tolist()]
    fit = [oid for oid in oids if oid not in images and roots[oid] in built]
    return fit[-1] if fit else None


def _roots(candidates: Candidates, aside: Mask) -> Mapping[str, str]:
    """Return of each candidate the commit whose binary it is."""
    roots: dict[str, str] = {}
    for number, oid in enumerate(candidates.graph.oids):  # parents first
        parents = candidates.parents[number]
        inside = bool(aside[number]) and bool(parents)
        roots[oid] = roots.get(parents[0], parents[0]) if inside else oid
    return roots


def _images(state: State) -> dict[str, str]:
    """Return the image of each commit that was built as it is: the last one."""
    runs: Iterable[tuple[str, str | None]] = (
        (run.oid, run.image) for run in state.tested if run.reverted is None
    )
    made = [*((same.oid, same.image) for same in state.same), *runs]
    return {oid: image for oid, image in made if image is not None}

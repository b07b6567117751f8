# SPDX-License-Identifier: GPL-2.0-or-later
"""The course of a search, to be looked at: what was believed after each answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kbisect.bisect.events import Tested, Told
from kbisect.bisect.rates import Floats
from kbisect.bisect.state import State
from kbisect.bisect.view import Range, likely, search

BANDS = 96
"""A longer range is folded into so many equal parts."""
WHOLE = 40
"""A range of so many commits is shown whole."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What was believed at one time.

    Attributes
    ----------
    answer : what had just been heard; None at the start
    place : where that commit stands in the range, from 0 (its beginning) to 1; None outside it
    suspects : commits that can still be the culprit, or together hold the stated confidence
    bits : how many good questions are still open, the entropy of the belief
    bands : float64[B], the belief by parts of the range; what is missing to 1 is "no culprit"
    """

    answer: Tested | Told | None
    place: float | None
    suspects: int
    bits: float
    bands: Floats


@dataclass(frozen=True, slots=True)
class Landmark:
    """A commit that is worth a place in a picture of the range.

    Attributes
    ----------
    parents : the landmarks that it contains and nothing between contains
    between : how many commits it adds to what its parents contain, itself left out
    place : in topological order, parents first; -1 for a good end, which is outside the range
    time : commit time, Unix seconds; of a good end 0
    """

    oid: str
    parents: tuple[str, ...]
    between: int
    place: int
    time: int


@dataclass(frozen=True, slots=True)
class Course:
    """A search from its start to now.

    Attributes
    ----------
    moments : the start, and one for each answer that says something of the range
    landmarks : parents first
    size : number of candidates
    """

    moments: tuple[Moment, ...]
    landmarks: tuple[Landmark, ...]
    size: int


def follow(state: State, searched: Range, also: Iterable[str] = ()) -> Course:
    """Replay a search, and remember what was believed.

    Parameters
    ----------
    also : commits that are landmarks beside the ends and the tested ones
    """
    moments = [_moment(replace(state, answers=(), finished=None), searched, None)]
    heard = 0
    for count, answer in enumerate(state.answers, 1):
        then = replace(state, answers=state.answers[:count], finished=None)
        if len(then.heard) > heard:
            moments.append(_moment(then, searched, answer))
            heard = len(then.heard)
    known = [answer.oid for answer in state.answers] + list(also)
    return Course(tuple(moments), landmarks(state, searched, known), len(searched.candidates))


def _moment(state: State, searched: Range, answer: Tested | Told | None) -> Moment:
    found = search(state, searched)
    post = found.belief.posterior
    size = len(post.culprit)
    starts = np.linspace(0, size, min(BANDS, size) + 1).astype(np.int64)[:-1]
    position = None if answer is None else searched.position(answer.oid)
    return Moment(
        answer=answer,
        place=None if position is None else (position + 0.5) / size,
        suspects=len(likely(found)),
        bits=_bits(np.append(post.culprit, post.none)),
        bands=np.add.reduceat(post.culprit, starts),
    )


def _bits(shares: Floats) -> float:
    held = shares[shares > 0]
    return max(0.0, float(-(held * np.log2(held)).sum()))


def landmarks(state: State, searched: Range, named: Sequence[str]) -> tuple[Landmark, ...]:
    """Return the commits to be drawn: the named ones and the ends, or all of a short range."""
    graph, reach = searched.candidates.graph, searched.reach
    tip, goods = graph.oids[-1], state.ends[1]
    wanted = set(graph.oids if len(graph) <= WHOLE else [*named, tip])
    chosen = sorted(number for oid in wanted if (number := _number(searched, oid)) is not None)
    found = [Landmark(oid, (), 0, -1, 0) for oid in goods]
    inside: dict[int, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    for number in chosen:
        position = int(reach.position[number])
        mask = reach.mask(position)
        parents: list[int] = []
        below = np.zeros_like(mask)
        # Newest first, so that what a parent contains isn't one beside it.
        for other in reversed(list(inside)):
            at = int(reach.position[other])
            if mask[at] and not below[at]:
                parents.append(other)
                below |= inside[other]
        inside[number] = mask
        found.append(
            Landmark(
                graph.oids[number],
                tuple(graph.oids[parent] for parent in parents) or tuple(goods[:1]),
                int((mask & ~below).sum()) - 1,
                number,
                int(graph.times[number]),
            )
        )
    return tuple(found)


def _number(searched: Range, oid: str) -> int | None:
    return searched.candidates.number.get(oid)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Renames in several steps: names that came and went again between two versions. Pure.

Neither version has such a name, so that the old one seems to have gone and the last one to have
come. The commits between tell that they are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from kbisect.api.attribution import Timeline
from kbisect.api.declarations import Declaration, What
from kbisect.api.proof import Key, Pair
from kbisect.api.sides import Side


def passing(line: Timeline, old: Side, new: Side) -> Iterator[Declaration]:
    """Find the declarations that came and went between two sides, as they were last seen.

    Fields count where both sides have their struct.
    """
    for key, deltas in line.by_key.items():
        if key in old.by_key or key in new.by_key:
            continue
        came = [delta.after[key][0] for delta in deltas if key in delta.after]
        went = any(key in delta.before and key not in delta.after for delta in deltas)
        if not came or not went:
            continue
        tag = ("tag", came[-1].owner)
        if came[-1].what is not What.FIELD or (tag in old.by_key and tag in new.by_key):
            yield came[-1]


def joined(
    removed: Iterable[Declaration], between: Iterable[Declaration], links: Mapping[Key, Pair]
) -> dict[Key, Pair]:
    """Return what removed declarations became at last, by way of names in between.

    Parameters
    ----------
    removed : declarations without a pair of their own
    between : those that `passing` found
    links : pairs of removed with passing, passing with passing and passing with added ones
    """
    stops = {declaration.key for declaration in between}
    result = {}
    for old in removed:
        steps: list[Pair] = []
        pair = links.get(old.key)
        while pair is not None and pair.is_fact and pair not in steps:
            steps.append(pair)
            pair = links.get(pair.new.key) if pair.new.key in stops else None
        if len(steps) > 1 and steps[-1].new.key not in stops:
            way = tuple(step.new for step in steps[:-1])
            names = ", ".join(one.shown for one in way)
            result[old.key] = replace(
                steps[0],
                new=steps[-1].new,
                confidence=min(step.confidence for step in steps),
                signals=(f"by way of {names}", *steps[0].signals),
                way=way,
            )
    return result

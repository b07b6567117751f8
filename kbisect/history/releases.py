# SPDX-License-Identifier: GPL-2.0-or-later
"""Releases: their names, their order, and where they come from when nothing is tagged. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(r"v(?P<numbers>\d+(?:\.\d+)+)(?:-(?P<rc>rc|pre)(?P<number>\d+))?\Z")
_SUBJECT = re.compile(r"Linux v?(?P<version>\d+(?:\.\d+)+(?:-\w+)?)\Z")
_LINE = re.compile(rb"(?m)^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=[ \t]*(\S*)[ \t]*$")


@dataclass(frozen=True, slots=True)
class Release:
    """A release and its commit.

    Attributes
    ----------
    name : `v2.6.22-rc1`
    oid : of the commit
    time : commit time, or the tag's, in Unix seconds
    source : `tag`; without tags `Makefile`, or `subject` for another name of the same commit
    """

    name: str
    oid: str
    time: int
    source: str


def version(name: str) -> tuple[int, ...] | None:
    """Return a key that sorts release names; None for what is no release.

    `v2.6.22-rc1` comes before `v2.6.22`. Tags of next, of vendors and of subsystems are none.
    """
    found = _NAME.match(name)
    if not found:
        return None
    numbers = [int(part) for part in found["numbers"].split(".")]
    numbers += [0] * (4 - len(numbers))
    candidate = int(found["number"]) if found["rc"] else 9999
    return (*numbers, candidate)


def is_mainline(name: str) -> bool:
    """Whether a release is Linus's: not one of a stable series (2.6.32.1, 3.12.1)."""
    found = _NAME.match(name)
    if not found:
        return False
    numbers = found["numbers"].split(".")
    return len(numbers) == 3 if numbers[:2] == ["2", "6"] else len(numbers) == 2


def is_candidate(name: str) -> bool:
    """Whether a release is a release candidate."""
    return "-rc" in name


def makefile_version(makefile: bytes) -> str | None:
    """Return the release that the first lines of the top Makefile name; None if they name none."""
    parts = {
        found[1]: found[2].decode("ascii", "replace") for found in _LINE.finditer(makefile[:600])
    }
    if not {b"VERSION", b"PATCHLEVEL", b"SUBLEVEL"} <= parts.keys():
        return None
    major, minor, sub = (parts[key] for key in (b"VERSION", b"PATCHLEVEL", b"SUBLEVEL"))
    extra = parts.get(b"EXTRAVERSION", "")
    # Since 3.0 the third number is 0 in the Makefile and absent from the name.
    old = (major, minor) == ("2", "6")
    numbers = f"{major}.{minor}.{sub}" if old or sub not in {"0", ""} else f"{major}.{minor}"
    return f"v{numbers}{extra}"


def subject_version(subject: str) -> str | None:
    """Return the release that a commit's subject announces: `Linux 2.6.32-rc1`; None for none.

    Linux kernel commit 17d857be649a ("Linux 2.6.32-rc1") has -rc2 in its Makefile, and both tags.
    """
    found = _SUBJECT.match(subject)
    return f"v{found['version']}" if found else None


class State(StrEnum):
    """Whether something is taken just now."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    NOT_YET = "not-yet"


@dataclass(frozen=True, slots=True)
class Window:
    """The merge window at one moment, derived from releases; the list's announcement decides.

    Attributes
    ----------
    merge_window : State
    net_next : State, the opposite of it; `not-yet` before there was a net-next
    since : Unix seconds, when this state began; None when unknown
    predicted : Unix seconds, when -rc1 is to be expected; None when open or unknown
    release : the newest mainline release at that moment
    as_of : Unix seconds, the moment asked about
    known_from : Unix seconds, when the oldest mainline release known came; None when none is known
    """

    merge_window: State
    net_next: State
    since: int | None
    predicted: int | None
    release: str | None
    as_of: int
    known_from: int | None


_DAY = 86400
# A merge window lasts about 14 days (10.9 to 18.0 were seen); a release candidate follows a week
# after the last. Silence of four weeks means that nobody fetched, not that nothing happened.
_WINDOW_DAYS = 14
_SILENCE_DAYS = 28
# The first net-next tree was opened for v2.6.26.
_NET_NEXT_SINCE = 1_200_000_000


def window(releases: Sequence[Release], at: int) -> Window:
    """Say whether the merge window is open at a moment.

    Parameters
    ----------
    releases : in any order; stable releases are ignored
    at : Unix seconds
    """
    mainline = [each for each in releases if is_mainline(each.name)]
    oldest = min((each.time for each in mainline), default=None)
    past = [each for each in mainline if each.time <= at]
    newest = max(past, key=lambda each: (each.time, version(each.name)), default=None)
    if newest is None or at - newest.time > _SILENCE_DAYS * _DAY:
        name = newest.name if newest else None
        return Window(State.UNKNOWN, State.UNKNOWN, None, None, name, at, oldest)
    if not is_candidate(newest.name):
        closed = State.NOT_YET if at < _NET_NEXT_SINCE else State.CLOSED
        expected = newest.time + _WINDOW_DAYS * _DAY
        return Window(State.OPEN, closed, newest.time, expected, newest.name, at, oldest)
    opened = State.NOT_YET if at < _NET_NEXT_SINCE else State.OPEN
    cycle = newest.name.partition("-rc")[0]
    first = min((e for e in past if e.name.startswith(f"{cycle}-rc")), key=lambda each: each.time)
    return Window(State.CLOSED, opened, first.time, None, newest.name, at, oldest)

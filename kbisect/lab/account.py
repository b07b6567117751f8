# SPDX-License-Identifier: GPL-2.0-or-later
"""The account of a campaign: its result, the course of its search, and what its runs printed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kbisect.bisect.course import Course, follow
from kbisect.bisect.events import Tested
from kbisect.bisect.result import Result
from kbisect.bisect.state import State
from kbisect.lab.campaign import Campaign

_HEAD, _TAIL = 4 << 10, 24 << 10
"""Bytes of a file that are kept from its beginning and its end: a console can be long."""
_SUSPECTS = 30
"""So many suspects are landmarks each."""
_PRINTED = ("config.txt", "build.txt", "boot.txt", "output.txt", "console.txt")


@dataclass(frozen=True, slots=True)
class Part:
    """A stage of a run: how long it took, and the command, to paste."""

    stage: str
    seconds: float
    command: str


@dataclass(frozen=True, slots=True)
class Printed:
    """What a run wrote into a file; of a long one the beginning and the end.

    Attributes
    ----------
    head : empty when `tail` is all
    left_out : bytes between the two
    """

    name: str
    head: str
    left_out: int
    tail: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A run, and what its folder keeps of it."""

    run: Tested
    parts: tuple[Part, ...]
    printed: tuple[Printed, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """A campaign, told whole.

    Attributes
    ----------
    course : None while an end is missing
    runs : every run that still counts, in order; what it printed is left out
    decisive : the last run of each commit that the result rests on, with what it printed
    """

    state: State
    result: Result
    course: Course | None
    runs: tuple[Kept, ...]
    decisive: tuple[Kept, ...]


def give(campaign: Campaign) -> Account:
    """Read a campaign's journal and folders."""
    state, result = campaign.state, campaign.result()
    course = None
    if campaign.ends is not None:
        also = result.suspects if len(result.suspects) <= _SUSPECTS else ()
        course = follow(state, campaign.searched, also)
    return Account(
        state,
        result,
        course,
        tuple(Kept(run, _parts(_folder(campaign, run)), ()) for run in state.tested),
        tuple(
            Kept(run, _parts(folder), tuple(_printed(folder)))
            for run in _decisive(state, result)
            if (folder := _folder(campaign, run)) is not None
        ),
    )


def _decisive(state: State, result: Result) -> Iterable[Tested]:
    """Return the last run that said what is held of each checked commit."""
    for check in result.checks:
        said = [
            run
            for run in state.tested
            if run.oid == check.oid
            and run.verdict is check.verdict
            and (run.reverted is not None) == (check.kind == "revert")
        ]
        yield from said[-1:]


def _folder(campaign: Campaign, run: Tested) -> Path | None:
    return campaign.folder / run.folder if run.folder else None


def _parts(folder: Path | None) -> tuple[Part, ...]:
    """Read a step's record of its stages; nothing where there is none."""
    try:
        rows = json.loads((folder / "stages.json").read_bytes()) if folder else []
        return tuple(
            Part(str(row["stage"]), float(row["seconds"]), str(row["command"]))
            for row in rows
            if not row.get("reused")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def _printed(folder: Path) -> Iterable[Printed]:
    for name in _PRINTED:
        try:
            with (folder / name).open("rb") as file:
                size = file.seek(0, 2)
                if not size:
                    continue
                cut = size > _HEAD + _TAIL
                file.seek(size - _TAIL if cut else 0)
                tail = file.read()
                file.seek(0)
                head = file.read(_HEAD) if cut else b""
        except OSError:
            continue
        left_out = size - len(head) - len(tail)
        yield Printed(name, *_whole_lines(head, left_out, tail))


def _whole_lines(head: bytes, left_out: int, tail: bytes) -> tuple[str, int, str]:
    """Cut where lines end, if something is left out."""
    if left_out:
        kept, rest = head.rfind(b"\n") + 1 or len(head), tail.find(b"\n") + 1
        left_out += len(head) - kept + rest
        head, tail = head[:kept], tail[rest:]
    return head.decode("utf-8", "replace"), left_out, tail.decode("utf-8", "replace")

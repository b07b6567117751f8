# SPDX-License-Identifier: GPL-2.0-or-later
"""Results that tests print: KTAP, as KUnit and kselftest do, and kselftest's exit codes.

KTAP is described in the kernel's Documentation/dev-tools/ktap.rst. A console interleaves: whatever
is no line of KTAP is passed over, and time stamps before it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_RESULT = re.compile(
    r"(?P<indent>[ #]*)(?P<not>not )?ok (?P<number>\d+)(?: -)?(?: (?P<name>[^#]*))?"
    r"(?:# ?(?P<directive>SKIP|TODO|XFAIL|TIMEOUT)\b(?P<why>.*))?",
    re.IGNORECASE,
)
_PLAN = re.compile(r"(?P<indent>[ #]*)1\.\.(?P<count>\d+)")
_STAMP = re.compile(r"^(?:<\d+>)?\s*\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])? ?")
_MOST = 64 << 20
CODES = {0: 0, 1: 1, 2: 0, 3: 1, 4: 125}
"""kselftest's exit codes (pass, fail, expected fail, unexpected pass, skip) → a script's."""


class Status(StrEnum):
    """How one test ended."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of results; `depth` counts its indents of two or four columns, or `# ` marks."""

    name: str
    status: Status
    depth: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a console says.

    Attributes
    ----------
    results : in order, sub-tests before the test that they belong to
    planned : number of tests announced at the outermost level, None without a plan
    """

    results: tuple[Result, ...]
    planned: int | None

    @property
    def top(self) -> tuple[Result, ...]:
        """The results of the outermost level."""
        least = min((each.depth for each in self.results), default=0)
        return tuple(each for each in self.results if each.depth == least)

    @property
    def is_whole(self) -> bool:
        """Whether all that were announced ended."""
        return self.planned is None or len(self.top) >= self.planned

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the tests that failed, the innermost."""
        return tuple(each.name for each in self.results if each.status is Status.FAIL)


def parse(lines: Iterable[str]) -> Outcome:
    """Read KTAP out of a console's lines."""
    results: list[Result] = []
    plans: dict[int, int] = {}
    for raw in lines:
        line = _STAMP.sub("", raw.rstrip("\r\n"))
        if found := _RESULT.fullmatch(line.rstrip()):
            directive = (found["directive"] or "").upper()
            status = Status.FAIL if found["not"] else Status.PASS
            if directive == "SKIP":
                status = Status.SKIP
            elif directive in {"TODO", "XFAIL"}:
                status = Status.PASS
            name = (found["name"] or found["number"]).strip()
            why = (found["why"] or "").strip()
            results.append(Result(name, status, _depth(found["indent"]), why))
        elif found := _PLAN.match(line):
            plans.setdefault(_depth(found["indent"]), int(found["count"]))
    return Outcome(tuple(results), plans[min(plans)] if plans else None)


def judge(outcome: Outcome) -> int:
    """Return what a script would leave with: 1 if a test failed, 125 if nothing is known.

    A run that was cut off before all announced tests ended says nothing, unless one had failed.
    """
    top = outcome.top
    if any(each.status is Status.FAIL for each in top):
        return 1
    if not outcome.is_whole or not top or all(each.status is Status.SKIP for each in top):
        return 125
    return 0


def exit_code(paths: Sequence[Path], form: str) -> int:
    """Return what the results in some files amount to, as a script's exit code.

    Parameters
    ----------
    form : `ktap`, or `kselftest`: the same, with exit codes in the marked line of its runner
    """
    lines = [line for path in paths for line in _lines(path)]
    outcome = parse(lines)
    if form == "kselftest" and not outcome.results:
        for line in reversed(lines):
            if found := re.search(r"# exit=(\d+)\b", line):
                return CODES.get(int(found[1]), 1)
    return judge(outcome)


def _depth(indent: str) -> int:
    return indent.count("#") or (len(indent) + 2) // 4


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(_MOST).decode("utf-8", "replace").split("\n")
    except OSError:
        return []

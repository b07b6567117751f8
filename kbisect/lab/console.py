# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel reports in a console's text, each with a fingerprint that two boots have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LONGEST = 4096  # of a line; a guest can print without end
_MOST = 64 << 20  # bytes read of one file
_AFTER = 60  # lines in which a report names its function

# (kind, pattern, whether the kernel can't be trusted after it). The first that matches counts; a
# group is the function, or what stands for it.
_KINDS = [
    (kind, re.compile(pattern), fatal)
    for kind, pattern, fatal in (
        ("KASAN", r"BUG: KASAN: [\w-]+ in (\w[\w.]*)", True),
        ("KFENCE", r"BUG: KFENCE: [\w -]+ in (\w[\w.]*)", True),
        ("KMSAN", r"BUG: KMSAN: [\w-]+ in (\w[\w.]*)", True),
        ("UBSAN", r"UBSAN: [\w-]+ in (\S+?):\d", False),
        ("KCSAN", r"BUG: KCSAN: [\w-]+ in (\w[\w.]*)", False),
        ("NULL dereference", r"BUG: kernel NULL pointer dereference", True),
        ("NULL dereference", r"BUG: unable to handle kernel NULL pointer dereference", True),
        ("paging request", r"BUG: unable to handle (?:kernel paging request|page fault)", True),
        ("paging request", r"Unable to handle kernel (?:\w+ )+(?:dereference|request)", True),
        ("BUG", r"kernel BUG at (\S+?):\d", True),
        ("soft lockup", r"BUG: soft lockup", False),
        ("hung task", r"INFO: task \S+:\d+ blocked for more than", False),
        ("RCU stall", r"rcu\w*: INFO: \w+ (?:self-)?detected (?:expedited )?stall", False),
        ("lockdep", r"WARNING: (?:possible|inconsistent|suspicious) [\w ]+", False),
        ("WARNING", r"WARNING: CPU: \d+ PID: \d+ at \S+ (\w[\w.]*)", False),
        ("WARNING", r"WARNING: .*? at (?:\S+ )?(\w[\w.]*)\+0x", False),
        ("general protection fault", r"general protection fault", True),
        ("divide error", r"divide error: ", True),
        ("Oops", r"(?:Internal error: )?Oops(?: - \w+)?: ", True),
        ("panic", r"Kernel panic - not syncing: (.*)", True),
        ("BUG", r"BUG: (?!unable)([a-z][a-z ]+)", False),
    )
]
_FUNCTION = re.compile(
    r"(?:RIP: \d+:|EIP: |EIP is at |pc : |PC is at |RIP: [0-9a-f]+:\[<[0-9a-f]+>\]\s+)"
    r"(?:\[<[0-9a-f]+>\] )?(?:\{:?)?(\w[\w.]*)(?:\+0x|\})"
)
_TRACE = re.compile(r"^\s*(?:\[<[0-9a-f]+>\] )?(\w[\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+")
_STAMP = re.compile(r"^(?:<\d+>)?\s*\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])?\s?")
_NOISE = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,16}\b|\b\d+\b")
# A panic that only follows from another report: the settings panic_on_warn and the like.
_FOLLOWS = re.compile(r"panic_on|hung_task|softlockup|RCU Stall|Fatal exception|Oops")
_SUFFIX = re.compile(r"\.(?:isra|constprop|part|cold|llvm|lto_priv)\b.*")


@dataclass(frozen=True, slots=True)
class Report:
    """One kernel report: `fingerprint` is its kind and the function it happened in."""

    kind: str
    where: str
    fatal: bool

    @property
    def fingerprint(self) -> str:
        """The kind and the function."""
        return f"{self.kind} in {self.where}" if self.where else self.kind


def reports(lines: Iterable[str]) -> list[Report]:
    """Return the kernel reports in a console's lines, in order."""
    found: list[Report] = []
    open_since: int | None = None  # the last report still lacks its function
    for number, raw in enumerate(lines):
        line = _STAMP.sub("", raw.strip("\r\n"))
        kind, where, fatal = _classify(line)
        if kind is not None:
            if kind == "Oops" and open_since is not None and found[-1].fatal:
                continue  # the second line of the same report
            found.append(Report(kind, where, fatal))
            open_since = None if where or kind == "panic" else number
        elif open_since is not None:
            if named := _FUNCTION.search(line) or _TRACE.match(line):
                last = found[-1]
                found[-1] = Report(last.kind, _SUFFIX.sub("", named[1]), last.fatal)
                open_since = None
            elif number - open_since > _AFTER:
                open_since = None
    return found


def fatal(found: list[Report]) -> Report | None:
    """Return the report that ended the kernel's health, None when it stayed well.

    A panic that was only asked for by another report (panic_on_warn) stands for that report.
    """
    before: Report | None = None
    for report in found:
        if report.fatal:
            follows = report.kind == "panic" and _FOLLOWS.search(report.where)
            return before if follows and before is not None else report
        before = report
    return None


def read(*paths: Path) -> list[Report]:
    """Return the kernel reports in these files, those that exist."""
    return [report for path in paths for report in reports(_lines(path))]


def _classify(line: str) -> tuple[str | None, str, bool]:
    for kind, pattern, is_fatal in _KINDS:
        if match := pattern.search(line):
            where = match[1] if pattern.groups else ""
            if kind == "panic":
                where = _NOISE.sub("N", where).strip()
            return kind, _SUFFIX.sub("", where).strip(), is_fatal
    return None, "", False


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            left = _MOST
            while left > 0 and (line := file.readline(_LONGEST)):
                left -= len(line)
                yield line.decode("utf-8", "replace")
    except FileNotFoundError:
        return

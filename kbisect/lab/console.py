# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel reports in a console's text, each with a fingerprint that two boots have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_LONGEST = 4096  # of a line; a guest can print without end
_MOST = 64 << 20  # bytes read of one file
_PIECE = 1 << 20  # bytes read at a time of one that grows
_AFTER = 60  # lines in which a report names its function
_FRAMES = 5  # of a trace that are kept

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
        ("out of memory", r"Out of memory: Killed process \d+ \((\S+?)\)", False),
        ("WARNING", r"WARNING: CPU: \d+ PID: \d+ at \S+ (\w[\w.]*)", False),
        ("WARNING", r"WARNING: .*? at (?:\S+ )?(\w[\w.]*)\+0x", False),
        ("general protection fault", r"general protection fault", True),
        ("divide error", r"divide error: ", True),
        ("Oops", r"(?:Internal error: )?Oops(?: - \w+)?: ", True),
        ("panic", r"Kernel panic - not syncing: (.*)", True),
        ("BUG", r"BUG: (?!unable)([a-z][a-z ]+)", False),
    )
]
KINDS = frozenset(kind for kind, _, _ in _KINDS)
"""What a fingerprint begins with."""
# What every one of them has; a console is long, and most of it is none of this. To ignore case
# would take seven times as long.
_WORDS = "BUG|UBSAN|INFO: |WARNING: |fault|divide|Oops|panic|Unable|Out of memory"
_ANY, _ANY_BYTES = re.compile(_WORDS), re.compile(_WORDS.encode())
_FUNCTION = re.compile(
    r"(?:RIP: \d+:|EIP: |EIP is at |pc : |PC is at |RIP: [0-9a-f]+:\[<[0-9a-f]+>\]\s+)"
    r"(?:\[<[0-9a-f]+>\] )?(?:\{:?)?(\w[\w.]*)(?:\+0x|\})"
)
_TRACE = re.compile(r"^\s*(?:\[<[0-9a-f]+>\] )?(\w[\w.]*)\+0x[0-9a-f]+/0x[0-9a-f]+")
# Where every task waits.
_DULL = {"dump_stack_lvl", "show_stack", "__schedule", "schedule", "schedule_timeout"}
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
    frames: tuple[str, ...] = ()
    """The first functions of its trace."""

    @property
    def fingerprint(self) -> str:
        """The kind and the function."""
        return f"{self.kind} in {self.where}" if self.where else self.kind


class Reader:
    """Reads a console, as it grows."""

    def __init__(self) -> None:
        self.found: list[Report] = []
        self._number = 0
        self._open_since: int | None = None  # the last report still lacks its function
        self._traced: int | None = None  # or its frames

    def feed(self, lines: bytes) -> None:
        """Take in whole lines. Those that can't matter are passed over without a look at each."""
        at = 0
        while at < len(lines):
            if self._open_since is None and self._traced is None:
                hit = _ANY_BYTES.search(lines, at)
                if hit is None:
                    return
                at = lines.rfind(b"\n", at, hit.start()) + 1 or at
            end = lines.find(b"\n", at, at + _LONGEST)
            end = min(at + _LONGEST, len(lines)) if end < 0 else end + 1
            self.take(lines[at:end].decode("utf-8", "replace"))
            at = end

    def take(self, raw: str) -> None:
        """Take in the next line."""
        self._number += 1
        line = raw.strip("\r\n")
        kind, where, fatal = None, "", False
        if _ANY.search(line):
            line = _STAMP.sub("", line)
            kind, where, fatal = _classify(line)
        elif self._open_since is None and self._traced is None:
            return
        else:
            line = _STAMP.sub("", line)
        if kind is not None:
            if kind == "Oops" and self._open_since is not None and self.found[-1].fatal:
                return  # the second line of the same report
            self.found.append(Report(kind, where, fatal))
            self._open_since = None if where or kind == "panic" else self._number
            self._traced = self._number
            return
        if self._open_since is not None:
            named = _FUNCTION.search(line) or _TRACE.match(line)
            if named and named[1] not in _DULL:
                where = _SUFFIX.sub("", named[1])
                self.found[-1] = replace(self.found[-1], where=where)
                self._open_since = None
            elif self._number - self._open_since > _AFTER:
                self._open_since = None
        if self._traced is not None:
            last = self.found[-1]
            if frame := _TRACE.match(line):
                name = _SUFFIX.sub("", frame[1])
                self.found[-1] = replace(last, frames=(*last.frames, name))
            if len(last.frames) >= _FRAMES - 1 or self._number - self._traced > _AFTER:
                self._traced = None


def reports(lines: Iterable[str]) -> list[Report]:
    """Return the kernel reports in a console's lines, in order."""
    reader = Reader()
    for line in lines:
        reader.take(line)
    return reader.found


class Watch:
    """Follows files that grow, and knows the reports in them so far.

    Only whole lines are read, and of each file no more than of one that has ended.
    """

    def __init__(self, *paths: Path) -> None:
        self._files = [(path, Reader()) for path in paths]
        self._read = [0] * len(paths)

    def look(self) -> Report | None:
        """Read on, and return the report that ended the kernel's health, None if it is well."""
        for number, (path, reader) in enumerate(self._files):
            reader.feed(self._new(number, path))
        for _, reader in self._files:
            if (found := fatal(reader.found)) is not None:
                return found
        return None

    def _new(self, number: int, path: Path) -> bytes:
        try:
            if path.stat().st_size <= self._read[number] or self._read[number] > _MOST:
                return b""
            with path.open("rb") as file:
                file.seek(self._read[number])
                lines = _whole(file.read(_PIECE), last=False)
        except OSError:
            return b""
        self._read[number] += len(lines)
        return lines


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
    found: list[Report] = []
    for path in paths:
        reader = Reader()
        for lines in _pieces(path):
            reader.feed(lines)
        found += reader.found
    return found


def _classify(line: str) -> tuple[str | None, str, bool]:
    for kind, pattern, is_fatal in _KINDS:
        if match := pattern.search(line):
            where = match[1] if pattern.groups else ""
            if kind == "BUG" and where.startswith("/"):
                where = where.rpartition("/")[2]  # the folder differs from build to build
            if kind == "panic":
                where = _NOISE.sub("N", where).strip()
            return kind, _SUFFIX.sub("", where).strip(), is_fatal
    return None, "", False


def _pieces(path: Path) -> Iterator[bytes]:
    """Read a file in pieces of whole lines, as far as is read of one."""
    try:
        with path.open("rb") as file:
            left, rest = _MOST, b""
            while left > 0 and (piece := file.read(_PIECE)):
                left -= len(piece)
                lines = _whole(rest + piece, last=left <= 0)
                rest = (rest + piece)[len(lines) :]
                yield lines
            yield rest
    except FileNotFoundError:
        return


def _whole(text: bytes, last: bool) -> bytes:
    """Return the whole lines that a text begins with; all of it, where it is one endless line."""
    end = text.rfind(b"\n") + 1
    return text if last or (not end and len(text) >= _PIECE) else text[:end]

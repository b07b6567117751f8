# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules on files that a series adds: who will maintain them, who builds and ignores a selftest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from kbisect.history.maintainers import THE_REST, Maintainers
from kbisect.history.sections import Entry, Section
from kbisect.patch import rules
from kbisect.patch.diffs import Action, FileDiff
from kbisect.patch.maintainers import Desk
from kbisect.patch.rules import Level, Result
from kbisect.patch.series import Series

# nipa's numbers: a section of fewer files is somebody's own; one of more is a whole subsystem.
_OWN = 75
_SUBSYSTEM = 500
_NOBODYS = ("Documentation/", "tools/testing/")
_BUILD = ("/Makefile", "/Kconfig")
_SELFTESTS = "tools/testing/selftests/"
_WILD = "*?["


def check(series: Series, desk: Desk) -> Iterator[Result]:
    """Check a series; the tree that counts is the desk's, with what the series adds to it."""
    yield _maintained(series, desk)
    there = _Beside(desk)
    for patch in series.patches:
        there.take(patch.files)
        yield _built(patch.files, there, patch.subject.number)


def _added(files: Sequence[FileDiff]) -> list[str]:
    return [file.path for file in files if file.action is Action.ADDED]


# --- MAINTAINERS ----------------------------------------------------------------------------------


def _maintained(series: Series, desk: Desk) -> Result:
    rule = rules.MAINTAINERS
    new = [
        path
        for patch in series.patches
        for path in _added(patch.files)
        if not path.startswith(_NOBODYS) and not path.endswith(_BUILD)
    ]
    if not new:
        return Result(rule, Level.PASS, "it adds no file that needs an entry")
    if not any(section.values("F") for section in desk.maintainers.sections):
        return Result(rule, Level.SKIPPED, "MAINTAINERS names no files there")
    own = Maintainers([_of_series(series)])
    level = Level.PASS
    faults = []
    counts: dict[Section, int] = {}
    for path in new:
        if own.sections_of(path):
            continue
        title, count = _smallest(desk, path, new, counts)
        if count < _OWN:
            continue
        is_large = count >= _SUBSYSTEM
        level = Level.FAIL if is_large or level is Level.FAIL else Level.WARN
        holder = f"only {title}, of {count} files, takes it" if title else "no section takes it"
        faults.append(f"{path}: {holder}")
    if not faults:
        return Result(rule, Level.PASS, "each new file has a section of its own in MAINTAINERS")
    text = f"{len(faults)} new files without an entry of their own in MAINTAINERS"
    return Result(rule, level, text, detail=tuple(faults))


def _of_series(series: Series) -> Section:
    """Return the F: lines that a series adds to MAINTAINERS, as one section."""
    entries = [
        Entry("F", line[2:].decode("utf-8", "replace").strip(), 1)
        for patch in series.patches
        for file in patch.files
        if file.path == "MAINTAINERS"
        for hunk in file.hunks
        for line in hunk.side(b"+")
        if line.startswith(b"F:")
    ]
    return Section("ADDED", 0, tuple(entries))


def _smallest(
    desk: Desk, path: str, new: Sequence[str], counts: dict[Section, int]
) -> tuple[str | None, int]:
    """Return the section that takes a path and the fewest files, and their number.

    `counts` keeps the number for each section: a count looks at every file of the tree.
    """
    sections = [match.section for match in desk.maintainers.sections_of(path)]
    sections = [section for section in sections if section.title != THE_REST]
    for section in sections:
        if section not in counts:
            counts[section] = _count(section, desk, new)
    found = min(((counts[section], section.title) for section in sections), default=None)
    return (None, _SUBSYSTEM) if found is None else (found[1], found[0])


def _count(section: Section, desk: Desk, new: Sequence[str]) -> int:
    starts = tuple(_start(value) for value in section.values("F") if value)
    alone = Maintainers([section])
    near = [path for path in desk.snapshot.files if path.startswith(starts)]
    return sum(bool(alone.sections_of(path)) for path in dict.fromkeys((*near, *new)))


def _start(pattern: str) -> str:
    """Return what a glob begins with."""
    at = min((pattern.find(sign) for sign in _WILD if sign in pattern), default=len(pattern))
    return pattern[:at]


# --- selftests ------------------------------------------------------------------------------------


class _Beside:
    """The build files of selftests: the tree's, with the lines that patches add."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._texts: dict[str, bytes] = {}

    def take(self, files: Sequence[FileDiff]) -> None:
        for file in files:
            if file.path.startswith(_SELFTESTS) and file.path.endswith(
                ("/Makefile", "/.gitignore")
            ):
                came = [line for hunk in file.hunks for line in hunk.side(b"+")]
                self._texts[file.path] = b"\n".join((self.text(file.path), *came))

    def text(self, path: str) -> bytes:
        if path not in self._texts:
            self._texts[path] = self._desk.snapshot.read([path]).get(path, b"")
        return self._texts[path]


def _built(files: Sequence[FileDiff], there: _Beside, number: int) -> Result:
    rule = rules.CHECK_SELFTEST
    new = [path for path in _added(files) if path.startswith(_SELFTESTS) and "/net/" in path]
    faults = []
    for path in map(PurePosixPath, new):
        if path.name.endswith(".bpf.c") or path.suffix not in {".sh", ".py", ".c"}:
            continue
        is_source = path.suffix == ".c"
        word = path.name.partition(".")[0] if is_source else path.name
        places = ("Makefile", ".gitignore") if is_source else ("Makefile",)
        faults += [
            f"{path}: {word} isn't in the {place} beside it"
            for place in places
            if word.encode() not in there.text(str(path.with_name(place)))
        ]
    if faults:
        text = f"{len(faults)} omissions for new selftests"
        return Result(rule, Level.FAIL, text, number, tuple(faults))
    text = "new selftests are built and ignored" if new else "it adds no selftest of networking"
    return Result(rule, Level.PASS, text, number)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What was read from headers and found between versions, kept below `<store>/api/`.

Declarations are kept by blob oid and differences by the oids of both ends: contents that never
change, so that nothing here goes stale but by a new version of the code, which begins new files.
Whatever can't be read or written is read from the headers again: a cache is never an error.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kbisect.api.declarations import Declaration, Gap, Header, What
from kbisect.api.extraction import VERSION
from kbisect.api.findings import CallerChange, Caution, Compatibility, Finding

DIFFERENCE = 29
"""Counts up whenever the same versions would give other findings."""


class Blobs:
    """Declarations by blob oid: one line each in a file that only grows."""

    def __init__(self, store: Path) -> None:
        self.path = store / "api" / f"declarations-{VERSION}.jsonl"
        self._lines: dict[bytes, bytes] | None = None

    def get(self, path: str, oid: str) -> Header | None:
        """Return a blob's declarations as those of the header at `path`."""
        if self._lines is None:
            self._lines = {}
            try:
                content = self.path.read_bytes()
            except OSError:
                content = b""
            for line in content.split(b"\n"):
                key, _, rest = line.partition(b" ")
                self._lines[key] = rest
        found = self._lines.get(oid.encode("ascii"))
        if not found:
            return None
        try:
            declarations, gaps, includes = json.loads(found)
            return Header(
                path,
                tuple(_declaration(row, path) for row in declarations),
                tuple(Gap(path, line, text) for line, text in gaps),
                tuple(includes),
            )
        except (ValueError, TypeError):  # a line that a full disk cut off
            return None

    def add(self, headers: Iterable[tuple[str, Header]]) -> None:
        """Append blobs, by oid; a reader sees whole lines or ignores what is cut off."""
        lines = [
            f"{oid} {json.dumps(_header_row(header), separators=(',', ':'))}\n"
            for oid, header in headers
        ]
        if not lines:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                # A line that was cut off ends here.
                file.write(("\n" + "".join(lines)).encode())
        except OSError:
            return


def _header_row(header: Header) -> list[object]:
    return [
        [_row(declaration) for declaration in header.declarations],
        [(gap.line, gap.text) for gap in header.gaps],
        header.includes,
    ]


def placed(found: Declaration | None) -> list[object] | None:
    """Return a declaration with its header as JSON can keep it."""
    return None if found is None else [found.header, _row(found)]


def placed_of(row: Sequence[Any] | None) -> Declaration | None:
    """Read a declaration back."""
    return None if row is None else _declaration(row[1], row[0])


def _row(found: Declaration) -> list[object]:
    return [
        found.what.value,
        found.name,
        found.owner,
        found.line,
        found.text,
        found.type,
        found.parameters,
        found.sparse,
        found.condition,
    ]


_WHAT = {what.value: what for what in What}


def _declaration(row: Sequence[Any], path: str) -> Declaration:
    what, name, owner, line, text, type_text, parameters, sparse, condition = row
    return Declaration(
        _WHAT[what],
        name,
        owner,
        path,
        line,
        text,
        type_text,
        None if parameters is None else tuple(parameters),
        tuple(sparse),
        tuple(condition),
    )


class Answers:
    """What was answered, by all that was asked; one file each."""

    def __init__(self, store: Path, folder: str, *asked: object) -> None:
        words = json.dumps([VERSION, DIFFERENCE, *asked])
        name = hashlib.sha256(words.encode()).hexdigest()[:32]
        self.path = store / "api" / f"{folder}-{VERSION}.{DIFFERENCE}" / f"{name}.json"

    def get(self) -> Any:
        """Return what was answered, None when it wasn't asked before."""
        try:
            return json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return None

    def put(self, content: object) -> None:
        """Keep an answer: written beside, then put in place."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=self.path.parent)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(content, file, separators=(",", ":"))
                Path(beside).replace(self.path)
            except OSError:
                Path(beside).unlink(missing_ok=True)
        except OSError:
            return


class Differences:
    """Findings by the oids of both ends and what was asked."""

    def __init__(self, store: Path, *asked: object) -> None:
        self._kept = Answers(store, "diff", *asked)

    def get(self) -> tuple[tuple[Finding, ...], tuple[Gap, ...]] | None:
        """Return what was found, None when it wasn't asked before."""
        try:
            found, gaps = self._kept.get()
            return tuple(map(finding_of, found)), tuple(Gap(*gap) for gap in gaps)
        except (ValueError, TypeError, KeyError):
            return None

    def put(self, findings: Iterable[Finding], gaps: Iterable[Gap]) -> None:
        """Keep what was found."""
        # Which release contains a commit can change with the releases.
        rows = [finding_row(replace(finding, release=None)) for finding in findings]
        self._kept.put([rows, [(gap.header, gap.line, gap.text) for gap in gaps]])


_PLAIN = (
    *("kind", "name", "header", "new_name", "new_header", "condition", "old_condition", "commit"),
    *("confidence", "call_sites", "release"),
)
_LISTS = ("also", "signals", "replacements", "steps")


def finding_row(found: Finding) -> dict[str, object]:
    """Return a finding as JSON can keep it."""
    row: dict[str, object] = {name: getattr(found, name) for name in (*_PLAIN, *_LISTS)}
    for name, side in (("old", found.old), ("new", found.new)):
        row[name] = placed(side)
    row["compatibility"] = found.compatibility.value
    row["callers"] = [(one.use, one.became, one.count, one.commit) for one in found.callers]
    row["caution"] = (found.caution.text, found.caution.commit) if found.caution else None
    return row


def finding_of(row: dict[str, Any]) -> Finding:
    """Read a finding back."""
    values: dict[str, Any] = {name: row[name] for name in _PLAIN}
    values |= {name: tuple(row[name]) for name in _LISTS}
    for name in ("old", "new"):
        values[name] = placed_of(row[name])
    values["compatibility"] = Compatibility(row["compatibility"])
    values["callers"] = tuple(CallerChange(*one) for one in row["callers"])
    values["caution"] = Caution(*row["caution"]) if row["caution"] else None
    return Finding(**values)

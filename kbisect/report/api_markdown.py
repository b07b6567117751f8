# SPDX-License-Identifier: GPL-2.0-or-later
"""API differences and lives as Markdown, for an issue or a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kbisect.api.comparison import Result
from kbisect.api.findings import Finding
from kbisect.api.lives import Lives
from kbisect.report import api, api_answers
from kbisect.report.terminal import one_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def difference(result: Result, findings: Sequence[Finding], span: str) -> str:
    """Render a difference: one table a struct or header."""
    lines = [f"# Network API, {_text(span)}", ""]
    for (header, title), listed in api.grouped(findings):
        lines += [f"## {_text(title)} ({_text(header)})", ""]
        lines += _table(("change", "name", "was", "is", "commit"), map(_row, listed))
    if not findings:
        lines += ["No change of the network API.", ""]
    attributed = sum(finding.commit is not None for finding in findings)
    lines.append(
        f"{attributed} of {len(findings)} attributed; "
        f"{len(result.unclassified)} spans not understood."
    )
    lines += [f"- {_code(f'{gap.header}:{gap.line}: {gap.text}')}" for gap in result.unclassified]
    return "\n".join(lines) + "\n"


def history(lives: Lives) -> str:
    """Render the lives of a name and its fields, and what changed on the way."""
    lines = [f"# The life of {_text(lives.name)}", ""]
    lines += _table(
        ("name", "type", "since", "until", "became"),
        (
            (
                _code(life.name),
                _code(api_answers.type_of(life.declaration)),
                _when(life.since or lives.releases[0], life.since_commit),
                _when(life.until, life.until_commit),
                _code(life.became or ""),
            )
            for life in lives.lives
        ),
    )
    changed = api_answers.changed(lives)
    if changed:
        lines += ["## Changes of type and condition", ""]
        lines += _table(("change", "name", "was", "is", "commit"), map(_row, changed))
    return "\n".join(lines)


def _row(finding: Finding) -> tuple[str, ...]:
    told = api.told(finding)
    is_now = _code(finding.new.text) if finding.new is not None else _text(told.instead)
    if finding.new_name:
        is_now += f" ({_code(finding.new_name)})"
    if finding.callers:
        rows = [f"{row.use} → {row.became} ({row.count})" for row in finding.callers[:3]]
        is_now += "<br>callers: " + ", ".join(map(_text, rows))
    return (
        f"{finding.kind}, **{finding.compatibility.value}**"
        if finding.compatibility.value == "breaking"
        else f"{finding.kind}, {finding.compatibility.value}",
        _code(told.name),
        _code(finding.old.text) if finding.old is not None else "",
        is_now,
        "; ".join(
            filter(None, (_when(finding.release, finding.commit), api.uses_left(finding.uses_left)))
        ),
    )


def _when(release: str | None, commit: str | None) -> str:
    return " ".join(word for word in (_text(release or ""), (commit or "")[:12]) if word)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _text(words: str) -> str:
    return _SPECIAL.sub(r"\\\1", one_line(words))


def _code(words: str) -> str:
    """Write a code span that may stand in a table."""
    if not words:
        return ""
    words = one_line(words).replace("|", "\\|")
    marks = "`" * (max((len(run) for run in re.findall(r"`+", words)), default=0) + 1)
    pad = " " if "`" in words else ""
    return f"{marks}{pad}{words}{pad}{marks}"

# SPDX-License-Identifier: GPL-2.0-or-later
"""API differences as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from kbisect.api.comparison import Result
from kbisect.api.declarations import Declaration, Gap, What
from kbisect.api.findings import CallerChange, Compatibility, Finding
from kbisect.report.terminal import PLAIN, Style, printable

_TITLES = (
    ("BREAKING", (Compatibility.BREAKING, Compatibility.UNKNOWN)),
    ("ANNOTATION ONLY", (Compatibility.ANNOTATION_ONLY,)),
    ("COMPATIBLE", (Compatibility.COMPATIBLE,)),
)
_USES_SHOWN = 4
_BECAME_SHOWN = 3


def change(finding: Finding) -> dict[str, object]:
    """Return one change as the JSON document has it."""
    return {
        "kind": finding.kind,
        "also": finding.also,
        "name": finding.name,
        "new_name": finding.new_name,
        "replacements": finding.replacements,
        "header": finding.header,
        "new_header": finding.new_header,
        "old_decl": finding.old.text if finding.old is not None else None,
        "new_decl": finding.new.text if finding.new is not None else None,
        "condition": finding.condition,
        "old_condition": finding.old_condition,
        "compatibility": finding.compatibility,
        "commit": finding.commit,
        "release": finding.release,
        "steps": finding.steps,
        "confidence": finding.confidence,
        "signals": finding.signals,
        "call_sites": finding.call_sites,
        "callers": finding.callers,
        "caution": finding.caution,
        "line": finding.old.line if finding.old is not None else None,
        "new_line": finding.new.line if finding.new is not None else None,
    }


def unclassified(gap: Gap) -> dict[str, object]:
    """Return one span not understood as the JSON document has it."""
    return {"header": gap.header, "line": gap.line, "text": gap.text}


def text(result: Result, findings: Sequence[Finding], span: str, style: Style = PLAIN) -> str:
    """Render a difference for people.

    Parameters
    ----------
    result : Result
    findings : the findings to show
    span : str
        What was compared, as it was asked for: `v2.6.21..v2.6.22`.
    """
    lines: list[str] = []
    releases = {finding.release for finding in findings}
    note = f"   (all in {_short(releases)})" if len(releases) == 1 and None not in releases else ""
    for (header, title), group in groupby(findings, key=_place):
        if lines:
            lines.append("")
        lines.append(style(f"{title}   {header}   {span}{note}", "bold"))
        lines += _block(list(group), style, bool(note))
    if not findings:
        lines.append(f"no change of the network API   {span}")
    lines += _end(result, findings)
    return printable_lines(lines)


def printable_lines(lines: Iterable[str]) -> str:
    """Join lines."""
    return "\n".join(lines) + "\n"


def _place(finding: Finding) -> tuple[str, str]:
    declaration = finding.old or finding.new
    if declaration is None:
        return finding.header, "header"
    if declaration.what is What.FIELD:
        return finding.header, f"struct {declaration.owner}"
    return finding.header, "declarations"


def _short(releases: set[str | None]) -> str:
    return next(iter(releases)) or ""


def _block(findings: list[Finding], style: Style, one_release: bool) -> list[str]:
    lines = []
    for title, kinds in _TITLES:
        chosen = [finding for finding in findings if finding.compatibility in kinds]
        if not chosen:
            continue
        lines.append(style(title, "red" if title == "BREAKING" else "green"))
        cells = [_cells(finding, one_release) for finding in chosen]
        sizes = [max(len(row[column]) for row in cells) for column in range(3)]
        sizes = [min(size, limit) for size, limit in zip(sizes, (28, 26, 34), strict=True)]
        for finding, row in zip(chosen, cells, strict=True):
            padded = "  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=False))
            lines.append(printable(f"  {padded}  {row[3]}".rstrip()))
            lines += [printable(line) for line in _details(finding)]
        lines += [printable(line) for line in _notes(chosen)]
    return lines


def _cells(finding: Finding, one_release: bool) -> tuple[str, str, str, str]:
    old, new = finding.old, finding.new
    declaration = old or new
    name = finding.name
    if declaration is not None:
        name = declaration.name
    who = finding.commit[:12] if finding.commit else "commit unknown"
    if finding.release and not one_release:
        who += f" ({finding.release})"
    verb: str = finding.kind.rsplit("-", 1)[-1]
    if finding.kind == "condition-changed":
        needs = finding.condition or "nothing"
        was = finding.old_condition or "nothing"
        return name, f"needs {was}", f"-> {needs}", who
    if declaration is None:
        target = finding.new_name or finding.new_header
        return name, verb, f"-> {target}" if target else "", who
    if verb in ("added", "removed") or old is None or new is None:
        instead = f"-> {', '.join(finding.replacements[:3])}" if finding.replacements else ""
        if instead and finding.signals[:1] and finding.signals[0].startswith("perhaps"):
            instead = instead.replace("->", "perhaps", 1)
        return name, f"{verb} {_sort(declaration)}".strip(), instead, who
    if verb in ("renamed", "moved"):
        target = new.name if new.owner == old.owner else new.shown
        if new.key == old.key:
            target = finding.new_header or new.header
        type_text = "" if _type(old) == _type(new) else _type(new)
        return name, _type(old), f"-> {target}  {type_text}".rstrip(), who
    if "signature" in finding.kind or finding.kind == "kind-changed":
        return name, _sort(old), "" if old.what is new.what else f"-> {new.what.value}", who
    return name, _type(old), f"-> {_type(new)}", who


def _sort(declaration: Declaration) -> str:
    if declaration.what is What.FIELD:
        return "callback" if declaration.parameters is not None else _type(declaration)
    return str(declaration.what.value)


def _type(declaration: Declaration) -> str:
    if declaration.what in (What.FIELD, What.TYPEDEF):
        sparse = f" {' '.join(declaration.sparse)}" if declaration.sparse else ""
        if declaration.parameters is not None:
            return f"{declaration.type} (*)({', '.join(declaration.parameters)}){sparse}"
        return declaration.type + sparse
    return str(declaration.what.value)


def _details(finding: Finding) -> list[str]:
    if finding.kind.endswith("-signature") or "signature" in " ".join(finding.also):
        old = finding.old.text if finding.old is not None else ""
        new = finding.new.text if finding.new is not None else ""
        return [f"     - {old}", f"     + {new}"]
    return []


def _notes(findings: Iterable[Finding]) -> list[str]:
    """Say what callers use now, and why the new name alone won't do; one note for all alike."""
    lines = []
    cautions: dict[str, list[str]] = {}
    for finding in findings:
        if finding.caution is not None:
            commit = f" ({finding.caution.commit[:12]})" if finding.caution.commit else ""
            name = finding.old.name if finding.old is not None else finding.name
            cautions.setdefault(finding.caution.text + commit, []).append(name)
    for words, names in cautions.items():
        lines.append(f"     {', '.join(names)}: {words}")
    told = [finding for finding in findings if finding.callers]
    if told:
        lines.append("     Callers now use")
    for finding in told:
        lines += [f"       {line}" for line in _callers(finding.callers)]
    return lines


def _callers(callers: Sequence[CallerChange]) -> list[str]:
    uses: dict[str, list[CallerChange]] = {}
    for row in callers:
        uses.setdefault(row.use, []).append(row)
    lines = []
    for use, rows in list(uses.items())[:_USES_SHOWN]:
        became = ", ".join(f"{row.became} {row.commit[:12]}" for row in rows[:_BECAME_SHOWN])
        more = f", {len(rows) - _BECAME_SHOWN} more" if len(rows) > _BECAME_SHOWN else ""
        total = sum(row.count for row in rows)
        lines.append(f"{use} ({total} {'use' if total == 1 else 'uses'}): {became}{more}")
    if len(uses) > _USES_SHOWN:
        lines.append(f"and {len(uses) - _USES_SHOWN} more, see --json")
    return lines


def _end(result: Result, findings: Sequence[Finding]) -> list[str]:
    spans = len(result.unclassified)
    word = "span" if spans == 1 else "spans"
    understood = f"{spans} {word} not understood"
    lines = []
    if not result.attributed:
        lines.append(f"{len(findings)} changes, not attributed: there is no history; {understood}.")
    elif findings:
        known = [finding for finding in findings if finding.commit]
        lines.append(f"{len(known)} of {len(findings)} attributed; {understood}.")
        inferred = [f for f in findings if f.confidence < 1]
        if inferred:
            least = min(inferred, key=lambda finding: finding.confidence)
            lines.append(
                f"{len(inferred)} renamed or moved, by hunk and callers; the least sure:"
                f" {least.name} {least.confidence:.2f} ({'; '.join(least.signals)})."
            )
    else:
        lines.append(f"{understood}.")
    lines += [
        f"  not understood: {gap.header}:{gap.line}: {gap.text[:80]}"
        for gap in result.unclassified[:5]
    ]
    named = next((finding.commit for finding in findings if finding.commit), None)
    if named is not None:
        lines.append(f"Next: kbisect show {named[:12]}")
    return lines

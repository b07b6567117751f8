# SPDX-License-Identifier: GPL-2.0-or-later
"""API differences as text and as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from kbisect.api.comparison import Result
from kbisect.api.declarations import Declaration, Gap, What
from kbisect.api.findings import CallerChange, Compatibility, Finding, UsesLeft
from kbisect.report.terminal import PLAIN, Style, printable

TITLES = (
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
        "uses_left": finding.uses_left,
        "callers": finding.callers,
        "caution": finding.caution,
        "line": finding.old.line if finding.old is not None else None,
        "new_line": finding.new.line if finding.new is not None else None,
    }


def unclassified(gap: Gap) -> dict[str, object]:
    """Return one span not understood as the JSON document has it."""
    return {"header": gap.header, "line": gap.line, "text": gap.text}


def text(
    result: Result,
    findings: Sequence[Finding],
    span: str,
    style: Style = PLAIN,
    columns: int | None = None,
    tree: str = "",
    asked: str = "",
) -> str:
    """Render a difference for people.

    Parameters
    ----------
    result : Result
    findings : the findings to show
    span : str
        What was compared, as it was asked for: `v2.6.21..v2.6.22`.
    columns : int, optional
        Width of the terminal; without one nothing is cut off.
    tree : str
        Where the uses left of old names were counted.
    asked : str
        The structs and headers that were asked for; nothing for the whole API.
    """
    lines: list[str] = []
    releases = {finding.release for finding in findings}
    note = f"   (all in {_short(releases)})" if len(releases) == 1 and None not in releases else ""
    groups = grouped(findings)
    broken = sum(_breaks(finding) for finding in findings)
    if len(groups) > 1 and 0 < broken < len(findings):
        # What breaks is what people came for; it is lost among the additions of a release.
        groups.sort(key=lambda group: not any(map(_breaks, group[1])))
        lines.append(f"{len(findings):,} changes, {broken:,} of them breaking: those first")
    for (header, title), listed in groups:
        if lines:
            lines.append("")
        lines.append(style(f"{title}   {header}   {span}{note}", "bold"))
        lines += _block(listed, style, bool(note), columns)
    if not findings:
        sort = "breaking change" if result.findings else "change"
        lines.append(f"no {sort} of {asked or 'the network API'}   {span}")
    lines += _end(result, findings, tree)
    return printable_lines(lines)


def printable_lines(lines: Iterable[str]) -> str:
    """Join lines."""
    return "\n".join(lines) + "\n"


def grouped(findings: Iterable[Finding]) -> list[tuple[tuple[str, str], list[Finding]]]:
    """Return findings by (header, struct), in their order."""
    return [(place, list(group)) for place, group in groupby(findings, key=place)]


def _breaks(finding: Finding) -> bool:
    return finding.compatibility in TITLES[0][1]


@dataclass(frozen=True, slots=True)
class Told:
    """What every form says of one finding: its short name, and what stands instead of it."""

    name: str
    instead: str


def told(finding: Finding) -> Told:
    """Return the short name, and the replacements where there is no new declaration."""
    declaration = finding.old or finding.new
    guess = finding.signals[:1] and finding.signals[0].startswith("perhaps")
    instead = ", ".join(finding.replacements) or finding.new_name or finding.new_header or ""
    words = f"perhaps {instead}" if guess and instead else instead
    return Told(declaration.name if declaration is not None else finding.name, words)


def place(finding: Finding) -> tuple[str, str]:
    """Return where a change is listed: its header, and its struct or `declarations`."""
    declaration = finding.old or finding.new
    if declaration is None:
        return finding.header, "header"
    if declaration.what is What.FIELD:
        return finding.header, f"struct {declaration.owner}"
    if declaration.what is What.SYMBOL:
        return "net/, drivers/net/", "exported symbols"
    return finding.header, "declarations"


def _short(releases: set[str | None]) -> str:
    return next(iter(releases)) or ""


def _block(
    findings: list[Finding], style: Style, one_release: bool, columns: int | None
) -> list[str]:
    lines = []
    for title, kinds in TITLES:
        chosen = [finding for finding in findings if finding.compatibility in kinds]
        if not chosen:
            continue
        lines.append(style(title, "red" if title == "BREAKING" else "green"))
        needing = [finding for finding in chosen if finding.kind == "condition-changed"]
        plain = [finding for finding in chosen if finding.kind != "condition-changed"]
        rows = [_cells(finding, one_release) for finding in plain] + _needs(needing, one_release)
        told = {place: _details(finding) for place, finding in enumerate(plain)}
        for place, line in enumerate(_aligned(rows, columns)):
            lines.append(printable(line))
            lines += [printable(detail) for detail in told.get(place, ())]
        lines += [printable(line) for line in _notes(chosen)]
    return lines


@dataclass(frozen=True, slots=True)
class _Row:
    """Name, what it was, `-> name`, what it is, who; or name, a text over three columns, who."""

    name: str
    was: str
    arrow: str
    now: str
    who: str
    over: bool = False


_PADDED = 44  # what is longer shifts its own line only
_LEAST = 12


def _aligned(rows: Sequence[_Row], columns: int | None) -> list[str]:
    """Align rows by their content; in a narrow terminal long types are cut."""
    plain = [row for row in rows if not row.over] or [_Row("", "", "", "", "")]

    def widest(texts: Iterable[str]) -> int:
        return min(_PADDED, max(map(len, texts), default=0))

    name = widest(row.name for row in rows)
    was, arrow, now = (
        widest(getattr(row, field) for row in plain) for field in ("was", "arrow", "now")
    )
    who = max(len(row.who) for row in rows)
    if columns is not None:
        spare = columns - (2 + name + 2 + arrow + 2 + 2 + 2 + who)
        while was + now > max(spare, 2 * _LEAST) and max(was, now) > _LEAST:
            was, now = (was - 1, now) if was >= now else (was, now - 1)
    middle = sum(size + 2 for size in (was, arrow, now) if size) - 2
    over = widest(row.was for row in rows if row.over)
    if columns is None and over > middle:  # the last column takes what is missing
        if now:
            now += over - middle
        elif arrow:
            arrow += over - middle
        else:
            was = over
    lines = []
    for row in rows:
        if row.over:
            cells = [(row.was, max(sum(s + 2 for s in (was, arrow, now) if s) - 2, 0))]
        else:
            cells = [(row.was, was), (row.arrow, arrow), (row.now, now)]
        listed = [(row.name, name), *((text, size) for text, size in cells if size)]
        text = "  ".join(_fit(text, size, columns).ljust(size) for text, size in listed)
        lines.append(f"  {text}  {row.who}".rstrip())
    return lines


def _fit(text: str, size: int, columns: int | None) -> str:
    return text if columns is None or len(text) <= size else text[: size - 1] + "…"


def _who(finding: Finding, one_release: bool) -> str:
    who = finding.commit[:12] if finding.commit else "commit unknown"
    who = f"{who} ({finding.release})" if finding.release and not one_release else who
    left = uses_left(finding.uses_left)
    return f"{who}; {left}" if left else who


def uses_left(left: UsesLeft | None) -> str:
    """Say how many lines use an old name still; empty if none does or nobody counted.

    >>> uses_left(UsesLeft(3, 5))
    '3 to 5 uses left'
    """
    if left is None or not left.possible:
        return ""
    if left.certain == left.possible:
        return f"{left.possible} {'use' if left.possible == 1 else 'uses'} left"
    least = f"{left.certain} to" if left.certain else "at most"
    return f"{least} {left.possible} {'use' if left.possible == 1 else 'uses'} left"


def _needs(findings: Iterable[Finding], one_release: bool) -> list[_Row]:
    """Say which configuration declarations need now; one row for all alike."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        words = _needed(finding.old_condition or "", finding.condition or "")
        alike.setdefault((words, _who(finding, one_release)), []).append(finding)
    rows = []
    for (words, who), listed in alike.items():
        names = [finding.old.name if finding.old else finding.name for finding in listed]
        plural = words if len(names) > 1 else re.sub(r"\bneed\b", "needs", words, count=1)
        rows.append(_Row(", ".join(names), plural, "", "", who, over=True))
    return rows


def _needed(old: str, new: str) -> str:
    """Tell two conditions apart in a few words.

    >>> _needed("CONFIG_NETFILTER", "CONFIG_NF_CONNTRACK")
    'now need NF_CONNTRACK (not NETFILTER)'
    """
    short = [re.sub(r"\bCONFIG_", "", text) for text in (old, new)]
    if "||" in f"{old}{new}":
        return f"now need {short[1] or 'nothing'} (was {short[0] or 'nothing'})"
    was, now = ([term for term in text.split(" && ") if term] for text in short)
    gained = [term for term in now if term not in was]
    lost = [term for term in was if term not in now]
    if not gained:
        return f"no longer need {' and '.join(lost)}"
    return f"now need {' and '.join(gained)}" + (f" (not {' and '.join(lost)})" if lost else "")


def _cells(finding: Finding, one_release: bool) -> _Row:
    old, new = finding.old, finding.new
    declaration = old or new
    name = finding.name
    if declaration is not None:
        name = declaration.name
    who = _who(finding, one_release)
    verb: str = finding.kind.rsplit("-", 1)[-1]
    if declaration is None:
        target = finding.new_name or finding.new_header
        return _Row(name, verb, f"-> {target}" if target else "", "", who)
    if verb in ("added", "removed") or old is None or new is None:
        instead = f"-> {', '.join(finding.replacements[:3])}" if finding.replacements else ""
        if instead and finding.signals[:1] and finding.signals[0].startswith("perhaps"):
            instead = instead.replace("->", "perhaps", 1)
        if declaration.what is What.SYMBOL:
            return _Row(name, f"{verb} {declaration.header}", "", "", who)
        return _Row(name, f"{verb} {_sort(declaration)}".strip(), instead, "", who)
    if verb in ("renamed", "moved"):
        target = new.name if new.owner == old.owner else new.shown
        if new.key == old.key:
            target = finding.new_header or new.header
        type_text = "" if _type(old) == _type(new) else _type(new)
        return _Row(name, _type(old), f"-> {target}", type_text, who)
    if "signature" in finding.kind or finding.kind == "kind-changed":
        became = "" if old.what is new.what else f"-> {new.what.value}"
        return _Row(name, _sort(old), became, "", who)
    return _Row(name, _type(old), f"-> {_type(new)}", "", who)


def _sort(declaration: Declaration) -> str:
    if declaration.what is What.FIELD:
        return "callback" if declaration.parameters is not None else _type(declaration)
    return str(declaration.what.value)


def _type(declaration: Declaration) -> str:
    if declaration.what in (What.FIELD, What.TYPEDEF, What.SYMBOL):
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


def _end(result: Result, findings: Sequence[Finding], tree: str) -> list[str]:
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
    counted = [finding.uses_left for finding in findings if finding.uses_left is not None]
    if counted:
        idle = sum(left.possible == 0 for left in counted)
        names = "old name is" if len(counted) == 1 else "old names are"
        lines.append(f"{idle} of {len(counted)} {names} used no more in {tree}.")
    lines += [
        f"  not understood: {gap.header}:{gap.line}: {gap.text[:80]}"
        for gap in result.unclassified[:5]
    ]
    named = next((finding.commit for finding in findings if finding.commit), None)
    if named is not None:
        lines.append(f"Next: kbisect show {named[:12]}")
    return lines

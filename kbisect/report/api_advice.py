# SPDX-License-Identifier: GPL-2.0-or-later
"""What to write instead of lines that an API change breaks, as text and as JSON."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import groupby

from kbisect.api.complaints import Trouble
from kbisect.api.endings import Ending
from kbisect.api.explained import Explanation, Verdict
from kbisect.api.findings import Finding
from kbisect.api.usage import Hit
from kbisect.api.writing import Advice
from kbisect.report.api import change
from kbisect.report.terminal import PLAIN, Style, name, printable


def explanation(found: Explanation) -> dict[str, object]:
    """Return one explanation as the JSON document has it."""
    complaint = found.complaint
    return {
        "file": complaint.file or None,
        "line": complaint.line or None,
        "message": complaint.message,
        "trouble": complaint.trouble,
        "verdict": found.verdict,
        "name": found.name,
        "release": found.release,
        "commit": found.finding.commit if found.finding is not None else None,
        "subject": found.subject or None,
        "use": found.use or None,
        "write": found.advice.write or None,
        "includes": found.advice.includes,
        "left_out": found.advice.left_out,
        "ending": found.advice.ending,
        "home": found.advice.home or None,
        "example": found.advice.example,
        "guard": found.guard or None,
        "test": found.test or None,
        "declaration": found.declaration.text if found.declaration is not None else None,
        "callers": found.advice.callers,
        "change": change(found.finding) if found.finding is not None else None,
        "nearest": found.nearest,
        "known_until": found.known_until or None,
        "follows": found.follows or None,
    }


def explanations(found: Sequence[Explanation], unread: int, style: Style = PLAIN) -> str:
    """Render explanations for people; `unread` errors had none of the known forms."""
    lines = [line for each in found for line in (*_explanation(each, style), "")]
    known = sum(each.verdict is not Verdict.UNKNOWN for each in found)
    total = len(found) + unread
    lines.append(f"{total} {'error' if total == 1 else 'errors'}, {known} explained.")
    if unread:
        lines.append(
            f"{unread} of another kind or in another language: LC_ALL=C make 2>&1 shows English."
        )
    return "\n".join(map(printable, lines)) + "\n"


_GONE = {
    Verdict.GONE: "gone in",
    Verdict.CHANGED: "changed in",
    Verdict.MOVED: "moved in",
    Verdict.NEW: "new in",
}


_MARGIN = 12
_WIDTH = 76


def _explanation(found: Explanation, style: Style) -> list[str]:
    complaint = found.complaint
    place = f"{complaint.file}:{complaint.line}: " if complaint.line else ""
    lines = [style(f"{place}{complaint.message}", "bold")]
    finding = found.finding
    if found.follows:
        return [*lines, f"  follows from {found.follows} in the same line"]
    if found.verdict is Verdict.UNKNOWN:
        near = ", ".join(found.nearest) or "none"
        said = (
            "not a network header: kbisect reads no others"
            if complaint.trouble is Trouble.HEADER
            else f"not in the indexed API: your own symbol? Nearest: {near}."
        )
        return [*lines, f"  {said}"]
    if found.verdict is Verdict.SAME:
        return lines + _unchanged(found)
    if found.release:
        commit = finding.commit if finding is not None else None
        who = f", {name(commit, found.subject)}" if commit else ""
        who = who or (f' ("{found.subject}")' if found.subject else "")
        lines += _row(_GONE[found.verdict], f"{found.release}{who}", wrapped=True)
    if found.declaration is not None and found.verdict in (Verdict.MOVED, Verdict.NEW):
        lines += _row("there in", found.declaration.header)
    if found.use:
        lines += _row("your use", found.use)
    lines += _advised(found)
    if finding is not None and finding.caution is not None:
        since = f" ({finding.caution.commit[:12]})" if finding.caution.commit else ""
        target = (finding.new_name or finding.name).rsplit(".", 1)[-1]
        lines += _row("not", f"->{target}: {finding.caution.text.removeprefix(_CAUTION)}{since}")
    if found.guard:
        lines += _row("guard", found.guard)
        if found.test and found.verdict is Verdict.GONE:
            lines += _row("", f"better: {found.test} exists; distributions backport it")
    return lines


def _unchanged(found: Explanation) -> list[str]:
    """Say of something that is there as it always was where it is, and what it looks like."""
    since = f"{found.release} to " if found.release else "every release up to "
    lines = _row("the same", f"{since}{found.known_until}, the last looked at", wrapped=True)
    if found.declaration is not None:
        lines += _row("there in", found.declaration.header)
        lines += _row("as", found.declaration.text)
    return lines


_CAUTION = "not a drop-in: "


def _row(title: str, text: str, *, wrapped: bool = False) -> list[str]:
    """Return a title and its text; only prose is wrapped, code stays as it is."""
    texts = textwrap.wrap(text, _WIDTH - _MARGIN, break_on_hyphens=False) if wrapped else [text]
    heads = [f"  {title}".ljust(_MARGIN - 1) + " ", *(" " * _MARGIN for _ in texts[1:])]
    return [head + part for head, part in zip(heads, texts, strict=True)]


def _advised(found: Explanation) -> list[str]:
    """Say what to write, and by whose example."""
    finding, advice = found.finding, found.advice
    lines = []
    if advice.write:
        lines += _row("write", advice.write)
        lines += [row for header in advice.includes for row in _row("with", f"#include <{header}>")]
    elif advice.left_out:
        lines += _row("write", f"nothing: {advice.left_out} callers left such a line out")
    elif advice.ending is not None:
        lines += _row("write", f"nothing: {_ended(advice)}", wrapped=True)
    if finding is not None and found.verdict is Verdict.CHANGED and finding.old and finding.new:
        lines += [*_row("was", finding.old.text), *_row("is", finding.new.text)]
    if advice.callers:
        use = advice.callers[0].use
        total = sum(each.count for each in advice.callers if each.use == use)
        became = ", ".join(f"{x.became} {x.count}" for x in advice.callers[:3] if x.use == use)
        lines += _row("callers", f"{total} uses of {use}: {became}")
    elif finding is not None and finding.replacements and not _is_constant(finding):
        lines += _row("perhaps", ", ".join(finding.replacements[:3]))
    if advice.example is not None:
        example = advice.example
        lines += _row("as in", f"{example.path} ({example.commit[:12]})")
        lines += _row("", f"- {example.before}")
        lines += _row("", f"+ {example.after}") if example.after else []
    return lines


def _ended(advice: Advice) -> str:
    """Say why nothing takes the place of a name."""
    if advice.ending is Ending.PRIVATE:
        return f"{advice.home} keeps it for itself now; do without"
    if advice.ending is Ending.DROPPED:
        return "that commit dropped all that used it, nothing took its place; do without"
    return "nothing in the tree used it any more when it went; do without"


def hit(found: Hit, advice: Advice) -> dict[str, object]:
    """Return one use of what changed as the JSON document has it."""
    return {
        "file": found.file,
        "line": found.line,
        "text": found.text,
        "sure": found.sure,
        "write": advice.write or None,
        "left_out": advice.left_out,
        "ending": advice.ending,
        "change": change(found.finding),
    }


def hits(found: Sequence[tuple[Hit, Advice]], span: str, style: Style = PLAIN) -> str:
    """Render the lines that changes break, each with the line to write instead if it is known."""
    lines = []
    for _, group in groupby(found, lambda each: (each[0].file, each[0].line)):
        listed = list(group)
        for one, _ in listed:
            finding = one.finding
            unsure = "" if one.sure else "perhaps "
            verb = finding.kind.replace("-", " ")
            who = f" {finding.commit[:12]}" if finding.commit else ""
            head = style(f"{one.file}:{one.line}: {unsure}{finding.name}: {verb}", "bold")
            lines.append(f"{head}{_target(finding)}{who}")
        is_told = any(each.write or each.left_out or each.ending for _, each in listed)
        lines.append(f"  {'-' if is_told else ' '} {listed[0][0].text}")
        lines += _instead(listed)
    files = len({one.file for one, _ in found})
    hit = len({(one.file, one.line) for one, _ in found})
    lines.append(
        f"{hit} {'line' if hit == 1 else 'lines'} in {files}"
        f" {'file' if files == 1 else 'files'} break between {span}."
        if found
        else f"nothing that breaks was found between {span}: what macros hide was not seen."
    )
    return "\n".join(map(printable, lines)) + "\n"


def _instead(listed: Sequence[tuple[Hit, Advice]]) -> list[str]:
    """Return what to write instead of a line; without that, what shows it best."""
    if text := listed[0][1].write:
        names = [one.finding.name for one, _ in listed if one.sure and "." in one.finding.name]
        left = [name for name in names if re.search(rf"(?:->|\.){name.split('.')[-1]}\b", text)]
        return [f"  + {text}", *(f"    still to be replaced: {name}" for name in left)]
    for one, advice in listed:
        new = one.finding.new
        if advice.left_out:
            return [f"    {advice.left_out} callers left such a line out"]
        if advice.ending is not None:
            return [f"    {_ended(advice)}"]
        if advice.example is not None and advice.example.after:
            example = advice.example
            return [
                f"    {example.path} had and has",
                f"      {example.before}",
                f"      {example.after}",
            ]
        if one.finding.kind.endswith("-signature") and new is not None:
            return [f"    now {new.text}"]
    return []


def _is_constant(finding: Finding) -> bool:
    """Whether a guess at what took its place says nothing: constants are all alike."""
    return finding.kind.startswith("enumerator")


def _target(finding: Finding) -> str:
    """Return what took a name's place, a guess called one."""
    listed = ", ".join(finding.replacements[:2])
    if finding.new_name:
        return f" -> {finding.new_name}"
    if not listed or _is_constant(finding):
        return ""
    return f" -> {listed}" if finding.callers else f", perhaps {listed}"

# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers to a driver author's questions, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from kbisect.api.complaints import Trouble
from kbisect.api.declarations import Declaration, What
from kbisect.api.dictionary import Entry
from kbisect.api.explanation import Explanation, Verdict
from kbisect.api.findings import Finding
from kbisect.api.lives import Life, Lives
from kbisect.api.probes import Turn
from kbisect.api.references import Place, References
from kbisect.api.usage import Hit
from kbisect.api.writing import Advice
from kbisect.report.api import change, uses_left
from kbisect.report.terminal import PLAIN, Style, name, printable, table

# What is told in one line of a terminal.
_SHOWN = 76


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
        "left_out": found.advice.left_out,
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
    texts = textwrap.wrap(text, _SHOWN - _MARGIN, break_on_hyphens=False) if wrapped else [text]
    heads = [f"  {title}".ljust(_MARGIN - 1) + " ", *(" " * _MARGIN for _ in texts[1:])]
    return [head + part for head, part in zip(heads, texts, strict=True)]


def _advised(found: Explanation) -> list[str]:
    """Say what to write, and by whose example."""
    finding, advice = found.finding, found.advice
    lines = []
    if advice.write:
        lines += _row("write", advice.write)
    elif advice.left_out:
        lines += _row("write", f"nothing: {advice.left_out} callers left such a line out")
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


def hit(found: Hit, advice: Advice) -> dict[str, object]:
    """Return one use of what changed as the JSON document has it."""
    return {
        "file": found.file,
        "line": found.line,
        "text": found.text,
        "sure": found.sure,
        "write": advice.write or None,
        "left_out": advice.left_out,
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
        lines.append(f"  - {listed[0][0].text}")
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
    if listed[0][1].write:
        return [f"  + {listed[0][1].write}"]
    for one, advice in listed:
        new = one.finding.new
        if advice.left_out:
            return [f"    {advice.left_out} callers left such a line out"]
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


def life(found: Life) -> dict[str, object]:
    """Return one life as the JSON document has it."""
    return {
        "name": found.name,
        "decl": found.declaration.text,
        "header": found.declaration.header,
        "since": found.since,
        "since_commit": found.since_commit,
        "until": found.until,
        "until_commit": found.until_commit,
        "became": found.became,
    }


def history(found: Lives, style: Style = PLAIN) -> str:
    """Render the lives of a name and its fields."""
    first = found.releases[0] if found.releases else ""

    def row(each: Life) -> tuple[str, ...]:
        since = f"{each.since} {(each.since_commit or '')[:12]}" if each.since else first
        until = f"{each.until} {(each.until_commit or '')[:12]}" if each.until else ""
        return each.name, type_of(each.declaration), since.strip(), until.strip(), each.became or ""

    text = table(("name", "type", "since", "until", "became"), map(row, found.lives), style)
    events = changed(found)
    if events:
        rows = [
            (
                event.name,
                event.release or "",
                (event.commit or "")[:12],
                was,
                f"-> {now}" if now else "",
            )
            for event in events
            for was, now in (_sides(event),)
        ]
        text += "\n" + table(("changed", "in", "by", "was", "is"), rows, style)
    if unknown := _without_heir(found):
        text += f"What callers of {unknown[0]} use now: kbisect api diff {unknown[1]}\n"
    return text


def _without_heir(found: Lives) -> tuple[str, str] | None:
    """Return the member that went last with nothing in its place, and the difference that tells.

    A life is read from the commits that change the declaration; callers may have been converted by
    others, which only a difference reads.
    """
    gone = [life for life in found.lives if life.until and not life.became and "." in life.name]
    for life in reversed(gone):
        for event, (old, new) in zip(found.events, found.spans, strict=True):
            ended = event.release == life.until and event.commit == life.until_commit
            if ended and f"{life.name}.".startswith(f"{event.name}."):
                return life.name, f"{old} {new} --struct {life.declaration.owner}"
    return None


def changed(found: Lives) -> list[Finding]:
    """Return the changes that neither begin nor end a life."""
    ends = ("-added", "-removed", "-renamed", "-moved")
    return [event for event in found.events if not event.kind.endswith(ends)]


def _sides(event: Finding) -> tuple[str, str]:
    """Return what an event changed, before and after: the type, else the configuration it needs."""
    was, now = (type_of(side) if side else "" for side in (event.old, event.new))
    if was == now and event.kind == "condition-changed":
        return event.old_condition or "always", event.condition or "always"
    return was, now


def type_of(declaration: Declaration | None) -> str:
    """Return the type of a declaration in few words; of a struct the word."""
    if declaration is None:
        return ""
    if declaration.what in (What.STRUCT, What.UNION, What.ENUM, What.ENUMERATOR):
        return str(declaration.what.value)
    if declaration.parameters is not None and declaration.what is not What.MACRO:
        star = " (*)" if declaration.what is What.FIELD else " "
        return f"{declaration.type}{star}({', '.join(declaration.parameters)})"
    return declaration.type if declaration.what is not What.MACRO else declaration.text


def went(end: Finding) -> str:
    """Say when a name went, and who uses it still."""
    told = f"it went in {end.release}" if end.release else "it went"
    told += f", {end.commit[:12]}" if end.commit else ""
    told += f", for {end.new_name}" if end.new_name else ""
    return f": {told}; {uses_left(end.uses_left) or 'no use left'}"


def entry(found: Entry, lives: Lives | None, former: Sequence[Finding] = ()) -> dict[str, object]:
    """Return a dictionary entry as the JSON document has it.

    `former` are the changes by which it took the place of other names, with their uses left.
    """
    known = {each.name: each for each in lives.lives if each.until is None} if lives else {}

    def one(declaration: Declaration) -> dict[str, object]:
        since = known.get(declaration.shown)
        return {
            "name": declaration.shown,
            "decl": declaration.text,
            "type": declaration.type,
            "parameters": declaration.parameters,
            "header": declaration.header,
            "line": declaration.line,
            "condition": " && ".join(declaration.condition) or None,
            "doc": found.docs.get(declaration.name),
            "since": since.since if since else None,
            "commit": since.since_commit if since else None,
        }

    return {
        **one(found.declarations[0]),
        "variants": [one(each) for each in found.declarations],
        "doc": found.doc or None,
        "accessors": found.accessors,
        "fields": [one(each) for each in found.fields],
        "formerly": [
            {
                "name": each.name,
                "release": each.release,
                "commit": each.commit,
                "uses_left": each.uses_left,
            }
            for each in former
        ],
    }


def shown(
    found: Entry,
    lives: Lives | None,
    former: Sequence[Finding],
    at: str,
    style: Style = PLAIN,
) -> str:
    """Render a dictionary entry; `former` as in `entry`."""
    known = {each.name: each for each in lives.lives if each.until is None} if lives else {}
    lines = [style(f"{found.name}   {found.declarations[0].header}   at {at}", "bold")]
    for each in found.declarations:
        needs = f"   needs {' && '.join(each.condition)}" if each.condition else ""
        lines.append(f"  {each.header}:{each.line}: {each.text}{needs}")
    since = known.get(found.name)
    if since is not None and since.since:
        commit = f" {since.since_commit[:12]}" if since.since_commit else ""
        lines.append(f"  since {since.since}{commit}")
    for event in former:
        who = " ".join(filter(None, (event.release, (event.commit or "")[:12])))
        left = uses_left(event.uses_left) or "no use left"
        lines.append(f"  in the place of {event.name} since {who}; {left}")
    if found.accessors:
        lines.append(f"  accessors: {', '.join(found.accessors)}")
    if found.doc:
        lines += ["", *(f"  {line}".rstrip() for line in found.doc.splitlines())]
    text = "\n".join(map(printable, lines)) + "\n"
    if found.fields:
        rows = []
        for each in found.fields:
            began = known.get(each.shown)
            rows.append(
                (
                    each.name,
                    type_of(each),
                    " && ".join(each.condition),
                    (began.since or "") if began else "",
                    found.docs.get(each.name, "")[:_SHOWN],
                )
            )
        text += "\n" + table(("field", "type", "needs", "since", ""), rows, style)
    return text


def references(found: References) -> str:
    """Render places as grep prints them, definitions first."""
    return "".join(
        f"{printable(place.file)}:{place.line}:{printable(place.text)}\n"
        for place in (*found.definitions, *found.references)
    )


def uses(found: References, asked: str, everywhere: bool) -> str:
    """Say how many uses there are, where was looked, and how far to trust that."""
    files = len({place.file for place in found.references})
    count = len(found.references)
    told = (
        f"{count} {'use' if count == 1 else 'uses'} in {files} {'file' if files == 1 else 'files'}"
    )
    if "." in asked:
        told += f" of a member {asked.rsplit('.', 1)[-1]}, of whatever struct"
    return told if everywhere else f"{told} in net, drivers/net and include (--all: everywhere)"


def places(listed: Iterable[Place]) -> list[dict[str, object]]:
    """Return places as the JSON document has them."""
    return [{"file": each.file, "line": each.line, "text": each.text} for each in listed]


def turns(
    found: Sequence[Turn], expression: str, subject: Callable[[str], str], style: Style = PLAIN
) -> str:
    """Render when a probe began and ended to hold."""
    if not found:
        return f"never: {printable(expression)}\n"
    lines = [style(printable(expression), "bold")]
    for turn in found:
        word = "holds" if turn.holds else "ends"
        who = f" by {name(turn.commit, subject(turn.commit))}" if turn.commit else ""
        when = f"in {turn.release}" if turn.release else "since the first release indexed"
        lines.append(f"  {word} {when}{who}")
        if turn.holds:
            lines.append(f"        {printable(turn.text)}")
    return "\n".join(lines) + "\n"

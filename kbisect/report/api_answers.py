# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a name, as text and as JSON: its entry, its life, its uses, a probe of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kbisect.api.declarations import Declaration, What
from kbisect.api.dictionary import Entry
from kbisect.api.findings import Finding
from kbisect.api.lives import Life, Lives
from kbisect.api.probes import Turn
from kbisect.api.references import Place, References
from kbisect.report.api import uses_left
from kbisect.report.terminal import PLAIN, Style, name, printable, table

# What is told in one line of a terminal.
_SHOWN = 76


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

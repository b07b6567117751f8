# SPDX-License-Identifier: GPL-2.0-or-later
"""The history room's findings as text."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kbisect.history.messages import LinkKind
from kbisect.history.releases import Release, State, Window
from kbisect.report.document import plain, utc
from kbisect.report.terminal import Style, name, printable, table

if TYPE_CHECKING:
    import networkx as nx

    from kbisect.history.answers import Answer
    from kbisect.history.index import Outcome
    from kbisect.history.queries import Query
    from kbisect.history.story import Relation, Story


_OID = re.compile(r"[0-9a-f]{40}")


def day(seconds: int) -> str:
    """Return a date for people, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def indexed(outcome: Outcome, style: Style) -> str:
    """Say what `kbisect index` did."""
    trees = [f"{each.tree} = {each.ref}, by {each.why}" for each in outcome.taken]
    if not trees:
        import textwrap

        from kbisect.history.trees import URLS

        trees = [
            "none recognised by remotes or branches; say which branch is which:",
            "kbisect index --tree net=REF, where REF is a branch, the tree one of",
            *textwrap.wrap(", ".join(name for name in URLS if name != "stable"), 64),
            "or a name of your own",
        ]
    listed = "\n            ".join(map(printable, trees))
    source = " (from the Makefile: there are no tags)" if outcome.derived else ""
    if outcome.mode == "current":
        head = f"up to date: {outcome.in_scope:,} of {outcome.commits:,} commits in scope"
    else:
        head = (
            f"indexed {outcome.in_scope:,} of {outcome.commits:,} commits"
            f" ({outcome.new:,} new) in {outcome.seconds:.1f} s"
        )
    return (
        f"{style(head, 'bold')}\n"
        f"  trees     {listed}\n"
        f"  releases  {outcome.releases:,}{source}\n"
        "Next: kbisect query --list\n"
    )


_NOWHERE = "not known: it is in no release yet, and in no tree named here (kbisect index --tree)"


def story(told: Story, style: Style) -> str:
    """Tell one commit's story."""
    lines = [
        f"{style('commit', 'yellow')} {style(told.oid, 'yellow')}",
        f"{printable(told.subject)}",
        f"{printable(told.author)}, {day(told.author_time)}",
        "",
    ]
    came = " > ".join(told.lineage)
    if told.landed:
        came = came or "a merge that names no tree"
        came += f", merged to mainline by {told.landed[:12]}"
    lines.append(f"came through  {printable(came) or _NOWHERE}")
    lines.append(f"first in      {told.release or 'no release yet'}")
    if told.subsystem:
        lines.append(f"subsystem     {printable(told.subsystem)}")
    lines.append(f"in            {printable(', '.join(told.trees)) or 'no tree known here'}")
    if told.merge:
        lines.append("scope         a merge: the index has what it brought, not what it says")
    elif not told.in_scope:
        lines.append("scope         outside: its links are not in the index")
    for title, relations in (
        ("fixes", told.fixes),
        ("reverts", told.reverts),
        ("upstream", told.upstream),
        ("mentions", told.mentions),
        ("fixed by", told.fixed_by),
        ("reverted by", told.reverted_by),
        ("backported as", told.backports),
    ):
        lines.extend(_relation(title, relation) for relation in relations)
    lines.extend(f"stable        {printable(text)}" for text in told.stable)
    lines.extend(f"mail          {printable(mail.url)}" for mail in told.mails)
    files = [printable(path) for path in told.files]
    if told.files_outside:
        count = len(told.files_outside)
        also = "and " if files else ""
        files.append(f"{also}{count:,} file{'s' * (count > 1)} outside the scope")
    lines.extend(f"{'files' if not at else '':<14}{line}" for at, line in enumerate(files))
    return "\n".join(lines) + "\n"


def _relation(title: str, relation: Relation) -> str:
    if relation.oid is None:
        return f"{title:<14}{printable(relation.text)}   [{relation.how}]"
    where = f" (in {relation.release})" if relation.release else ""
    doubts = [] if relation.how in {"exact", "abbreviated"} else [f"found by {relation.how}"]
    if relation.in_prose:
        doubts.append(f"{relation.kind.value}, in prose")
    sure = f"   [{'; '.join(doubts)}]" if doubts else ""
    if title == "mentions" and relation.kind is LinkKind.BLAMES:
        title = "blames"
    return f"{title:<14}{name(relation.oid, relation.subject or '?')}{where}{sure}"


def listing(queries: Iterable[Query]) -> str:
    """List the named queries: what each asks, what it may be given, what it answers."""
    lines = []
    for query in queries:
        lines.append(f"{query.name:<20} {query.title}")
        for each in query.parameters:
            given = f"-p {each.name}={each.default or each.name.upper()}"
            lines.append(f"{'':<20}   {given:<18} {each.meaning}")
        lines.append(f"{'':<20}   gives {', '.join(name for name, _ in query.columns)}")
    lines.append("What a column means, and how to read the answer: kbisect query --list NAME")
    return "\n".join(lines) + "\n"


def described(query: Query) -> str:
    """Describe one named query: parameters, columns, how to read it, its SQL."""
    lines = [query.title, ""]
    for each in query.parameters:
        given = f"-p {each.name}={each.default or each.name.upper()}"
        lines.append(f"  {given:<20} {each.meaning}")
    lines.extend(f"  {name:<20} {meaning}" for name, meaning in query.columns)
    return "\n".join([*lines, "", f"How to read it: {query.read}"]) + "\n"


def answer(found: Answer, form: str, style: Style) -> str:
    """Render a query's answer as table, csv, json or jsonl."""
    if form == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(found.columns)
        writer.writerows(found.rows)
        return out.getvalue()
    rows = [dict(zip(found.columns, map(plain, row), strict=True)) for row in found.rows]
    if form == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if form == "json":
        return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    if style.columns is None:
        return table(found.columns, found.rows, style)
    # Whoever looks wants to read; a file or a pipe gets full ids.
    return table(found.columns, [tuple(map(_short, row)) for row in found.rows], style)


def _short(cell: object) -> object:
    return cell[:12] if isinstance(cell, str) and _OID.fullmatch(cell) else cell


def releases(found: Sequence[Release], style: Style) -> str:
    """List releases, oldest first."""
    rows = [(each.name, each.oid[:12], day(each.time), each.source) for each in found]
    return table(("release", "commit", "date", "from"), rows, style)


_FETCH = "Next: git fetch --tags, kbisect index"


def window(seen: Window, style: Style) -> str:
    """Say in plain words whether the merge window is open."""
    asked = utc(seen.as_of)
    if seen.merge_window is State.UNKNOWN:
        if seen.release:
            why = f"the newest release known is {seen.release}, too old for {asked}. {_FETCH}"
        elif seen.known_from is not None:
            why = f"the releases known here begin on {day(seen.known_from)}, after {asked}."
        else:
            why = f"no release is known. {_FETCH}"
        return style(f"Unknown: {why}", "yellow") + "\n"
    since = f"since {day(seen.since)}" if seen.since else ""
    if seen.merge_window is State.OPEN:
        follows = {
            State.CLOSED: "so net-next is closed",
            State.NOT_YET: "and there is no net-next yet",
        }[seen.net_next]
        head = f"Merge window open, {follows} ({since}, {seen.release})."
        expected = seen.predicted or 0
        if seen.as_of <= expected:
            tail = f"-rc1 is to be expected about {day(expected)}. Fixes go to net as always."
        else:
            tail = f"-rc1 was to be expected about {day(expected)}: it may be out. {_FETCH}"
    else:
        follows = (
            "so net-next is open" if seen.net_next is State.OPEN else "there is no net-next yet"
        )
        head = f"Merge window closed, {follows} ({since}; newest is {seen.release})."
        tail = "Fixes go to net as always."
    source = "Derived from releases; the announcement on netdev decides."
    return f"{style(head, 'bold')}\n{tail}\n{source}\n"


def graphml(graph: nx.DiGraph[str]) -> str:
    """Render a graph as GraphML."""
    import networkx as nx

    safe: nx.DiGraph[str] = nx.DiGraph()
    for node, data in graph.nodes(data=True):
        # XML 1.0 has no way to write most control characters.
        safe.add_node(
            node, **{k: printable(v) if isinstance(v, str) else v for k, v in data.items()}
        )
    safe.add_edges_from(graph.edges)
    return "\n".join(nx.generate_graphml(safe)) + "\n"


def dot(graph: nx.DiGraph[str]) -> str:
    """Render a graph in Graphviz's language, children above parents."""
    lines = ["digraph commits {", "  node [shape=box, fontname=monospace];"]
    for node, data in graph.nodes(data=True):
        label = f"{node[:12]}\n{data['subject'] or 'merge'}"
        lines.append(f'  "{node}" [label={_quoted(label)}];')
    lines.extend(f'  "{child}" -> "{parent}";' for child, parent in graph.edges)
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

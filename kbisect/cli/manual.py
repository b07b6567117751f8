# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual, made from the commands themselves: man pages and REFERENCE.md.

`python -m kbisect.cli.manual man DIR` writes one page a command, `… reference` prints the page of
all. What click-man would leave out is in them: examples, exit codes, commands loaded on demand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from inspect import cleandoc
from pathlib import Path

import click

from kbisect.cli import examples
from kbisect.cli.main import COMMANDS, SHORT, cli

_EXITS = (
    ("0", "Done."),
    ("1", "There are findings (with --exit-code), or the search has no culprit."),
    ("2", "The request can't be carried out as it was made."),
    ("3", "A bug in kbisect; a traceback is in the log that is named."),
    ("4", "The machine lacks something: QEMU, a compiler, disk space, a worker."),
    ("125", "The commit can't be tested."),
    ("128", "There is no usable repository, or the machine that tests was lost."),
    ("130", "Interrupted."),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: its words behind `kbisect`, what click knows of it, one line about it."""

    path: tuple[str, ...]
    context: click.Context
    about: str

    @property
    def command(self) -> click.Command:
        """What click runs."""
        return self.context.command


def entries() -> Iterator[Entry]:
    """Walk through all commands but the short names of `bisect`'s."""
    root = click.Context(cli, info_name="kbisect", help_option_names=["-h", "--help"])
    yield Entry((), root, cleandoc(cli.help or "").partition("\n")[0])
    for name, (_, _, about) in COMMANDS.items():
        command = cli.get_command(root, name)
        if command is not None and name not in SHORT and not command.hidden:
            context = click.Context(command, info_name=name, parent=root)
            yield Entry((name,), context, about)
            yield from _below(context, (name,))


def _below(context: click.Context, path: tuple[str, ...]) -> Iterator[Entry]:
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                below = click.Context(command, info_name=name, parent=context)
                about = cleandoc(command.help or "").partition("\n")[0]
                yield Entry((*path, name), below, about)
                yield from _below(below, (*path, name))


# --- REFERENCE.md ---------------------------------------------------------------------------------


def reference() -> str:
    """Return REFERENCE.md."""
    short = ", ".join(f"`{name}`" for name in SHORT)
    lines = [
        "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->",
        "<!-- Made by `make reference` from the commands' own help. -->",
        "# Commands of kbisect",
        "",
        f"Short for `kbisect bisect …`: {short}. `git kbisect …` works too.",
    ]
    for entry in entries():
        name = " ".join(("kbisect", *entry.path))
        lines += ["", f"## {name}", "", "```", _help(entry), "```"]
    return "\n".join(lines) + "\n"


def _help(entry: Entry) -> str:
    with click.Context(
        entry.command,
        info_name=entry.context.info_name,
        parent=entry.context.parent,
        help_option_names=entry.context.help_option_names,
    ) as context:
        context.terminal_width = context.max_content_width = 100
        text = context.get_help()
    return "\n".join(line.rstrip() for line in text.splitlines())


# --- man pages ------------------------------------------------------------------------------------


def pages() -> dict[str, str]:
    """Return man pages, by file name; git looks for that of `git kbisect`."""
    found = {f"{'-'.join(('kbisect', *entry.path))}.1": _page(entry) for entry in entries()}
    return found | {"git-kbisect.1": ".so man1/kbisect.1\n"}


def _page(entry: Entry) -> str:
    name = "-".join(("kbisect", *entry.path))
    lines = [
        f'.TH "{_roff(name.upper())}" 1 "" "kbisect {version("kbisect")}" "kbisect"',
        ".SH NAME",
        f"{_roff(name)} \\- {_roff(entry.about.rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_roff(entry.context.command_path)}",
        _roff(" ".join(entry.command.collect_usage_pieces(entry.context))),
        ".SH DESCRIPTION",
        *_paragraphs(cleandoc(entry.command.help or "")),
    ]
    options = [
        record
        for parameter in entry.command.get_params(entry.context)
        if isinstance(parameter, click.Option)
        and (record := parameter.get_help_record(entry.context)) is not None
    ]
    if options:
        lines += [".SH OPTIONS", *_list(options)]
    below = [each for each in entries() if each.path[:-1] == entry.path and each.path]
    if below:
        lines += [".SH COMMANDS"]
        lines += _list((f"kbisect-{'-'.join(each.path)}(1)", each.about) for each in below)
    if shown := examples.of(entry.path):
        lines += [".SH EXAMPLES", ".nf", *map(_roff, shown), ".fi"]
    lines += [".SH EXIT STATUS", *_list(_EXITS)]
    if entry.path:
        parent = "-".join(("kbisect", *entry.path[:-1]))
        lines += [".SH SEE ALSO", f".BR {_roff(parent)} (1)"]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text)):
        if number:
            yield ".PP"
        if paragraph.startswith("\b"):
            yield ".nf"
            yield from map(_roff, paragraph.splitlines()[1:])
            yield ".fi"
        else:
            yield from map(_roff, paragraph.splitlines())


def _list(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in rows:
        yield ".TP"
        yield f".B {_roff(term)}"
        yield _roff(text) or "\\&"


def _roff(text: str) -> str:
    escaped = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    )
    return re.sub(r"^([.\s])", r"\\&\1", escaped.replace('"', "\\(dq"))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["reference"]:
            sys.stdout.write(reference())
        case ["man", folder]:
            Path(folder).mkdir(parents=True, exist_ok=True)
            for page, text in pages().items():
                (Path(folder) / page).write_text(text, "utf-8")
        case _:
            sys.exit("usage: python -m kbisect.cli.manual reference | man DIR")

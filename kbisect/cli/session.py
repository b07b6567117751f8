# SPDX-License-Identifier: GPL-2.0-or-later
"""What every command shares: the global options, the repository, and where words go."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import click

from kbisect.report.document import document
from kbisect.report.terminal import Style, printable

if TYPE_CHECKING:
    from kbisect.git.repository import Repository

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass
class Session:
    """The global options of one run."""

    directory: str = "."
    store: str | None = None
    overrides: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    progress: bool = True

    @cached_property
    def repository(self) -> Repository:
        """The repository the command was given or stands in."""
        from kbisect.git.repository import Repository

        return Repository.open(self.directory, self.store, self.overrides)

    @property
    def style(self) -> Style:
        """Colour for stdout, by --color, NO_COLOR and whether anybody looks."""
        wanted = self.color == "always" or (
            self.color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        )
        return Style(wanted)

    @property
    def shows_progress(self) -> bool:
        """Whether a bar may be drawn on stderr."""
        return self.progress and not self.quiet and sys.stderr.isatty()

    def say(self, words: str) -> None:
        """Talk: one line on stderr, silenced by -q."""
        if not self.quiet:
            click.echo(printable(words), err=True)

    @contextmanager
    def counting(self, what: str) -> Iterator[Callable[[int], None]]:
        """Show a number that grows, on stderr, while the block runs; nothing where nobody looks."""
        if not self.shows_progress:
            yield lambda _: None
            return
        from rich.console import Console

        with Console(stderr=True).status(what) as status:
            yield lambda number: status.update(f"{what}: {number:,}")

    def answer(
        self,
        command: str,
        content: Mapping[str, object],
        text: Callable[[Style], str],
        as_json: bool,
    ) -> None:
        """Print a command's result: its JSON document, or its text."""
        click.echo(document(command, content) if as_json else text(self.style), nl=False)


pass_session = click.make_pass_decorator(Session, ensure=True)


def json_option(command: Command) -> Command:
    """Give a command the flag `--json`, as the parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)

# SPDX-License-Identifier: GPL-2.0-or-later
"""What every command shares: the global options, the repository, and where words go."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from kbisect.cli import stdout
from kbisect.report.terminal import Style, printable

if TYPE_CHECKING:
    from kbisect.git.repository import Repository

Command = TypeVar("Command", bound=Callable[..., object])
Item = TypeVar("Item")

# They do something, perhaps for hours, and then say so: the prompt must come back by itself.
_ACTING = ("clone", "sync", "index", "doctor", "bisect-", "lab-")
_READING = ("bisect-log", "bisect-report")


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
    pager: bool = True

    @cached_property
    def repository(self) -> Repository:
        """The repository the command was given or stands in."""
        from kbisect.git.repository import Repository

        return Repository.open(self.directory, self.store, self.overrides)

    @cached_property
    def style(self) -> Style:
        """Colour and width for stdout, by --color, NO_COLOR, git config and who looks."""
        looks = sys.stdout.isatty()
        wanted = self.color == "always"
        if self.color == "auto" and looks and not os.environ.get("NO_COLOR"):
            from kbisect.git import terminal

            wanted = terminal.likes_color(Path(self.directory), self.overrides)
        return Style(wanted, shutil.get_terminal_size().columns if looks else None)

    @property
    def shows_progress(self) -> bool:
        """Whether a bar may be drawn on stderr."""
        return self.progress and not self.quiet and sys.stderr.isatty()

    def say(self, words: str) -> None:
        """Talk: one line on stderr, silenced by -q."""
        if not self.quiet:
            click.echo(printable(words), err=True)

    @contextmanager
    def counting(self, what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Show a number that grows, on stderr, while the block runs; nothing where nobody looks.

        Parameters
        ----------
        what : str
            What is being done: `reading commits`.
        total : int, optional
            How many there are; with it the remaining time is shown too.
        """
        if not self.shows_progress:
            yield lambda _: None
            return
        from kbisect.report import progress

        with progress.bar(what, total) as count:
            yield count

    def tracking(
        self, what: str, items: Iterable[Item], total: int | None = None
    ) -> Iterator[Item]:
        """Give the items on, counting them on stderr as `counting` does."""
        with self.counting(what, total) as count:
            for number, item in enumerate(items, 1):
                yield item
                count(number)

    def answer(
        self,
        command: str,
        content: Mapping[str, object],
        text: Callable[[Style], str],
        as_json: bool,
    ) -> None:
        """Print a command's result: its JSON document, or its text, paged where somebody looks."""
        if as_json:
            from kbisect.report.document import document

            stdout.write(document(command, content).encode())  # JSON is UTF-8 in any locale
        else:
            self.write(
                text(self.style), paged=command in _READING or not command.startswith(_ACTING)
            )

    def write(self, content: str | bytes, *, paged: bool = True) -> None:
        """Write to stdout; a long text on a terminal through git's pager."""
        if paged and self.pager and isinstance(content, str) and sys.stdout.isatty():
            from kbisect.git import terminal

            pager = terminal.pager(Path(self.directory), self.overrides)
            if pager and terminal.page(pager, content):
                return
        stdout.write(content)


pass_session = click.make_pass_decorator(Session, ensure=True)


def form_option(first: str, *others: str, explained: str) -> Callable[[Command], Command]:
    """Let a command take --format; `first` is what it prints unasked."""
    return click.option(
        "--format", "form", type=click.Choice([first, *others]), default=first, help=explained
    )


def json_option(command: Command) -> Command:
    """Give a command the flag `--json`, as the parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)

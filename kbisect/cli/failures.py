# SPDX-License-Identifier: GPL-2.0-or-later
"""How a command fails: what and why on one line, what to try on the next, a code that tells."""

from __future__ import annotations

import errno
import os
import sys

import click

from kbisect.errors import EnvironmentProblem, KbisectError, RepositoryProblem, UsageError
from kbisect.report.terminal import one_line

_ELSEWHERE = "keep kbisect's data elsewhere with --store DIR"
_HINTS = {
    errno.ENOSPC: f"free some space, or {_ELSEWHERE}",
    errno.EDQUOT: f"free some space, or {_ELSEWHERE}",
    errno.EROFS: _ELSEWHERE,
    errno.EACCES: f"{_ELSEWHERE}, or ask for access",
    errno.EMFILE: "let it open more files: ulimit -n 1024",
    errno.ENFILE: "too much is open on this machine; try again later",
}


def complain(error: KbisectError) -> None:
    """Print an expected failure: what and why, then what to try."""
    click.echo(f"kbisect: {one_line(error.message)}", err=True)
    click.echo(f"  try: {one_line(error.hint)}", err=True)


def misused(error: click.ClickException) -> KbisectError:
    """Return what click found wrong with a command line, in our words."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "kbisect"
    said = error.format_message().rstrip(".")
    wrong = getattr(error, "command_name", None)
    if wrong and context is not None and isinstance(context.command, click.Group):
        from difflib import get_close_matches

        near = get_close_matches(wrong, context.command.list_commands(context), n=3)
        return UsageError(
            f"{command} has no command {wrong}",
            hint=f"did you mean {', '.join(near)}?" if near else f"{command} --help",
        )
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        if context is not None and context.parent is not None:
            for option in context.find_root().command.params:
                if name in option.opts:
                    value = (
                        ""
                        if getattr(option, "is_flag", False)
                        else f" {option.make_metavar(context)}"
                    )
                    rest = command.partition(" ")[2]
                    return UsageError(
                        f"{name} is for all of kbisect, so it stands before the command",
                        hint=f"kbisect {name}{value} {rest}",
                    )
        said = f"{command} has no option {name}"
        if error.possibilities:
            return UsageError(said, hint=f"did you mean {', '.join(error.possibilities)}?")
    return UsageError(f"{said[:1].lower()}{said[1:]}", hint=f"{command} --help")


def of_the_machine(error: OSError) -> KbisectError:
    """Return what the operating system refused, with what helps against it."""
    where = f": {error.filename}" if error.filename else ""
    hint = _HINTS.get(error.errno or 0, "kbisect doctor")
    return EnvironmentProblem(f"{error.strerror or error}{where}", hint=hint)


def of_a_library(error: Exception) -> KbisectError | None:
    """Return what a library could not read; None for what is nobody's but ours."""
    library = type(error).__module__.partition(".")[0].lstrip("_")
    first = str(error).strip().partition("\n")[0]
    if library == "pygit2":
        return RepositoryProblem(
            f"the repository can't be read: {first}", hint="git fsck tells what is damaged"
        )
    if library in ("duckdb", "pyarrow"):
        return UsageError(
            f"the index can't be read: {first}", hint="kbisect index --full builds it anew"
        )
    return None


def report_bug(error: Exception) -> None:
    """Keep a traceback for the developers, and tell the person where."""
    import tempfile
    import traceback

    said = f"command: {sys.argv}\n\n{''.join(traceback.format_exception(error))}"
    what = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
    click.echo(f"kbisect: a bug in kbisect: {one_line(what)}", err=True)
    try:
        handle, path = tempfile.mkstemp(prefix="kbisect-bug-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(said)
    except OSError:
        click.echo(said, err=True)
        path = "the lines above"
    click.echo(f"  try: report it with {path}", err=True)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Standard output, which may be closed, full, or a pipe that nobody reads any more."""

from __future__ import annotations

import io
import os
import sys

import click

from kbisect.errors import EnvironmentProblem


def require() -> None:
    """Check the three standard streams before anything is opened in their place.

    A journal must not become descriptor 2, which git and QEMU write their complaints to.

    Raises
    ------
    EnvironmentProblem
        Standard output is closed.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, as POSIX has it
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        raise EnvironmentProblem(
            "standard output is closed, so there is nowhere to answer",
            hint="send it to a file or to /dev/null",
        )
    if isinstance(sys.stdout, io.TextIOWrapper):
        # In a locale that can't say a name, it is shown as escapes.
        sys.stdout.reconfigure(errors="backslashreplace")


def write(content: str | bytes) -> None:
    """Write a whole answer.

    Raises
    ------
    EnvironmentProblem
        It can't be written; not for a reader that went away (BrokenPipeError).
    """
    try:
        click.echo(content, nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon()
        raise EnvironmentProblem(
            f"the answer can't be written to standard output: {error.strerror}",
            hint="see where it goes; to a file, check the space there",
        ) from None


def flush() -> None:
    """Write what is still held back; may raise as `write`."""
    write("")


def abandon() -> None:
    """Give up on standard output, so that the interpreter doesn't try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

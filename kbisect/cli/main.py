# SPDX-License-Identifier: GPL-2.0-or-later
"""The command `kbisect`: its groups, its global options, and how it fails."""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from kbisect.cli import completing, examples, failures, stdout
from kbisect.cli.session import Session
from kbisect.errors import KbisectError

# name: (module below kbisect.cli, function, one line of help). The help stands here so that
# `kbisect --help` imports none of them.
COMMANDS = {
    "bisect": ("bisect", "bisect", "Find the commit that broke it."),
    "run": ("bisect", "run", "Short for `bisect run`."),
    "start": ("byhand", "start", "Short for `bisect start`."),
    "good": ("byhand", "good", "Short for `bisect good`."),
    "bad": ("byhand", "bad", "Short for `bisect bad`."),
    "skip": ("byhand", "skip", "Short for `bisect skip`."),
    "undo": ("byhand", "undo", "Short for `bisect undo`."),
    "status": ("reporting", "status", "Short for `bisect status`."),
    "log": ("reporting", "log", "Short for `bisect log`."),
    "reset": ("byhand", "reset", "Short for `bisect reset`."),
    "report": ("reporting", "report", "Short for `bisect report`."),
    "api": ("api", "api", "Say what changed in the API."),
    "backport": ("backport_take", "backport", "List the fixes a branch misses, and take them."),
    "patch": ("patch", "patch", "Read a patch, aim it, apply it, take it back."),
    "clone": ("trees", "clone", "Make one repository of mainline, net, net-next and more."),
    "sync": ("trees", "sync", "Fetch all trees and index what is new."),
    "index": ("history", "index", "Read the history into kbisect's index."),
    "show": ("history", "show", "Tell one commit's story."),
    "query": ("history", "query", "Ask the index a named question, or one in SQL."),
    "graph": ("history", "graph", "Export the graph of commits in scope."),
    "releases": ("history", "releases", "List the releases."),
    "history": ("chronicle", "history", "Tell the history of a subsystem."),
    "window": ("history", "window", "Say whether the merge window is open."),
    "lab": ("lab", "lab", "Test one commit, or boot one guest."),
    "schema": ("face", "schema", "Print the JSON Schema of a command's --json."),
    "completion": ("face", "completion", "Print what a shell needs to complete kbisect."),
    "doctor": ("doctor", "doctor", "Check what this machine can do."),
}

SHORT = tuple(name for name, (_, _, about) in COMMANDS.items() if about.startswith("Short for"))


class _Commands(click.Group):
    """Commands whose modules are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, function, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"kbisect.cli.{module}"), function)
        assert isinstance(command, click.Command)
        examples.attach(command, (cmd_name,))
        if completing.VARIABLE in os.environ:
            completing.attach(command, (cmd_name,))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(n, entry[2]) for n, entry in COMMANDS.items() if n not in SHORT])
        with formatter.section("Short for `kbisect bisect …`"):
            formatter.write_text(", ".join(SHORT))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("-C", "directory", default=".", metavar="DIR", help="The repository (default: here).")
@click.option("--store", metavar="DIR", help="Keep kbisect's data here, not in the repository.")
@click.option("-c", "overrides", multiple=True, metavar="KEY=VALUE", help="Override git config.")
@click.option("-q", "--quiet", is_flag=True, help="No talk on stderr.")
@click.option("-v", "--verbose", is_flag=True, help="More talk on stderr.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="When to colour: auto follows git config color.ui, NO_COLOR and the terminal.",
)
@click.option("--no-progress", is_flag=True, help="No progress bars.")
@click.option("--no-pager", is_flag=True, help="Don't send long answers to git's pager.")
@click.version_option(package_name="kbisect", message="kbisect %(version)s")
@click.pass_context
def cli(
    ctx: click.Context,
    directory: str,
    store: str | None,
    overrides: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    color: str,
    no_progress: bool,
    no_pager: bool,
) -> None:
    """Ask the history of Linux networking.

    \b
    Which commit broke it: kbisect bisect run --good v2.6.38 --bad v2.6.39 ./test.sh
    What changed in the API: kbisect api diff v2.6.21 v2.6.22 --struct sk_buff
    What must be backported: kbisect backport list linux-6.1.y
    """
    for pair in overrides:
        if "=" not in pair:
            raise click.UsageError(f"-c {pair}: expected KEY=VALUE")
    ctx.obj = Session(
        directory, store, overrides, quiet, verbose, color, not no_progress, not no_pager
    )


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command and exit with a code that says what kind of end it was."""
    try:
        stdout.require()
        code = cli.main(arguments, prog_name=_program(), standalone_mode=False)
        stdout.flush()
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = 2
    except click.ClickException as error:
        failures.complain(failures.misused(error))
        code = 2
    except KbisectError as error:
        failures.complain(error)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nkbisect: interrupted", err=True)
        code = 130
    except BrokenPipeError:
        # The reader (head, less) has enough; what it read is good.
        stdout.abandon()
        code = 0
    except OSError as error:
        failures.complain(failures.of_the_machine(error))
        code = 4
    except Exception as error:
        if (problem := failures.of_a_library(error)) is not None:
            failures.complain(problem)
            code = problem.exit_code
        else:  # a bug: the person gets one line, the developer the traceback
            failures.report_bug(error)
            code = 3
    sys.exit(code if isinstance(code, int) else 0)


def _program() -> str:
    if completing.VARIABLE in os.environ:
        return "kbisect"  # as the shell's script names the variable
    return "git kbisect" if sys.argv[0].endswith("git-kbisect") else "kbisect"

# SPDX-License-Identifier: GPL-2.0-or-later
"""kbisect about itself: the schemas of its JSON, the completion of its command line."""

from __future__ import annotations

import json

import click

from kbisect.cli import completing
from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import UsageError


@click.command()
@click.argument("shell", type=click.Choice(completing.SHELLS))
@pass_session
@click.pass_context
def completion(context: click.Context, session: Session, shell: str) -> None:
    """Print what SHELL must read to complete `kbisect` and `git kbisect`.

    \b
    bash: kbisect completion bash > ~/.local/share/bash-completion/completions/kbisect
          and, for git kbisect, in ~/.bashrc: source that file
    zsh:  in ~/.zshrc, after compinit: source <(kbisect completion zsh)
    fish: kbisect completion fish > ~/.config/fish/conf.d/kbisect.fish
    """
    session.write(completing.script(context.find_root().command, shell), paged=False)


@click.command()
@click.argument("command", nargs=-1, metavar="[COMMAND]...")
@json_option
@pass_session
def schema(session: Session, command: tuple[str, ...], as_json: bool) -> None:
    """Print the JSON Schema of a command's --json; without COMMAND, list them.

    Within a version (`/1`) keys are only added; a reader must pass over those it doesn't know.
    """
    from kbisect.report import schemas
    from kbisect.report.terminal import table

    known = schemas.names()
    if not command:
        rows = [(name, schemas.load(name)["title"]) for name in known]
        content = {"schemas": known}
        session.answer("schema", content, lambda style: table(("name", "of"), rows, style), as_json)
        return
    name = "-".join(command)
    if name not in known:
        raise UsageError(f"there is no schema of {' '.join(command)}", hint="kbisect schema")
    session.write(json.dumps(schemas.load(name), indent=2, ensure_ascii=False) + "\n")

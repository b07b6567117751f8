# SPDX-License-Identifier: GPL-2.0-or-later
"""What the shell offers at a tab: revisions, named queries, structs of the network headers.

Parameters are known by their names, in one table, so that a new command is completed by calling
its parameters what the others call theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

import click
from click.shell_completion import CompletionItem, get_completion_class

from kbisect.cli.session import Session
from kbisect.errors import KbisectError, UsageError

VARIABLE = "_KBISECT_COMPLETE"
SHELLS = ("bash", "zsh", "fish")

Completer = Callable[[click.Context, str], Iterable[str]]

# git's own completion calls these for `git kbisect`, if it is there.
_GIT = {
    "bash": r"""
_git_kbisect() {
    local at=0
    while ((at < cword)) && [[ ${words[at]} != kbisect ]]; do ((at++)); done
    local COMP_WORDS=("${words[@]:at}") COMP_CWORD=$((cword - at))
    _kbisect_completion kbisect
}
""",
    "zsh": r"""
_git-kbisect() { _kbisect_completion }
zstyle -g kbisect_known ':completion:*:*:git:*' user-commands
zstyle ':completion:*:*:git:*' user-commands $kbisect_known \
    kbisect:'ask the history of Linux networking'
unset kbisect_known
""",
    "fish": r"""
function _git_kbisect_completion
    set -l line (string replace -r '^.*?\skbisect(?=\s|$)' kbisect -- (commandline -cp))
    set -l word (commandline -t)
    for found in (env _KBISECT_COMPLETE=fish_complete COMP_WORDS="$line" COMP_CWORD="$word" kbisect)
        string replace -r '^[^,]*,' '' -- $found
    end
end
complete -c git -n '__fish_use_subcommand' -f -a kbisect -d 'ask the history of Linux networking'
complete -c git -n '__fish_seen_subcommand_from kbisect' -f -a '(_git_kbisect_completion)'
""",
}


def script(cli: click.Command, shell: str) -> str:
    """Return what a shell must read to complete `kbisect` and `git kbisect`."""
    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"no completion for {shell}", hint=f"one of {', '.join(SHELLS)}")
    return kind(cli, {}, "kbisect", VARIABLE).source() + _GIT[shell]


def attach(command: click.Command, path: tuple[str, ...]) -> None:
    """Give the parameters of a command, and of all below it, their completers."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            attach(below, (*path, name))
    for parameter in command.params:
        completer = _completer(path, parameter)
        if completer is not None:
            # What click calls to complete a parameter.
            setattr(parameter, "shell_complete", _items(completer))  # noqa: B010


def _completer(path: tuple[str, ...], parameter: click.Parameter) -> Completer | None:
    name = parameter.name or ""
    if path == ("query",) and name == "name":
        return _queries
    if name == "structs" or (path[:1] == ("api",) and name == "name"):
        return _structs
    if name in _REVISIONS and path != ("window",):
        return _revisions
    return None


_REVISIONS = frozenset(
    (
        *("rev", "revision", "revisions", "old", "new", "good", "goods", "bad", "culprit"),
        *("branch", "branches", "synonym", "upstream", "onto", "at", "base", "since", "given"),
    )
)


def _items(completer: Completer) -> Callable[[click.Context, str], list[CompletionItem]]:
    def complete(context: click.Context, incomplete: str) -> list[CompletionItem]:
        try:
            found = sorted(set(completer(context, incomplete)))
        except (KbisectError, OSError):
            return []  # a tab says nothing of what is wrong
        return [CompletionItem(name) for name in found]

    return complete


def _revisions(context: click.Context, incomplete: str) -> Iterable[str]:
    """Offer branches, tags, HEAD and the index's releases; in a range, for its last end."""
    from kbisect.history import store

    repository = _session(context).repository
    start, dots, end = incomplete.rpartition("..")
    names = ["HEAD", *(ref.name.split("/", 2)[2] for ref in repository.refs())]
    with suppress(KbisectError):  # no index: what git knows must do
        names += [name for name, _ in store.load(repository.store).meta.releases]
    return (start + dots + name for name in names if name.startswith(end))


def _queries(context: click.Context, incomplete: str) -> Iterable[str]:
    from kbisect.history import queries

    return (name for name in queries.named() if name.startswith(incomplete))


def _structs(context: click.Context, incomplete: str) -> Iterable[str]:
    from kbisect.api import surface
    from kbisect.git import declared

    repository = _session(context).repository
    return declared.structs(repository, "HEAD", incomplete, surface.PUBLIC.folders)


def _session(context: click.Context) -> Session:
    given = context.find_root().params
    return Session(given.get("directory") or ".", given.get("store"), quiet=True)

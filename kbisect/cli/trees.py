# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands that fetch: clone and sync. Nothing else in kbisect uses the network."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import UsageError
from kbisect.report.terminal import printable

if TYPE_CHECKING:
    from kbisect.git.fetching import Arrival


@click.command()
@click.argument("directory", metavar="DIR")
@click.option("--net", metavar="URL", help="Take net from here.")
@click.option("--net-next", metavar="URL", help="Take net-next from here.")
@click.option(
    "--tree",
    "trees",
    multiple=True,
    metavar="NAME[=URL]",
    help="One more tree, by its name alone where kbisect knows its address.",
)
@click.option("--all", "everything", is_flag=True, help="All trees that kbisect knows.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _, asked: _list(ctx) if asked else None,
    help="List the trees that kbisect knows.",
)
@click.option("--reference", metavar="R", help="Use the objects of this clone, without a copy.")
@click.option("--bare", is_flag=True, help="Make no worktree.")
@json_option
@pass_session
def clone(
    session: Session,
    directory: str,
    net: str | None,
    net_next: str | None,
    trees: tuple[str, ...],
    everything: bool,
    reference: str | None,
    bare: bool,
    as_json: bool,
) -> None:
    """Make one repository of mainline, net and net-next, and index it.

    Each tree is a remote; their objects are shared. DIR appears when it is whole. What arrived
    before a failure is kept in DIR.partial, and the same command goes on from there.

    \b
    kbisect clone linux
    kbisect clone linux --tree wireless --tree mine=../my-net
    kbisect clone linux --reference ~/src/linux
    """
    from kbisect.git import clones
    from kbisect.git.repository import Repository
    from kbisect.history import trees as known
    from kbisect.history.index import update
    from kbisect.report import history
    from kbisect.report import trees as report

    wanted = {tree: known.URLS[tree] for tree in (known.URLS if everything else known.DEFAULT)}
    given = [f"net={net}"] * bool(net) + [f"net-next={net_next}"] * bool(net_next)
    wanted |= _named([*given, *trees])
    place = Path(session.directory) / directory
    with _Progress(session) as progress:
        arrivals = clones.create(
            place,
            [known.remote(tree, url) for tree, url in wanted.items()],
            reference=Path(session.directory) / reference if reference else None,
            bare=bare,
            say=progress.say,
            progress=progress.line,
        )
    repository = Repository.open(place, session.store, session.overrides)
    refs = {each.name: each.ref for each in arrivals if each.name != known.STABLE}
    known.remember(repository, refs)
    with session.counting("reading commits") as count:
        outcome = update(repository, say=session.say, count=count)
    content = {
        "directory": str(place.absolute()),
        "trees": [_row(each.name, each) for each in arrivals],
        "commits": outcome.commits,
        "in_scope": outcome.in_scope,
    }
    session.answer(
        "clone",
        content,
        lambda style: (
            report.arrived([(e.name, e) for e in arrivals], style) + history.indexed(outcome, style)
        ),
        as_json,
    )


@click.command()
@click.option(
    "--tree",
    "trees",
    multiple=True,
    metavar="NAME[=URL]",
    help="Add this tree as a remote, by its name alone where kbisect knows its address.",
)
@json_option
@pass_session
def sync(session: Session, trees: tuple[str, ...], as_json: bool) -> None:
    """Fetch all trees, with their tags, and index what is new.

    A remote belongs to a tree by its address or its name, or as git config says
    (kbisect.tree.NAME.ref). Other remotes are left alone.

    \b
    kbisect sync --tree wireless --tree mine=../my-net
    """
    from kbisect.errors import EnvironmentProblem
    from kbisect.git import fetching
    from kbisect.history import trees as known
    from kbisect.history.index import update
    from kbisect.report import history
    from kbisect.report import trees as report

    repository = session.repository
    added = [known.add(repository, tree, url) for tree, url in _named(trees).items()]
    sources = known.sources(repository)
    fetched = {source.remote.name for source in sources}
    sources += [source for source in added if source.remote.name not in fetched]
    if not sources:
        raise UsageError(
            "no remote of this repository is a tree that kbisect knows",
            hint="git remote add net URL; or kbisect clone DIR",
        )
    arrivals: list[tuple[str, Arrival]] = []
    failed = []
    with _Progress(session) as progress:
        for source in sources:
            progress.say(f"fetching {source.tree} from {source.remote.url}")
            try:
                arrival = fetching.fetch(
                    repository.common_dir, source.remote, source.ref, progress=progress.line
                )
            except fetching.FetchFailed as error:
                # One that is away must not keep the others from coming.
                progress.say(error.message)
                failed.append(error)
            else:
                arrivals.append((source.tree, arrival))
    with session.counting("reading commits") as count:
        outcome = update(repository, say=session.say, count=count)
    if failed:
        for tree, arrival in arrivals:
            session.say(report.line(tree, arrival))
        raise EnvironmentProblem(
            f"{len(failed)} of {len(sources)} trees could not be fetched: {failed[0].message}",
            hint="the others are fetched and indexed; try again: kbisect sync",
        )
    content = {
        "trees": [_row(tree, arrival) for tree, arrival in arrivals],
        "commits": outcome.commits,
        "in_scope": outcome.in_scope,
    }
    session.answer(
        "sync",
        content,
        lambda style: report.arrived(arrivals, style) + history.indexed(outcome, style),
        as_json,
    )


def _list(ctx: click.Context) -> None:
    from kbisect.history.trees import DEFAULT, URLS
    from kbisect.report.terminal import table

    rows = [(tree, "*" if tree in DEFAULT else "", url) for tree, url in URLS.items()]
    click.echo(table(("tree", "default", "address"), rows), nl=False)
    ctx.exit()


def _named(pairs: Sequence[str]) -> dict[str, str]:
    """Read NAME=URL, or the NAME of a tree whose URL is known."""
    from kbisect.history.trees import URLS, canonical

    found = {}
    for pair in pairs:
        name, equals, url = pair.partition("=")
        tree = canonical(name)
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(?<!\.lock)", tree) or ".." in tree:
            raise UsageError(f"--tree {pair}: not a name for a tree", hint="--tree NAME=URL")
        if not equals:
            if tree not in URLS:
                raise UsageError(
                    f"--tree {name}: kbisect knows no address for it",
                    hint=f"--tree {name}=URL, or one of {', '.join(URLS)}",
                )
            url = URLS[tree]
        if not url or url.startswith("-"):
            raise UsageError(f"--tree {pair}: not an address", hint="--tree NAME=URL")
        # A path is relative to here, not to the repository that will be made.
        found[tree] = str(Path(url).absolute()) if Path(url).exists() else url
    return found


def _row(tree: str, arrival: Arrival) -> dict[str, object]:
    return {
        "name": tree,
        "url": arrival.url,
        "ref": arrival.ref,
        "old": arrival.old,
        "oid": arrival.oid,
        "new": arrival.new,
        "rewritten": arrival.rewritten,
    }


class _Progress:
    """git's progress on one line of stderr, where somebody looks."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._drawn = False
        self.line: Callable[[str], None] | None = self._draw if session.shows_progress else None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def say(self, words: str) -> None:
        self._clear()
        self._session.say(words)

    def _draw(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{printable(text)[:100]}")
        sys.stderr.flush()
        self._drawn = True

    def _clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False

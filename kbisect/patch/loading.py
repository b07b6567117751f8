# SPDX-License-Identifier: GPL-2.0-or-later
"""What a person names, made a series: mailboxes, files, a pipe, or commits of the repository."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from kbisect.errors import UsageError
from kbisect.git import formatpatch
from kbisect.git.repository import Repository
from kbisect.git.snapshot import Snapshot
from kbisect.history import names
from kbisect.patch import mails, series
from kbisect.patch.series import Series

_WHOLE_TREE = 1000
"""A first commit of more files than this is an import."""


def load(
    repository: Callable[[], Repository],
    given: Sequence[str],
    stdin: Callable[[], bytes],
    say: Callable[[str], None] = lambda _: None,
) -> Series:
    """Read what a person names, as one series: files and `-`, or revisions and ranges.

    Parameters
    ----------
    repository : called only when a revision is meant
    given : as written, one or more; a file wins over a revision of the same name
    stdin : called for `-`
    say : told where the index had to name a revision

    Raises
    ------
    UsageError
        One is neither a file nor a revision, or files and revisions are mixed.
    """
    if twice := next((name for at, name in enumerate(given) if name in given[:at]), None):
        raise UsageError(f"{twice} is named twice", hint="name each once")
    contents = [_content(name, stdin) for name in given]
    posted = [
        mail
        for name, raw in zip(given, contents, strict=True)
        if raw is not None
        for mail in mails.read(raw, "stdin" if name == "-" else name)
    ]
    revisions = [name for name, raw in zip(given, contents, strict=True) if raw is None]
    if not revisions:
        name = given[0] if len(given) == 1 else f"what {given[0]} and the other files hold"
        return series.of_mails(posted, "stdin" if name == "-" else name)
    if posted:
        raise UsageError(
            f"{revisions[0]} is no file, but others are", hint="name files or revisions, not both"
        )
    found = [of_commits(repository(), name, say) for name in revisions]
    if len(found) == 1:
        return found[0]
    patches = [patch for each in found for patch in each.patches]
    return Series(
        None,
        tuple(series.numbered(patch, at, len(patches)) for at, patch in enumerate(patches, 1)),
        len(patches),
        source="repository",
        base=found[0].base,
    )


def _content(given: str, stdin: Callable[[], bytes]) -> bytes | None:
    """Return what a file or stdin holds; None where a revision must be meant."""
    if given == "-":
        return stdin()
    path = Path(given)
    try:
        # `<(git format-patch …)` is a pipe.
        return path.read_bytes() if path.is_file() or path.is_fifo() else None
    except OSError as error:
        raise UsageError(f"cannot read {given}: {error.strerror}", hint="ask for access") from None


def of_commits(
    repository: Repository, given: str, say: Callable[[str], None] = lambda _: None
) -> Series:
    """Read commits of the repository, as they would be mailed.

    Parameters
    ----------
    given : a revision or a range; names of releases too, which `say` is told

    Raises
    ------
    UsageError
        Neither a revision nor a range that has commits.
    """
    first, dots, last = given.partition("..")
    if dots:
        old = names.resolve(repository, first or "HEAD", say)
        new = names.resolve(repository, last.removeprefix(".") or "HEAD", say)
        raw = formatpatch.mails(repository, new, since=old)
        base: str | None = next(iter(repository.merge_bases(old, new)), None)
    else:
        try:
            oid = names.resolve(repository, given, say)
        except UsageError as error:
            raise UsageError(f"{given} is neither a file nor a revision", hint=error.hint) from None
        if len(repository.commit(oid).parents) > 1:
            raise UsageError(
                f"{oid[:12]} is a merge: it has no patch of its own",
                hint=f"name what it brought: {given}^1..{given}^2",
            )
        if not repository.commit(oid).parents:
            _require_small(Snapshot(repository.gitdir, oid))
        raw = formatpatch.mails(repository, oid)
        base = next(iter(repository.commit(oid).parents), None)
    if not raw and dots:
        raise UsageError(f"{given} holds no commits to mail", hint="name it the other way round?")
    if not raw:
        raise UsageError(f"{given} changes no file: there is no patch", hint="name another commit")
    found = series.read(raw, given, keep_cr=True)
    return Series(found.cover, found.patches, found.total, source="repository", base=base)


def _require_small(first: Snapshot) -> None:
    if (count := len(first.files)) > _WHOLE_TREE:
        raise UsageError(
            f"{first.oid[:12]} has no parent and {count:,} files: it is a whole tree, not a patch",
            hint="name a later commit",
        )

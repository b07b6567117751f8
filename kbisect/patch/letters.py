# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits as mail files for `git send-email` or b4. Nothing is sent.

What was written is read back and applied in memory: a message that `git am` would take for a diff,
or anything else a mail can't carry, is found before a maintainer finds it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header
from pathlib import Path

from kbisect import temporary
from kbisect.errors import UsageError
from kbisect.git import formatpatch
from kbisect.git.application import Applier
from kbisect.git.repository import Repository
from kbisect.patch import loading, series, target
from kbisect.patch.diffs import DamagedPatch
from kbisect.patch.maintainers import Answer, Desk, Kind
from kbisect.patch.series import NO_BLURB, NO_TITLE, Series
from kbisect.patch.target import Target

_LOOK = "look for a line in a message that looks like a diff, or begins with ---"
_COVER_FROM = 3
_EIGHT_BIT = (
    "\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """How the mails are wanted.

    Attributes
    ----------
    tree : for the prefix; None for what fits (`target`)
    version : 1 gives no `v1`
    is_rfc : `RFC` in the prefix
    cover : a cover letter; None from 3 patches on, or where something is to stand in it
    title, blurb : the cover letter's, None leaves git's placeholder
    to, cc : people besides those whom MAINTAINERS names
    """

    tree: str | None = None
    version: int = 1
    is_rfc: bool = False
    cover: bool | None = None
    title: str | None = None
    blurb: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letters:
    """The mails that were written.

    Attributes
    ----------
    files : in the order in which they are sent
    tree : in the prefix
    why : reasons for the tree
    to, cc : the headers of each
    base : oid of the commit they were made on
    unfinished : what is left to write of the cover letter: `subject`, `text`
    """

    files: tuple[Path, ...]
    tree: str
    why: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    base: str
    unfinished: tuple[str, ...]


def write(
    repository: Repository, folder: Path, given: tuple[str | None, str], at: str, wish: Wish
) -> Letters:
    """Write `since..oid`, or one commit, as mails.

    Parameters
    ----------
    folder : made if it isn't there
    given : (since, oid), full oids
    at : oid of the commit whose MAINTAINERS counts

    Raises
    ------
    UsageError
        A file of that name exists, the tree isn't clear, or a mail wouldn't apply again.
    """
    since, oid = given
    try:
        posted = loading.of_commits(repository, f"{since}..{oid}" if since else oid)
    except DamagedPatch as damage:
        raise UsageError(f"a mail can't carry this: {damage.message}", hint=_LOOK) from None
    base = since or posted.base
    if base is None:
        raise UsageError(f"{oid[:12]} has no parent", hint="a first commit can't be mailed")
    desk = Desk(repository, at)
    aim = target.choose(repository, posted, desk.maintainers, target.tips(repository))
    tree = wish.tree or aim.tree
    if tree is None:
        raise UsageError(
            f"which tree it is for isn't clear: {'; '.join(aim.why)}",
            hint="--tree NAME, as its list writes it"
            if aim.foreign
            else f"--tree {target.spelled(aim.family)} or --tree {target.spelled(aim.family)}-next",
        )
    to, cc = _recipients(desk, posted, wish)
    with temporary.folder("mail") as place:
        made = _format(repository, place, given, base, tree, (to, cc), wish)
        unfinished = _finish(made, wish)
        _read_back(repository, made, base, oid)
        files = _hand_over(made, folder)
    return Letters(tuple(files), tree, _reasons(wish, aim), to, cc, base, unfinished)


def _reasons(wish: Wish, aim: Target) -> tuple[str, ...]:
    return ("as asked",) if wish.tree else aim.why


def _recipients(desk: Desk, posted: Series, wish: Wish) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return To and Cc: maintainers, and the rest; each patch goes to all, so that they see why."""
    answers: list[Answer] = [
        desk.of_patch(patch.mail.text, history=False) for patch in posted.patches
    ]
    everybody = {each.email: each for answer in answers for each in answer.recipients}
    named = [each for each in everybody.values() if each.kind is Kind.MAINTAINER]
    others = [each for each in everybody.values() if each.kind is not Kind.MAINTAINER]
    return (
        tuple(dict.fromkeys((*wish.to, *(each.address for each in named)))),
        tuple(dict.fromkeys((*wish.cc, *(each.address for each in others)))),
    )


def _format(
    repository: Repository,
    place: Path,
    given: tuple[str | None, str],
    base: str,
    tree: str,
    recipients: tuple[Sequence[str], Sequence[str]],
    wish: Wish,
) -> list[Path]:
    since, oid = given
    count = len(loading.of_commits(repository, f"{since}..{oid}").patches) if since else 1
    cover = wish.cover
    if cover is None:
        cover = count >= _COVER_FROM or bool(wish.title or wish.blurb)
    prefix = f"{'RFC ' if wish.is_rfc else ''}PATCH {tree}"
    return formatpatch.write_mails(
        repository,
        place,
        given,
        base,
        prefix,
        "--cover-letter" if cover else "--no-cover-letter",
        "--numbered" if cover or since else "--no-numbered",
        *((f"-v{wish.version}",) if wish.version > 1 else ()),
        *(f"--to={address}" for address in recipients[0]),
        *(f"--cc={address}" for address in recipients[1]),
    )


def _finish(made: Sequence[Path], wish: Wish) -> tuple[str, ...]:
    """Fill in the cover letter; say what is left to write."""
    cover = made[0].read_text("utf-8", "surrogateescape")
    if NO_TITLE not in cover:
        return ()
    if wish.title:
        title = " ".join(wish.title.split())
        if not title.isascii():
            title = Header(title, "utf-8", header_name="Subject").encode()
        cover = cover.replace(NO_TITLE, title)
    if wish.blurb:
        head, gap, body = cover.replace(NO_BLURB, wish.blurb.strip()).partition("\n\n")
        if not body.isascii() and "\nContent-Type:" not in head:
            head += _EIGHT_BIT
        cover = head + gap + body
    made[0].write_text(cover, "utf-8", "surrogateescape")
    left = (("subject", NO_TITLE), ("text", NO_BLURB))
    return tuple(name for name, placeholder in left if placeholder in cover)


def _read_back(repository: Repository, made: Sequence[Path], base: str, oid: str) -> None:
    """Apply what was written, and compare with the commit."""
    applier = Applier(repository)
    tree = repository.commit(base).tree
    written = series.read(b"".join(_with_line(path) for path in made), "what was written")
    for patch in written.patches:
        tried = applier.apply(tree, patch.mail.diff)
        if tried.tree is None:
            raise UsageError(
                f"a mail can't carry {patch.title}: {tried.problem or 'it does not apply again'}",
                hint=_LOOK,
            )
        tree = tried.tree
    if tree != repository.commit(oid).tree:
        raise UsageError(
            "the mails don't give back what the commits hold",
            hint="name a straight range: merges have no patch",
        )


def _with_line(path: Path) -> bytes:
    return path.read_bytes().rstrip(b"\n") + b"\n\n"


def _hand_over(made: Sequence[Path], folder: Path) -> list[Path]:
    """Move the files to where they are wanted: all, or none."""
    files = [folder / path.name for path in made]
    for file in files:
        if file.exists():
            raise UsageError(f"{file} exists", hint="choose another folder with -o DIR")
    folder.mkdir(parents=True, exist_ok=True)
    for path, file in zip(made, files, strict=True):
        shutil.move(path, file)
    return files

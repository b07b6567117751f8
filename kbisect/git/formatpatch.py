# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits as mail, by `git format-patch`: on stdout to be read, as files to be sent."""

from __future__ import annotations

from pathlib import Path

from kbisect.git import process
from kbisect.git.repository import Repository

# The user's taste in mails must not change ours.
_MAIL_CONFIG = tuple(
    word
    for pair in (
        *("format.subjectPrefix=PATCH", "format.suffix=.patch", "format.headers=", "format.to="),
        *("format.cc=", "format.encodeEmailHeaders=true", "format.noprefix=false"),
        *(
            "format.mboxrd=false",
            "format.coverFromDescription=message",
            "format.filenameMaxLength=64",
        ),
        *("diff.noprefix=false", "diff.mnemonicPrefix=false", "diff.orderFile=/dev/null"),
    )
    for word in ("-c", pair)
)
_MAIL_FLAGS = (
    *("--full-index", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-attach"),
    *("--no-from", "--no-notes", "--no-add-header", "--no-to", "--no-cc", "--no-signoff"),
    *("--no-relative", "--find-renames", "--unified=3", "--diff-algorithm=myers"),
    "--indent-heuristic",
)


def mails(repository: Repository, oid: str, since: str | None = None) -> bytes:
    """Return commits as the mailbox that `git format-patch` writes, whatever the user's taste.

    Parameters
    ----------
    oid : the commit, or the last one
    since : take all commits of `since..oid`, without merges
    """
    return process.run(
        repository.gitdir,
        *(*_MAIL_CONFIG, "format-patch", "--stdout", *_MAIL_FLAGS, "--no-signature"),
        *("--no-thread", "--no-cover-letter", "--no-base"),
        *(("--numbered", f"{since}..{oid}") if since else ("--no-numbered", "-1", oid)),
    ).stdout


def write_mails(
    repository: Repository,
    folder: Path,
    commits: tuple[str | None, str],
    base: str,
    prefix: str,
    *options: str,
) -> list[Path]:
    """Write commits as mails into a folder, one file each, the cover letter first.

    Parameters
    ----------
    commits : (since, oid) as for `mails`
    base : oid for the line `base-commit:`
    prefix : what stands between the brackets of the subject, `PATCH net-next`
    options : further ones of `git format-patch`, whether patches are numbered among them
    """
    since, oid = commits
    done = process.run(
        repository.gitdir,
        *(*_MAIL_CONFIG, "format-patch", *_MAIL_FLAGS, f"--subject-prefix={prefix}"),
        *(f"--base={base}", "--thread=shallow", "-o", str(folder), *options),
        *((f"{since}..{oid}",) if since else ("-1", oid)),
    )
    return [Path(name) for name in done.stdout.decode("utf-8", "surrogateescape").splitlines()]

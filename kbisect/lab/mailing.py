# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether this machine could send a patch: what git is told of mail, looked at, never tried."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path

from kbisect.git import process
from kbisect.git.repository import Repository
from kbisect.lab.doctor import Check, Health

_LEAST_DIGITS = 12
_DRY_RUN = (
    "git send-email --dry-run"
    " --to-cmd='kbisect patch maintainers --git-send-email --only to'"
    " --cc-cmd='kbisect patch maintainers --git-send-email --only cc' *.patch"
)


def examine(repository: Repository) -> Iterator[Check]:
    """Look at `user.*`, `sendemail.*`, `format.useAutoBase` and `core.abbrev`."""
    yield _person(repository)
    yield _sender(repository)
    yield _server(repository)
    yield _base(repository)
    yield _digits(repository)


def _check(name: str, detail: str, hint: str = "") -> Check:
    return Check(name, Health.LIMITED if hint else Health.OK, detail, hint, needed=False)


def _person(repository: Repository) -> Check:
    """Signed-off-by and From: come from these."""
    name, email = repository.config("user.name"), repository.config("user.email")
    if not name or not email:
        hint = 'git config user.name "Your Name" && git config user.email you@example.org'
        return _check("name", "git knows no name and address for you", hint)
    done = process.run(repository.gitdir, "var", "GIT_COMMITTER_IDENT", codes=(0, 128))
    signed = done.stdout.decode("utf-8", "replace").rpartition("> ")[0] + ">"
    if parseaddr(signed)[1].lower() != email.lower():
        hint = "unset GIT_COMMITTER_EMAIL and GIT_COMMITTER_NAME"
        return _check("name", f"commits are signed off by {signed}, not by {email}", hint)
    return _check("name", f"{name} <{email}> signs off")


def _sender(repository: Repository) -> Check:
    email = repository.config("user.email") or ""
    sender = repository.config("sendemail.from")
    if sender and parseaddr(sender)[1].lower() != email.lower():
        hint = f"git config sendemail.from '{email}'" if email else "git config user.email"
        return _check("From", f"mail comes from {sender}, but sign-offs from {email}", hint)
    return _check("From", sender or f"{email or 'unknown'}, by user.email")


def _server(repository: Repository) -> Check:
    listed = process.run(repository.gitdir, "--exec-path").stdout.decode().strip()
    if not Path(listed, "git-send-email").exists():
        return _check("send-email", "git send-email isn't installed", "apt install git-email")
    server = repository.config("sendemail.smtpserver") or repository.config("sendemail.sendmailcmd")
    if server:
        return _check("send-email", f"by {server}; to try: {_DRY_RUN}")
    # Where git looks for it by itself.
    found = shutil.which("sendmail", path="/usr/sbin:/usr/lib:/usr/bin")
    if found:
        return _check("send-email", f"by {found}; to try: {_DRY_RUN}")
    hint = "git config sendemail.smtpserver smtp.example.org"
    return _check("send-email", "no server is configured", hint)


def _base(repository: Repository) -> Check:
    said = (repository.config("format.useautobase") or "").lower()
    if said in {"true", "yes", "on", "1", "whenable"}:
        return _check("base", f"format.useAutoBase is {said}")
    hint = "git config format.useAutoBase whenAble"
    return _check("base", "format-patch doesn't say on which commit a patch stands", hint)


def _digits(repository: Repository) -> Check:
    said = repository.config("core.abbrev") or "auto"
    digits = int(said) if said.isdigit() else 0
    if digits >= _LEAST_DIGITS or said in {"no", "off", "false"}:
        return _check("digits", f"core.abbrev is {said}")
    hint = f"git config core.abbrev {_LEAST_DIGITS}"
    return _check("digits", f"core.abbrev is {said}: Fixes: wants {_LEAST_DIGITS} or more", hint)

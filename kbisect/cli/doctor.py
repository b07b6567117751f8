# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect doctor`: check what this machine can do."""

from __future__ import annotations

from pathlib import Path

import click

from kbisect.cli.session import Session, json_option, pass_session
from kbisect.errors import RepositoryProblem


@click.command()
@json_option
@pass_session
def doctor(session: Session, as_json: bool) -> int:
    """Check what this machine can do: git, QEMU, KVM, a compiler, Dask, the disk, mail.

    Each thing is tried, but no mail is sent. Exits with 4 if something the lab needs is missing.
    """
    from kbisect.lab import mailing
    from kbisect.lab.doctor import Health, examine
    from kbisect.report import doctor as report

    try:
        store = session.repository.store
        mail = tuple(mailing.examine(session.repository))
    except RepositoryProblem:
        store = Path(session.store or ".").absolute()
        mail = ()
    checks = (*examine(store), *mail)
    session.answer("doctor", {"checks": checks}, lambda style: report.text(checks, style), as_json)
    return 4 if any(c.needed and c.health is Health.MISSING for c in checks) else 0

# SPDX-License-Identifier: GPL-2.0-or-later
"""What the patch commands share: the series that a person names, and the index if there is one."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from kbisect.cli.session import Session
from kbisect.errors import UsageError

if TYPE_CHECKING:
    from kbisect.history.releases import Release, Window
    from kbisect.history.store import Index
    from kbisect.patch.series import Series


def load(session: Session, *given: str) -> Series:
    """Read the mailboxes, files or revisions that a person names, as one series."""
    from kbisect.patch import loading

    return loading.load(lambda: session.repository, given, sys.stdin.buffer.read, session.say)


def say_rest(session: Session, series: Series) -> None:
    """Tell of the patches that were given too, but aren't of the series."""
    for other in series.others:
        session.say(f"left aside: {other}")


def is_talk(error: UsageError) -> bool:
    """Say whether a mailbox was refused since no mail in it has a patch."""
    from kbisect.patch.series import NoPatch

    return isinstance(error, NoPatch)


def index_if_any(session: Session) -> Index | None:
    """Open the index; without one some facts are missing, which the answer says."""
    from kbisect.cli.history import open_index
    from kbisect.history.store import NoIndex

    try:
        return open_index(session)
    except NoIndex:
        return None


def window_now(session: Session) -> Window | None:
    """Return the merge window as it stands; None without an index."""
    from kbisect.history import releases as naming

    known = releases_if_any(session)
    return naming.window(known, int(time.time())) if known else None


def releases_if_any(session: Session) -> list[Release]:
    """Return the index's releases; none without an index."""
    from kbisect.cli.history import known_releases
    from kbisect.history.store import NoIndex

    try:
        return known_releases(session)
    except NoIndex:
        return []

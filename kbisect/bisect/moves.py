# SPDX-License-Identifier: GPL-2.0-or-later
"""What a campaign can do next: try a commit, leave a branch, wait for others, or end. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kbisect.bisect.events import End
from kbisect.bisect.verdict import Role

Running = AbstractSet[tuple[str, Role, str | None]]
"""What is being tested at this moment, as `Try.what` tells it."""


@dataclass(frozen=True, slots=True)
class Try:
    """Test this commit, with `reverts` taken back on top of it. `suspects` of the range remain.

    Of a tip, `tree` is the tree.
    """

    oid: str
    role: Role
    suspects: int
    reverts: str | None = None
    tree: str | None = None

    @property
    def what(self) -> tuple[str, Role, str | None]:
        """What tells it from other tests."""
        return self.oid, self.role, self.reverts

    @property
    def tests_left(self) -> int:
        """About how many tests of the search remain, this one among them."""
        return max(0, (self.suspects - 1).bit_length())


@dataclass(frozen=True, slots=True)
class Leave:
    """Note that this commit, outside the range, has what is looked for; then plan again."""

    oid: str


class Wait:
    """Nothing can be tested before one of the running tests has ended."""


Planned = Try | End | Leave | Wait


def first(wanted: Sequence[Try], running: Running) -> Try | Wait | None:
    """Return the first test that nobody is at; wait if there are only others."""
    for test in wanted:
        if test.what not in running:
            return test
    return Wait() if wanted else None

# SPDX-License-Identifier: GPL-2.0-or-later
"""From what one run did to a verdict on its commit. Pure.

What the bad end does defines bad: a run is bad when it fails in that way, and a run that fails in
another way says nothing about the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

TIMED_OUT = 124
"""What `timeout` returns; a script that uses it says "it hangs"."""
CANNOT_TEST = 125
ANY_FAILURE = -1
"""The exit code of a signature that only says at which stage."""
COULD_NOT_RUN = (126, 127)
"""The shell's codes for "not executable" and "not found": the script is wrong, not the commit."""


class Verdict(StrEnum):
    """What is held of a commit."""

    GOOD = "good"
    BAD = "bad"
    SKIP = "skip"


class Cause(StrEnum):
    """Where a verdict comes from."""

    TEST = "test"
    BUILD = "build"
    BOOT = "boot"
    TIMEOUT = "timeout"
    OTHER_CRASH = "other-crash"
    OTHER_FAILURE = "other-failure"
    INFRASTRUCTURE = "infrastructure"
    PERSON = "person"


class Role(StrEnum):
    """Why a commit was tested."""

    BAD_END = "bad-end"
    GOOD_END = "good-end"
    BASE = "base"
    SEARCH = "search"
    CONFIRM = "confirm"
    REVERT = "revert"
    TIP = "tip"


class StageName(StrEnum):
    """The parts of one run, in their order. A plain script is a test alone."""

    CONFIG = "config"
    BUILD = "build"
    BOOT = "boot"
    TEST = "test"
    PARSE = "parse"


_BEFORE = {
    StageName.CONFIG: Cause.BUILD,
    StageName.BUILD: Cause.BUILD,
    StageName.BOOT: Cause.BOOT,
}
"""What it means that a stage before the test failed."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one run did.

    Attributes
    ----------
    exit_code : as a shell would say it (128 + n after signal n); None past the limit, when it was
        ended for what it had shown, and for a guest that ended without a report
    timed_out : whether the step's own time limit ended it
    crash : fingerprint of the fatal kernel report on the console, None without one
    stage : the last that ran
    """

    exit_code: int | None
    timed_out: bool = False
    crash: str | None = None
    stage: StageName = StageName.TEST

    @property
    def hung(self) -> bool:
        """Whether it ran into a time limit, ours or the script's."""
        return self.timed_out or self.exit_code == TIMED_OUT

    @property
    def failed(self) -> bool:
        """Whether it failed, in whatever way. 125 is no failure but no answer.

        A crash counts with exit code 0 too: QEMU started with -no-reboot leaves with 0 after a
        guest's panic.
        """
        if self.exit_code == CANNOT_TEST:
            return False
        return self.timed_out or self.crash is not None or self.exit_code != 0

    def __str__(self) -> str:
        how = "time limit" if self.timed_out else f"exit {self.exit_code}"
        if self.exit_code == ANY_FAILURE:
            return f"{self.stage} fails"
        if self.exit_code is None and not self.timed_out:
            how = "stopped at a crash" if self.crash else "the guest ended without a report"
        if self.stage in _BEFORE and self.failed:
            how = f"{self.stage}: {how}"
        return f"{how}, {self.crash}" if self.crash else how


Signature = Observation
"""What the failure looks like at the bad end."""


def judge(seen: Observation, signature: Signature | None) -> tuple[Verdict, Cause]:
    """Return the verdict on a commit, and its cause.

    Parameters
    ----------
    seen : what its run did
    signature : what the bad end did; None before it was tested, or when it never is

    Notes
    -----
    Without a signature this is git's rule: 1 to 124 is bad. From 128 on (a signal, a lost
    connection, virtme-ng's 255) it can be the machine, so only a signature makes it bad.
    """
    if seen.exit_code == CANNOT_TEST and not seen.timed_out:
        return Verdict.SKIP, _BEFORE.get(seen.stage, Cause.TEST)
    if not seen.failed:
        return Verdict.GOOD, Cause.TEST
    if signature is not None and _same(seen, signature):
        return Verdict.BAD, Cause.TIMEOUT if seen.hung and not seen.crash else Cause.TEST
    if seen.stage in _BEFORE:
        return Verdict.SKIP, _BEFORE[seen.stage]
    if seen.crash is not None and (signature is not None or seen.exit_code not in range(1, 128)):
        return Verdict.SKIP, Cause.OTHER_CRASH
    if seen.timed_out or (signature is not None and seen.hung):
        return Verdict.SKIP, Cause.TIMEOUT
    if seen.exit_code is None:
        return Verdict.SKIP, Cause.OTHER_FAILURE
    if seen.exit_code >= 128:
        return Verdict.SKIP, Cause.INFRASTRUCTURE
    if signature is None:
        return Verdict.BAD, Cause.TEST
    return Verdict.SKIP, Cause.OTHER_FAILURE


def judge_bad_end(seen: Observation) -> tuple[Verdict, Cause]:
    """Return the verdict on the bad end, where every failure is the one that is hunted."""
    return judge(seen, seen if seen.failed else None)


def _same(seen: Observation, signature: Signature) -> bool:
    if signature.exit_code == ANY_FAILURE:
        return seen.stage is signature.stage
    if signature.crash is not None or seen.crash is not None:
        return seen.crash == signature.crash
    if seen.stage is not signature.stage:
        return False
    if signature.hung or seen.hung:
        return seen.hung and signature.hung
    return seen.exit_code == signature.exit_code

# SPDX-License-Identifier: GPL-2.0-or-later
"""What counts as bad, as a person writes it: in a recipe, or to one step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kbisect.bisect.verdict import ANY_FAILURE, Observation, Signature, StageName
from kbisect.errors import UsageError
from kbisect.lab import console, syzbot


def named(said: str) -> Signature:
    """Read what counts as bad: `hang`, `exit N`, or a crash as a step prints it.

    Raises
    ------
    UsageError
        It is none of these.
    """
    if said == "hang":
        return Observation(None, timed_out=True)
    if found := re.fullmatch(r"exit (\d{1,3})", said):
        return Observation(int(found[1]))
    if any(said.startswith(f"{kind} in ") or said == kind for kind in console.KINDS):
        return Observation(None, crash=said)
    raise UsageError(
        f"{said!r} is no signature",
        hint='"hang", "exit 255", or a crash as `kbisect lab step` prints it at the bad end',
    )


def of_table(table: Mapping[str, Any]) -> Signature:
    """Read a recipe's [signature].

    Raises
    ------
    UsageError
        It isn't one thing, or none that can be hunted.
    """
    if len(table) != 1 or not set(table) <= {"crash", "syzbot", "exit", "hang", "stage"}:
        raise UsageError("[signature] is one of crash, syzbot, exit, hang, stage", hint="exit = 1")
    key, said = next(iter(table.items()))
    if key == "syzbot":
        return Observation(None, False, syzbot.fingerprint(str(said)))
    if key == "crash":
        return Observation(None, False, str(said))
    if key == "exit" and type(said) is int and 0 < said < 256:
        return Observation(said)
    if key == "hang" and said is True:
        return Observation(None, timed_out=True)
    if key == "stage" and said in list(StageName):
        return Observation(ANY_FAILURE, stage=StageName(said))
    raise UsageError(
        f"[signature] {key} can't be {said!r}",
        hint=f"exit = 1, hang = true, or stage = one of {', '.join(StageName)}",
    )

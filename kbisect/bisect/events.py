# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal's events and their JSON lines. Pure.

One event a line, never changed afterwards: taking back is an event too. Times are Unix seconds.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, get_args, get_type_hints

from kbisect.bisect.verdict import Cause, Observation, Role, StageName, Verdict
from kbisect.errors import UsageError

VERSION = 1
"""Version of the format; a journal with a higher one is refused."""


class Outcome(StrEnum):
    """How a campaign ends."""

    CULPRIT = "culprit"
    RANGE = "range"
    NO_CULPRIT = "no-culprit"
    NOT_REPRODUCED = "not-reproduced"
    UNRESOLVED = "unresolved"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Started:
    """A campaign began.

    Attributes
    ----------
    bad, goods : full oids of the ends; none yet in a campaign by hand
    script : its name as given; None in a campaign by hand
    suspects : paths that are suspected more than others
    only : paths outside which nothing is suspected
    flat : whether every candidate is suspected alike
    find_fix : whether the commit is looked for that ended the failure; the bad end is the older one
    confidence : where the search stops
    digest : SHA-256 of the script's copy, or of the command's path
    recipe : name of the recipe's file, recipe_digest its SHA-256
    retries : how often a run is repeated whose machine failed
    tips : `tree=oid` of trees whose newest commit is tested too
    """

    event: ClassVar[str] = "started"
    at: float
    bad: str | None = None
    goods: tuple[str, ...] = ()
    script: str | None = None
    digest: str | None = None
    arguments: tuple[str, ...] = ()
    timeout: float | None = None
    checkout: bool = True
    trust_ends: bool = False
    first_parent: bool = False
    candidates: int | None = None
    suspects: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    flat: bool = False
    find_fix: bool = False
    confidence: float = 0.95
    recipe: str | None = None
    recipe_digest: str | None = None
    retries: int = 1
    tips: tuple[str, ...] = ()

    @property
    def by_hand(self) -> bool:
        """Whether a person gives the verdicts."""
        return self.script is None and self.recipe is None


@dataclass(frozen=True, slots=True)
class Tested:
    """One run of the script came to an end."""

    event: ClassVar[str] = "tested"
    at: float
    oid: str
    role: Role
    verdict: Verdict
    cause: Cause
    exit_code: int | None
    timed_out: bool
    crash: str | None
    seconds: float
    attempt: int = 1
    folder: str | None = None
    """Where the run's output is, below the campaign's folder."""
    stage: StageName = StageName.TEST
    """The last that ran."""
    reverted: str | None = None
    """The commit that was taken back on top of `oid` for this run."""
    image: str | None = None
    """Digest of what was built, times and paths left out."""
    worker: str | None = None
    tree: str | None = None
    """Of a tip, the tree."""
    reused: bool = False
    """Whether the worker held its build already."""

    @property
    def seen(self) -> Observation:
        """What the run did."""
        return Observation(self.exit_code, self.timed_out, self.crash, self.stage)


@dataclass(frozen=True, slots=True)
class Told:
    """A person gave a verdict."""

    event: ClassVar[str] = "told"
    at: float
    oid: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Undone:
    """The last verdict, tested or told, was taken back."""

    event: ClassVar[str] = "undone"
    at: float


@dataclass(frozen=True, slots=True)
class Same:
    """A commit was built and is the same binary as `other`, so that it wasn't tested again."""

    event: ClassVar[str] = "same"
    at: float
    oid: str
    other: str
    image: str


@dataclass(frozen=True, slots=True)
class Aside:
    """These commits can't change what is built: each makes the binary of its first parent.

    The last such event counts; one without any commit takes them back, and `reason` says why.

    Attributes
    ----------
    checked : those that were built all the same, and were that binary
    """

    event: ClassVar[str] = "aside"
    at: float
    oids: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Traced:
    """The crash that is hunted went through these functions, which stand in these files."""

    event: ClassVar[str] = "traced"
    at: float
    functions: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Old:
    """A commit outside the range has what is looked for: its branch had it all along."""

    event: ClassVar[str] = "old"
    at: float
    oid: str


@dataclass(frozen=True, slots=True)
class Stuck:
    """A commit can't be taken back on top of another: these paths conflict, or it is a merge."""

    event: ClassVar[str] = "stuck"
    at: float
    reverted: str
    oid: str
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to test. `reason` is one line, `hint` the next thing to try."""

    outcome: Outcome
    culprit: str | None = None
    suspects: tuple[str, ...] = ()
    reason: str = ""
    hint: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Finished(End):
    """The campaign ended."""

    event: ClassVar[str] = "finished"
    at: float = field(kw_only=True)


Event = Started | Tested | Told | Undone | Same | Aside | Traced | Old | Stuck | Finished
_KINDS: dict[str, type[Event]] = {
    kind.event: kind
    for kind in (Started, Tested, Told, Undone, Same, Aside, Traced, Old, Stuck, Finished)
}


def encode(event: Event) -> str:
    """Return the event as one line, its newline included."""
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    # In ASCII, so that arguments that are no UTF-8 come back as they were.
    return json.dumps({"v": VERSION, "event": event.event, **fields}) + "\n"


def decode(line: str) -> Event:
    """Read one line.

    Raises
    ------
    UsageError
        The line was written by a newer kbisect, or isn't an event.
    """
    try:
        fields = json.loads(line)
        version = fields.pop("v")
        if version > VERSION:
            raise UsageError(
                f"the journal has version {version}, this kbisect reads up to {VERSION}",
                hint="use the newer kbisect that wrote it, or put it aside: kbisect bisect reset",
            )
        kind = _KINDS[fields.pop("event")]
        hints = get_type_hints(kind)
        return kind(**{name: _typed(value, hints[name]) for name, value in fields.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"the journal holds a line that is no event ({type(error).__name__}): {line[:60]!r}",
            hint="put it aside and start anew: kbisect bisect reset",
        ) from None


def load(text: str) -> tuple[list[Event], str]:
    """Read a whole journal.

    Returns
    -------
    the events, and what stands after the last newline: a line that a kill or a full disk cut in
    the middle. It was never acknowledged, so it is no event.
    """
    whole, newline, rest = text.rpartition("\n")
    return [decode(line) for line in (whole + newline).splitlines() if line], rest


def _typed(value: Any, wanted: Any) -> Any:
    """Check a JSON value against a field's type; lists become tuples, words become enums."""
    options = get_args(wanted) if type(None) in get_args(wanted) else (wanted,)
    if value is None and type(None) in options:
        return None
    base = options[0]
    if get_args(base):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise TypeError(value)
        return tuple(value)
    if issubclass(base, StrEnum):
        return base(value)
    if base is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if type(value) is not base:
        raise TypeError(value)
    return value

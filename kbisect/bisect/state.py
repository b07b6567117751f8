# SPDX-License-Identifier: GPL-2.0-or-later
"""What a journal's events add up to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kbisect.bisect.events import (
    Aside,
    Event,
    Finished,
    Old,
    Same,
    Started,
    Stuck,
    Tested,
    Told,
    Traced,
    Undone,
)
from kbisect.bisect.verdict import Cause, Role, Signature, Verdict
from kbisect.errors import UsageError

Answer = tuple[str, Verdict]


@dataclass(frozen=True, slots=True)
class State:
    """A campaign as it stands: its start, the verdicts that still hold, and its end.

    Attributes
    ----------
    answers : Tested and Told, in the order given, without those taken back
    events : number of events in the journal, those taken back included
    stuck : reverts that conflict
    same : commits that are the same binary as another
    aside : commits that can't change what is built, and why there are none any more
    traced : what the crash that is hunted went through
    old : commits outside the range whose branches had it all along, as long as their runs hold
    """

    started: Started
    answers: tuple[Tested | Told, ...] = ()
    finished: Finished | None = None
    events: int = 0
    stuck: tuple[Stuck, ...] = ()
    same: tuple[Same, ...] = ()
    aside: Aside | None = None
    traced: Traced | None = None
    old: tuple[str, ...] = ()

    @property
    def tested(self) -> tuple[Tested, ...]:
        """The runs of the script."""
        return tuple(answer for answer in self.answers if isinstance(answer, Tested))

    def of(self, *roles: Role) -> tuple[Tested, ...]:
        """Return the runs made for these reasons."""
        return tuple(run for run in self.tested if run.role in roles)

    @property
    def signature(self) -> Signature | None:
        """What the failure looks like at the bad end, None when that wasn't tested."""
        for run in self.of(Role.BAD_END):
            if run.verdict is Verdict.BAD:
                return run.seen
        return None

    @property
    def verdicts(self) -> tuple[Answer, ...]:
        """Every (oid, verdict) that narrows the search, the ends given at the start first."""
        start = self.started
        ends: list[Answer] = [(start.bad, Verdict.BAD)] if start.bad else []
        ends += [(oid, Verdict.GOOD) for oid in start.goods]
        return (
            *ends,
            *(
                (answer.oid, answer.verdict)
                for answer in self._telling
                if isinstance(answer, Told) or answer.role in {Role.SEARCH, Role.BASE}
            ),
        )

    @property
    def to_repeat(self) -> tuple[Tested, ...]:
        """Runs that say nothing, for the machine failed, and that are to be made again."""
        allowed = self.started.retries
        last: dict[tuple[str, Role, str | None], Tested] = {}
        lost: dict[tuple[str, Role, str | None], int] = {}
        for run in self.tested:
            at = run.oid, run.role, run.reverted
            last[at] = run
            if run.cause is Cause.INFRASTRUCTURE:
                lost[at] = lost.get(at, 0) + 1
        return tuple(
            run
            for at, run in last.items()
            if run.cause is Cause.INFRASTRUCTURE and lost[at] <= allowed
        )

    @property
    def _telling(self) -> tuple[Tested | Told, ...]:
        """Answers that say something of this range; what a machine's failure says comes last."""
        repeated = {id(run) for run in self.to_repeat}
        last = {
            (answer.oid, answer.role, answer.reverted): id(answer)
            for answer in self.answers
            if isinstance(answer, Tested)
        }
        return tuple(
            answer
            for answer in self.answers
            if isinstance(answer, Told)
            or (
                answer.role not in {Role.REVERT, Role.TIP}
                and id(answer) not in repeated
                and (
                    answer.cause is not Cause.INFRASTRUCTURE
                    or id(answer) == last[answer.oid, answer.role, answer.reverted]
                )
            )
        )

    @property
    def heard(self) -> tuple[Answer, ...]:
        """Every run or verdict by hand, as the search takes it in: bad is what has the culprit.

        Where a fix is looked for, good and bad change places.
        """
        turned = {Verdict.GOOD: Verdict.BAD, Verdict.BAD: Verdict.GOOD, Verdict.SKIP: Verdict.SKIP}
        if not self.started.find_fix:
            return tuple((answer.oid, answer.verdict) for answer in self._telling)
        return tuple((answer.oid, turned[answer.verdict]) for answer in self._telling)

    @property
    def ends(self) -> tuple[str | None, tuple[str, ...]]:
        """The end that contains the culprit, and those that don't, as given at the start."""
        start = self.started
        if start.find_fix and start.bad and start.goods:
            return start.goods[0], (start.bad,)
        return start.bad, start.goods

    def named(self, verdict: Verdict) -> tuple[str, ...]:
        """Return the commits with this verdict, each once, in the order given."""
        return tuple(dict.fromkeys(oid for oid, held in self.verdicts if held is verdict))


def fold(events: Iterable[Event]) -> State | None:
    """Return the state after these events; None for an empty journal.

    Raises
    ------
    UsageError
        The journal doesn't begin with its start.
    """
    started: Started | None = None
    answers: list[Tested | Told] = []
    finished: Finished | None = None
    stuck: list[Stuck] = []
    same: list[Same] = []
    aside: Aside | None = None
    traced: Traced | None = None
    old: list[str] = []
    count = 0
    for event in events:
        count += 1
        match event:
            case Started():
                if started is not None:
                    raise _disordered("starts twice")
                started = event
            case Tested() | Told():
                answers.append(event)
                finished = None
            case Undone():
                finished = None
                if answers:
                    answers.pop()
            case Same():
                same.append(event)
            case Aside():
                aside = event
            case Traced():
                traced = event
            case Old():
                old.append(event.oid)
            case Stuck():
                stuck.append(event)
            case Finished():
                finished = event
    if started is None:
        if count:
            raise _disordered("doesn't begin with a start")
        return None
    heard = {answer.oid for answer in answers}
    return State(
        started,
        tuple(answers),
        finished,
        count,
        tuple(stuck),
        tuple(same),
        aside,
        traced,
        tuple(oid for oid in dict.fromkeys(old) if oid in heard),
    )


def _disordered(what: str) -> UsageError:
    return UsageError(f"the journal {what}", hint="start anew: kbisect bisect reset")

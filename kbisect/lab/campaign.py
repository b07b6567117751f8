# SPDX-License-Identifier: GPL-2.0-or-later
"""A campaign: one bisection from its start to its end, driven by a script or by hand.

What happened stands in the journal; everything else follows from it. `plan` (in the pure room
`bisect`) says what to do next, `driver` does it where a script gives the verdicts.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from functools import cached_property
from pathlib import Path

from kbisect.bisect import priors
from kbisect.bisect.confirmation import SequentialTest
from kbisect.bisect.events import End, Event, Finished, Started, Tested, Told, Traced, Undone
from kbisect.bisect.forecast import Forecast, forecast
from kbisect.bisect.moves import Planned, Try
from kbisect.bisect.plan import plan
from kbisect.bisect.result import Result, summarise
from kbisect.bisect.state import Answer, State
from kbisect.bisect.verdict import Verdict
from kbisect.bisect.view import Range, likely, search, telling
from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.lab import ranges, repairs
from kbisect.lab.journal import Campaigns, Journal
from kbisect.lab.repairs import Repair
from kbisect.lab.script import Script

_OF_THE_DAY = {"at", "candidates", "tips"}
_OPPOSITE = {Verdict.GOOD: Verdict.BAD, Verdict.BAD: Verdict.GOOD}
_SAID = {
    "goods": "good",
    "digest": "the content of the script",
    "arguments": "the script's arguments",
    "checkout": "no-checkout",
    "suspects": "suspect",
    "flat": "prior",
    "recipe_digest": "the content of the recipe",
}


class Campaign:
    """The campaign of a store's current folder.

    Whoever writes to it holds `Campaigns.locked`.
    """

    def __init__(self, repository: Repository, journal: Journal) -> None:
        self.repository = repository
        self.journal = journal

    @classmethod
    def begin(
        cls, repository: Repository, started: Started, script: Script | None = None
    ) -> Campaign:
        """Start one; nothing is written before the ends are known to make sense.

        Raises
        ------
        UsageError
            The ends are equal, swapped, or have nothing in common.
        """
        repository.require_whole_history()
        known: Range | None = None
        tip, others = State(started).ends
        if tip and others:
            known = ranges.read(repository, started, tip, others)
            started = replace(started, candidates=len(known.candidates))
        campaign = cls(repository, Campaigns(repository.store).begin(started, script))
        if known is not None:
            campaign.__dict__["_range"] = known
        return campaign

    @classmethod
    def current(cls, repository: Repository) -> Campaign | None:
        """Return the store's current campaign, open or ended, None without one."""
        journal = Campaigns(repository.store).open()
        return cls(repository, journal) if journal is not None else None

    # --- what is known ------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """The fold of the journal."""
        return self.journal.state

    @property
    def ends(self) -> tuple[str, tuple[str, ...]] | None:
        """The bad end and the good ones, None while one is missing."""
        state = self.state
        bads, goods = state.named(Verdict.BAD), state.named(Verdict.GOOD)
        start = state.started
        if not start.by_hand:
            tip, others = state.ends
            return (tip, others) if tip and others else None
        return (bads[0], goods) if bads and goods else None

    @property
    def narrowed(self) -> tuple[str, tuple[str, ...]]:
        """The ends that verdicts have come to by hand, or that a script was given, to go on from.

        By hand: the oldest bad one, and the good ones that no other contains. None may be missing.
        """
        started = self.state.started
        if not started.by_hand:
            assert started.bad is not None
            return started.bad, started.goods
        is_in = self.repository.is_ancestor
        oldest, *bads = self.state.named(Verdict.BAD)
        for bad in bads:
            oldest = bad if is_in(bad, oldest) else oldest
        goods = self.state.named(Verdict.GOOD)
        return oldest, tuple(
            good
            for good in goods
            if not any(good != other and is_in(good, other) for other in goods)
        )

    @cached_property
    def _range(self) -> Range:
        assert self.ends is not None
        traced = self.state.traced
        paths = traced.paths if traced is not None else ()
        return ranges.read(self.repository, self.state.started, *self.ends, traced=paths)

    @property
    def searched(self) -> Range:
        """The range between the ends, which must be known."""
        return self._range

    def planned(self, pending: Sequence[Try] = ()) -> Planned | None:
        """Return what to do next, while others are at `pending`; None while an end is missing."""
        if self.ends is None:
            return None
        return plan(self.state, self._range, pending)

    def forecast(self, workers: int = 1) -> Forecast | None:
        """Return how much is left to do; None where nothing is, or nobody knows."""
        if self.ends is None or self.state.finished is not None or self.state.started.by_hand:
            return None
        return forecast(self.state, search(self.state, self._range), workers)

    def suspects(self) -> tuple[str, ...]:
        """Return the commits that can still be the culprit, parents first."""
        if self.ends is None:
            return ()
        return self._range.named(likely(search(self.state, self._range)))

    def believed(self) -> tuple[Answer, ...]:
        """Return what is held of each commit; where answers contradict each other, the likelier."""
        if self.ends is None or self.state.started.by_hand:
            return self.state.verdicts
        searched = self._range
        verdicts = telling(self.state, searched)
        belief = search(self.state, searched).belief
        if belief.suspects().any():
            return verdicts
        held = belief.posterior.culprit
        turned = self.state.started.find_fix
        found: dict[str, Verdict] = {}
        for oid, verdict in verdicts:
            position = searched.position(oid)
            if position is None or verdict is Verdict.SKIP:
                found.setdefault(oid, verdict)
                continue
            inside = sum(
                float(held[low:high].sum()) for low, high in searched.reach.within(position)
            )
            has = inside >= held.sum() / 2
            found[oid] = Verdict.BAD if has != turned else Verdict.GOOD
        return tuple(found.items())

    def repairs(self) -> tuple[Repair, ...]:
        """Return commits that may repair what couldn't be tested; none that nothing can apply."""
        started = self.state.started
        if self.ends is None or started.by_hand or not started.checkout:
            return ()
        return repairs.look(self.repository, self.state, self._range)

    @property
    def sources(self) -> tuple[priors.Source, ...]:
        """Return why some candidates are suspected more than others."""
        return self._range.prior.sources if self.ends is not None else ()

    def result(self) -> Result:
        """Return what was found, or how far it is."""
        state = self.state
        end = state.finished
        if end is None:
            return summarise(state, self.suspects())
        if end.culprit is None:
            return summarise(state)
        rates = None
        if not state.started.by_hand:
            rates = SequentialTest.of(search(state, self._range).belief)
        return summarise(state, parents=self.repository.commit(end.culprit).parents, rates=rates)

    # --- by hand ------------------------------------------------------------------------------

    def tell(self, oid: str, verdict: Verdict) -> None:
        """Note a person's verdict on a commit.

        Raises
        ------
        UsageError
            It contradicts what is known; nothing is noted.
        """
        if self.ends is not None and verdict is Verdict.BAD:
            self._require_in_range(oid)
        opposite = _OPPOSITE.get(verdict)
        if opposite is not None and oid in self.state.named(opposite):
            raise UsageError(
                f"{oid[:12]} can't be {verdict}: it was called {opposite}",
                hint="take that back: kbisect bisect log, then kbisect bisect undo",
            )
        told = Told(time.time(), oid, verdict)
        self.journal.events.append(told)
        self._forget()
        try:
            self.planned()
        finally:
            self.journal.events.remove(told)
            self._forget()
        self.append(told)

    def _require_in_range(self, oid: str) -> None:
        """Refuse a bad commit that would say nothing about the range."""
        if oid in self._range.candidates.number or oid in self._range.bases:
            return
        assert self.ends is not None
        if any(self.repository.is_ancestor(oid, good) for good in self.ends[1]):
            raise UsageError(
                f"{oid[:12]} can't be bad: a good commit contains it",
                hint="take the wrong verdict back: kbisect bisect log, then kbisect bisect undo",
            )
        raise UsageError(
            f"{oid[:12]} is not in the range that is searched",
            hint=f"to begin with it: kbisect bisect reset; kbisect bisect bad {oid[:12]}",
        )

    def undo(self) -> Tested | Told:
        """Take the last verdict back and return it.

        Raises
        ------
        UsageError
            There is none.
        """
        answers = self.state.answers
        if not answers:
            raise UsageError("there is no verdict to take back", hint="kbisect bisect log")
        self.append(Undone(time.time()))
        return answers[-1]

    def settle(self) -> Planned | None:
        """Return what to do next, and note it if that is the end."""
        planned = self.planned()
        if isinstance(planned, End) and self.state.finished is None:
            self.finish(planned)
        return planned

    # --- its files ----------------------------------------------------------------------------

    def append(self, event: Event) -> None:
        """Note an event."""
        self.journal.append(event)
        if self.state.started.by_hand or isinstance(event, Traced):
            self._forget()

    def finish(self, end: End) -> None:
        """Note the end."""
        self.append(Finished(**asdict(end), at=time.time()))

    def _forget(self) -> None:
        """Forget the range: by hand, a verdict can move its ends; a trace weighs it anew."""
        self.__dict__.pop("_range", None)

    @property
    def folder(self) -> Path:
        """Where the campaign keeps its files."""
        return self.journal.path.parent

    @property
    def seen(self) -> bool:
        """Whether its result reached somebody. A kill can come between the end and the telling."""
        return (self.folder / "seen").exists()

    def mark_seen(self) -> None:
        """Note that the result was told: the same command now begins anew."""
        with contextlib.suppress(OSError):  # a full disk: told twice is no harm
            (self.folder / "seen").touch()

    def differs(self, wanted: Started) -> tuple[str, ...]:
        """Name what makes it another campaign than the one that would be started so."""
        mine = self.state.started
        # Trees move on, and what is hunted stays the same.
        names = [each.name for each in fields(Started) if each.name not in _OF_THE_DAY]
        differing = (name for name in names if getattr(mine, name) != getattr(wanted, name))
        return tuple(dict.fromkeys(_SAID.get(name, name.replace("_", "-")) for name in differing))

# SPDX-License-Identifier: GPL-2.0-or-later
"""A campaign: one bisection from its start to its end, driven by a script or by hand."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from kbisect.bisect import priors
from kbisect.bisect.candidates import Candidates
from kbisect.bisect.events import Event, Finished, Started, Tested, Told, Undone
from kbisect.bisect.plan import End, Try, plan
from kbisect.bisect.reach import Reach, Tangled
from kbisect.bisect.result import Result, summarise
from kbisect.bisect.state import Answer, State
from kbisect.bisect.verdict import COULD_NOT_RUN, Role, Verdict, judge, judge_bad_end
from kbisect.bisect.view import Range, likely, search
from kbisect.errors import UsageError
from kbisect.git import commits
from kbisect.git.process import GitFailed
from kbisect.git.repository import Repository
from kbisect.git.worktree import Scratch, locate
from kbisect.lab import executors, suspicion
from kbisect.lab import step as steps
from kbisect.lab.journal import Campaigns, Journal
from kbisect.lab.script import Script
from kbisect.lab.step import Done, Step

Listener = Callable[["Progress"], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """A test that has ended, and what is left: `planned` is the next thing to do."""

    run: Tested
    planned: Try | End


def merge_bases(repository: Repository, bad: str, goods: Sequence[str]) -> tuple[str, ...]:
    """Return what must be tested first where a good end isn't an ancestor of the bad one.

    Raises
    ------
    UsageError
        The ends are equal, swapped, or have nothing in common.
    """
    found: dict[str, None] = {}
    for good in goods:
        if good == bad:
            raise UsageError(
                f"the good and the bad end are the same commit {bad[:12]}",
                hint="give two different ones: --good OLDER --bad NEWER",
            )
        bases = repository.merge_bases(bad, good)
        if not bases:
            raise UsageError(
                f"{good[:12]} and {bad[:12]} have no history in common",
                hint="give a --good whose history the --bad one contains",
            )
        if bad in bases:
            raise UsageError(
                f"the ends look swapped: the good end {good[:12]} contains the bad end {bad[:12]}",
                hint=f"--good {bad[:12]} --bad {good[:12]}",
            )
        found |= dict.fromkeys(base for base in bases if base != good)
    return tuple(found)


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
            known = _range(repository, started, tip, others)
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
        if start.script is not None:
            tip, others = state.ends
            return (tip, others) if tip and others else None
        return (bads[0], goods) if bads and goods else None

    @cached_property
    def _range(self) -> Range:
        assert self.ends is not None
        return _range(self.repository, self.state.started, *self.ends)

    def planned(self) -> Try | End | None:
        """Return what to do next; None while an end is missing."""
        if self.ends is None:
            return None
        return plan(self.state, self._range)

    def suspects(self) -> tuple[str, ...]:
        """Return the commits that can still be the culprit, parents first."""
        if self.ends is None:
            return ()
        return self._range.named(likely(search(self.state, self._range)))

    def believed(self) -> tuple[Answer, ...]:
        """Return what is held of each commit; where answers contradict each other, the likelier."""
        verdicts = self.state.verdicts
        if self.ends is None or self.state.started.script is None:
            return verdicts
        searched = self._range
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

    @property
    def sources(self) -> tuple[priors.Source, ...]:
        """Return why some candidates are suspected more than others."""
        return self._range.prior.sources if self.ends is not None else ()

    def result(self) -> Result:
        """Return what was found, or how far it is."""
        state = self.state
        return summarise(state, () if state.finished else self.suspects())

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
        told = Told(time.time(), oid, verdict)
        self.journal.events.append(told)
        self._forget()
        try:
            self.planned()
        finally:
            self.journal.events.remove(told)
            self._forget()
        self._append(told)

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
        self._append(Undone(time.time()))
        return answers[-1]

    def settle(self) -> Try | End | None:
        """Return what to do next, and note it if that is the end."""
        planned = self.planned()
        if isinstance(planned, End) and self.state.finished is None:
            self._finish(planned)
        return planned

    # --- by script ----------------------------------------------------------------------------

    def run(self, executor: Executor, listen: Listener | None = None) -> State:
        """Test until the end is known.

        May be stopped at any point, and called again on the same journal.

        Raises
        ------
        UsageError
            The script could not be run (126, 127); says nothing about the commit.
        """
        repository = self.repository
        scratch = Scratch.prepare(repository) if self.state.started.checkout else None
        planned = self.planned()
        assert planned is not None
        while isinstance(planned, Try):
            try:
                done = executors.result(executor.submit(steps.run, self._step(planned, scratch)))
            except GitFailed:
                if repository.is_partial:
                    raise repository.absent(planned.oid) from None
                raise
            run = self._judge(planned, done)
            self._append(run)
            planned = self.planned()
            assert planned is not None
            if listen is not None:
                listen(Progress(run, planned))
        if self.state.finished is None:
            self._finish(planned)
        self.clean_store(self.repository)
        return self.state

    @staticmethod
    def clean_store(repository: Repository) -> None:
        """Remove worktrees and build folders; what the steps kept stays."""
        scratch = locate(repository)
        if scratch.worktrees.exists():
            for place in scratch.worktrees.iterdir():
                scratch.remove(place.name)
        shutil.rmtree(repository.store / "builds", ignore_errors=True)

    @property
    def seen(self) -> bool:
        """Whether its result reached somebody. A kill can come between the end and the telling."""
        return (self.folder / "seen").exists()

    def mark_seen(self) -> None:
        """Note that the result was told: the same command now begins anew."""
        with contextlib.suppress(OSError):  # a full disk: told twice is no harm
            (self.folder / "seen").touch()

    def is_for(self, wanted: Started) -> bool:
        """Whether it is the campaign that would be started so."""
        mine = self.state.started
        return replace(mine, at=0, candidates=None) == replace(wanted, at=0, candidates=None)

    @property
    def folder(self) -> Path:
        """Where the campaign keeps its files."""
        return self.journal.path.parent

    def _step(self, test: Try, scratch: Scratch | None) -> Step:
        start, state = self.state.started, self.state
        repository = self.repository
        assert start.script is not None
        copied = self.folder / "script"
        command = str(copied) if copied.exists() else (shutil.which(start.script) or start.script)
        return Step(
            oid=test.oid,
            command=(command, *start.arguments),
            folder=self.folder / "steps" / f"{len(state.tested) + 1:04d}-{test.oid[:12]}",
            scratch=scratch,
            directory=repository.workdir or repository.gitdir,
            build=repository.store / "builds" / "0",
            attempt=1 + sum(run.oid == test.oid for run in state.tested),
            timeout=start.timeout,
            env=steps.environment(),
        )

    def _judge(self, test: Try, done: Done) -> Tested:
        seen = done.seen
        folder = Path("steps") / f"{len(self.state.tested) + 1:04d}-{test.oid[:12]}"
        if seen.exit_code in COULD_NOT_RUN:
            words = _last_words(self.folder / folder / "output.txt")
            raise UsageError(
                f"the script left with {seen.exit_code} at {test.oid[:12]}: something in it could "
                f"not be run{words}",
                hint="correct it and run the same command again; "
                "for a commit that can't be tested it should leave with 125",
            )
        if test.role is Role.BAD_END:
            verdict, cause = judge_bad_end(seen)
        else:
            verdict, cause = judge(seen, self.state.signature)
        return Tested(
            at=time.time(),
            oid=test.oid,
            role=test.role,
            verdict=verdict,
            cause=cause,
            exit_code=seen.exit_code,
            timed_out=seen.timed_out,
            crash=seen.crash,
            seconds=done.seconds,
            attempt=1 + sum(run.oid == test.oid for run in self.state.tested),
            folder=str(folder),
        )

    def _finish(self, end: End) -> None:
        self._append(
            Finished(
                time.time(),
                end.outcome,
                end.culprit,
                end.suspects,
                end.reason,
                end.hint,
                end.confidence,
            )
        )

    def _append(self, event: Event) -> None:
        self.journal.append(event)
        if self.state.started.script is None:
            self._forget()

    def _forget(self) -> None:
        """Forget the range: by hand, a verdict can move its ends."""
        self.__dict__.pop("_range", None)


def _range(repository: Repository, started: Started, bad: str, goods: tuple[str, ...]) -> Range:
    bases = merge_bases(repository, bad, goods)
    candidates = candidates_of(repository, bad, goods, started.first_parent)
    size = len(candidates)
    only = started.only
    if only:
        marked = suspicion.touching(repository, candidates, bad, goods, only)
        if not marked.any():
            raise UsageError(
                f"no commit of the range changes {' '.join(only)}", hint="leave --only out"
            )
        source = priors.Source(f"changes {' '.join(only)}", int(marked.sum()), 1.0)
        prior = priors.Prior(marked / marked.sum(), (source,))
    elif started.flat:
        prior = priors.flat(size)
    else:
        named = None
        if started.suspects:
            named = suspicion.touching(repository, candidates, bad, goods, started.suspects)
        prior = priors.weigh(size, suspicion.in_scope(repository, candidates), named)
    try:
        reach = Reach.of(candidates.graph)
    except Tangled:
        raise UsageError(
            f"the {size:,} commits of this range are too tangled to be weighed",
            hint="choose ends that are nearer, or --first-parent",
        ) from None
    return Range(candidates, reach, prior, bases)


def candidates_of(
    repository: Repository, bad: str, goods: Sequence[str], first_parent: bool = False
) -> Candidates:
    """Read the commits of a range."""
    flags = ("--first-parent",) if first_parent else ()
    return Candidates.build(commits.walk(repository, [bad], goods, *flags), first_parent)


def _last_words(output: Path) -> str:
    try:
        with output.open("rb") as file:
            file.seek(max(0, output.stat().st_size - 4096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return f" ({said[-1][:200]})" if said else ""

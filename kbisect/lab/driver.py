# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver of a campaign: keeps its workers busy until the end is known.

As soon as one test has ended, the next is planned from all that is known by then; a running test
that can say nothing more is cancelled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kbisect.bisect.events import End, Old, Same, Stuck, Tested
from kbisect.bisect.forecast import Forecast, forecast
from kbisect.bisect.moves import Leave, Try, Wait
from kbisect.bisect.plan import idle
from kbisect.bisect.state import State
from kbisect.bisect.verdict import (
    Observation,
    Role,
    Verdict,
)
from kbisect.bisect.view import search
from kbisect.errors import MachineLost
from kbisect.git import derived
from kbisect.git.process import GitFailed
from kbisect.lab import (
    environment,
    execution,
    executors,
    fixups,
    footprint,
    judging,
    running,
    slots,
    traces,
)
from kbisect.lab import place as places
from kbisect.lab.campaign import Campaign
from kbisect.lab.executors import Crew, Gap
from kbisect.lab.place import Place
from kbisect.lab.recipe import Recipe
from kbisect.lab.running import Job
from kbisect.lab.step import Done, Step

Listener = Callable[["Progress"], None]
Notice = Callable[[Gap | None], None]

_LOST = 3
"""So many workers may be lost with one test."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A test that has ended, and what is left.

    Attributes
    ----------
    tests : number of tests that have ended
    suspects : of the range that remain
    forecast : of what is still to do, None once only the confirmation is left
    jobs : what the workers are at
    """

    run: Tested
    tests: int
    suspects: int
    forecast: Forecast | None
    jobs: tuple[Job, ...]


class Driver:
    """Drives one campaign with a crew of workers.

    Parameters
    ----------
    listen : told of each test that has ended
    notice : told when there is no worker any more, and with None when there is one again
    """

    def __init__(
        self,
        campaign: Campaign,
        crew: Crew,
        recipe: Recipe,
        listen: Listener | None = None,
        notice: Notice | None = None,
    ) -> None:
        self.campaign, self.crew, self.recipe = campaign, crew, recipe
        self.listen, self.notice = listen, notice
        repository, started = campaign.repository, campaign.state.started
        self.place = Place(
            repository.gitdir, repository.store, started.at, checkout=started.checkout
        )
        self.fixups = fixups.Fixups(repository, recipe.fixups)
        self.footprint = footprint.Kept(campaign.folder)
        self.env = environment.passed_on()
        self.jobs: dict[Future[Done], Job] = {}
        self.lost: dict[str, int] = {}

    def run(self) -> State:
        """Test until the end is known.

        May be stopped at any point, and called again on the same journal.

        Raises
        ------
        UsageError
            The script could not be run (126, 127); says nothing about the commit.
        MachineLost
            Workers were lost, again and again.
        """
        with self._at_work():
            while (end := self._fill()) is None:
                for job, done in self._ended():
                    self._take(job, done)
                self._drop_idle()
        if self.campaign.state.finished is None:
            self.campaign.finish(end)
        self._clean()
        return self.campaign.state

    def all_of(self, tests: Sequence[Try]) -> None:
        """Run these tests, whatever is known already."""
        left = list(tests)
        with self._at_work():
            while left or self.jobs:
                while left and len(self.jobs) < self.crew.size:
                    self._start(left.pop(0))
                self._tell()
                if self.jobs:
                    for job, done in self._ended():
                        self._take(job, done)
        self._clean()

    def _clean(self) -> None:
        slots.clean(self.campaign.repository)
        self.crew.everywhere(places.clean, self.place)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """End what runs, and say that nothing does any more, however this is left."""
        try:
            yield
        finally:
            for future in self.jobs:
                future.cancel()
            self.crew.join()
            running.clear(self.campaign.folder)

    def _fill(self) -> End | None:
        """Give every worker something to do; return the end if that is what is left."""
        while len(self.jobs) < self.crew.size:
            planned = self.campaign.planned(self._pending)
            assert planned is not None
            if isinstance(planned, End):
                return planned
            if isinstance(planned, Wait):
                break
            if isinstance(planned, Leave):
                self.campaign.append(Old(time.time(), planned.oid))
                continue
            self._start(planned)
        self._tell()
        return None

    def _tell(self, gap: Gap | None = None) -> None:
        """Let another terminal know what runs, or that nothing can."""
        running.write(self.campaign.folder, self.jobs.values(), self.crew.size, gap)

    def _on_gap(self, gap: Gap | None) -> None:
        self._tell(gap)
        if self.notice is not None:
            self.notice(gap)

    @property
    def _pending(self) -> tuple[Try, ...]:
        return tuple(job.test for job in self.jobs.values())

    # --- one test -----------------------------------------------------------------------------

    def _start(self, test: Try) -> None:
        if test.reverts is not None:
            scratch = self.place.scratch(test.oid, test.reverts)
            made = derived.without(scratch, test.reverts, test.oid)
            if made.oid is None:
                stuck = Stuck(time.time(), test.reverts, test.oid, made.conflicts)
                self.campaign.append(stuck)
                return
        runs = self.campaign.state.tested
        attempt = 1 + sum(run.oid == test.oid for run in runs)
        attempt += sum(each.oid == test.oid for each in self._pending)
        self._submit(Job(test, f"{self._number():04d}-{test.oid[:12]}", attempt, time.time()))

    def _submit(self, job: Job) -> None:
        future = self.crew.submit(execution.run, self._step(job))
        self.jobs[future] = job

    def _step(self, job: Job) -> Step:
        campaign, test = self.campaign, job.test
        repository = campaign.repository
        script = campaign.folder / "script"
        return Step(
            oid=test.oid,
            recipe=self.recipe,
            folder=campaign.folder / "steps" / job.folder,
            place=self.place,
            directory=repository.workdir or repository.gitdir,
            attempt=job.attempt,
            reverts=test.reverts,
            slots=self.crew.size if self.crew.local else None,
            fixups=self.fixups.of(test.oid),
            env=self.env,
            signature=self.recipe.signature or campaign.state.signature,
            known=self._known(test),
            script=(script, script.read_bytes())
            if not self.crew.local and script.exists()
            else None,
            archive=True,
        )

    def _number(self) -> int:
        """Return the next number of a step's folder: none is used twice, not even after an undo."""
        events = self.campaign.journal.events
        folders = [
            Path(each.folder).name for each in events if isinstance(each, Tested) and each.folder
        ]
        folders += [job.folder for job in self.jobs.values()]
        return 1 + max((int(name.split("-")[0]) for name in folders), default=0)

    def _known(self, test: Try) -> dict[str, Observation]:
        """Return what each image did, where one run of it says all there is to say."""
        state = self.campaign.state
        if self.recipe.image is None or test.role is not Role.SEARCH:
            return {}
        asked = {same.oid for same in state.same} | {run.oid for run in state.tested}
        if test.oid in asked:
            return {}  # and here one didn't
        if not search(state, self.campaign.searched).belief.suspects().any():
            return {}
        return {run.image: run.seen for run in state.tested if run.image is not None}

    # --- what came of it ----------------------------------------------------------------------

    def _ended(self) -> Iterator[tuple[Job, Done]]:
        """Wait for tests to end, and return those that can be judged; none if workers joined."""
        waiting = set(self.jobs)
        while True:
            ready = self.crew.wait(waiting, self._on_gap)
            if not ready:
                return
            # What a good end does is judged by what the bad one did.
            now = [future for future in ready if self._may_judge(self.jobs[future])]
            if now:
                break
            waiting -= set(ready)
        for future in now:
            job = self.jobs.pop(future)
            try:
                yield job, executors.result(future)
            except MachineLost:
                self.lost[job.folder] = self.lost.get(job.folder, 0) + 1
                if self.lost[job.folder] >= _LOST:
                    raise
                self._submit(job)
            except GitFailed:
                repository = self.campaign.repository
                if repository.is_partial:
                    raise repository.absent(job.test.oid) from None
                raise

    def _may_judge(self, job: Job) -> bool:
        if job.test.role not in {Role.GOOD_END, Role.TIP, Role.BASE}:
            return True
        return not any(test.role is Role.BAD_END for test in self._pending)

    def _take(self, job: Job, done: Done) -> None:
        folder = self.campaign.folder / "steps" / job.folder
        for name, content in done.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if done.same and done.image is not None:
            other = next(run.oid for run in self.campaign.state.tested if run.image == done.image)
            self.campaign.append(Same(time.time(), job.test.oid, other, done.image))
            self._set_aside(job.test, done)
            return
        run = judging.judged(self.campaign.state, self.recipe, job, done, folder)
        self.campaign.append(run)
        self._look_at_trace(run, folder)
        self._set_aside(job.test, done)
        if self.listen is not None:
            self.listen(self._progress(run))

    def _look_at_trace(self, run: Tested, folder: Path) -> None:
        """Note which files the crash that is hunted went through, once it was seen."""
        state = self.campaign.state
        if run.role is not Role.BAD_END or run.crash is None or state.traced is not None:
            return
        if run.verdict is Verdict.BAD and not state.started.flat and not state.started.only:
            found = traces.look(self.campaign.repository, run.oid, run.crash, folder)
            if found is not None:
                self.campaign.append(found)

    def _set_aside(self, test: Try, done: Done) -> None:
        """Note which commits can't change what is built, as far as this build says more of it."""
        if done.image is None or test.reverts is not None:
            return
        if done.footprint is not None:
            self.footprint.add(test.oid, done.footprint)
        campaign = self.campaign
        candidates = campaign.searched.candidates
        said = footprint.look(campaign.repository, candidates, campaign.state, self.footprint)
        if said is not None:
            campaign.append(said)

    def _progress(self, run: Tested) -> Progress:
        campaign = self.campaign
        state = campaign.state
        found = search(state, campaign.searched)
        return Progress(
            run,
            len(state.tested),
            len(campaign.suspects()),
            forecast(state, found, self.crew.size),
            tuple(self.jobs.values()),
        )

    def _drop_idle(self) -> None:
        """Cancel what can say nothing more."""
        if len(self.jobs) < 2:
            return
        for test in idle(self.campaign.state, self.campaign.searched, self._pending):
            for future, job in list(self.jobs.items()):
                if job.test == test:
                    future.cancel()
                    del self.jobs[future]

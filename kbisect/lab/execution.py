# SPDX-License-Identifier: GPL-2.0-or-later
"""A step on its way: a commit comes into a worktree, the stages run on it, what they do is seen."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

from kbisect.bisect.verdict import Observation, StageName
from kbisect.errors import EnvironmentProblem, UsageError
from kbisect.git import derived
from kbisect.git.worktree import Scratch
from kbisect.lab import (
    configuration,
    console,
    executors,
    footprint,
    guest,
    image,
    ktap,
    kvm,
    luggage,
    slots,
    stages,
)
from kbisect.lab.archive import Archive
from kbisect.lab.footprint import Footprint
from kbisect.lab.limits import Unwanted
from kbisect.lab.place import Place
from kbisect.lab.slots import Slot
from kbisect.lab.stages import StageRun
from kbisect.lab.step import Done, Step

_SETTLE = 3.0
"""Seconds that a console gets to say the rest, once the kernel is dead."""


def run(step: Step) -> Done:
    """Run one step. Works on the machine it is sent to.

    Raises
    ------
    GitFailed
        The commit can't be checked out.
    CouldNotRun
        A stage can't be started.
    CancelledError
        Nobody wants to know any more.
    """
    unwanted = executors.unwanted()
    place = step.place.here()
    folder = step.folder
    if place.is_elsewhere:
        folder = place.store / "steps" / folder.name
    if step.fresh:
        # What a step that was killed left here says nothing.
        shutil.rmtree(folder, ignore_errors=True)
    (folder / "out").mkdir(parents=True, exist_ok=True)
    if place.is_elsewhere and step.script is not None:
        step = replace(step, recipe=luggage.with_script(step.recipe, *step.script, folder))
    key = _build_key(step)
    try:
        with slots.take(
            place.store, step.slots, prefix=place.prefix, wanted=key, unwanted=unwanted
        ) as slot:
            done = Execution(step, place, folder, slot, unwanted, key).done()
    except (Unwanted, InterruptedError):
        raise CancelledError from None
    if not place.is_elsewhere:
        return done
    files = luggage.collect(folder)
    shutil.rmtree(folder, ignore_errors=True)
    return replace(done, files=files)


class Execution:
    """One step on its way through the stages."""

    def __init__(
        self,
        step: Step,
        place: Place,
        folder: Path,
        slot: Slot,
        unwanted: Callable[[], bool],
        key: str,
    ) -> None:
        self.step, self.folder, self.slot, self.unwanted = step, folder, slot, unwanted
        self.place, self.key = place, key
        self.keep = step.recipe.kept if step.archive else ()
        self.archive = Archive.of(place.store)
        self.built = False
        self.console = folder / "console.txt"
        self.runs: list[StageRun] = []
        self.env = dict(step.env) | {
            "KBISECT_COMMIT": step.oid,
            "KBISECT_BUILD": str(slot.build),
            "KBISECT_OUT": str(folder / "out"),
            "KBISECT_CONSOLE": str(self.console),
            "KBISECT_WORKER": slot.name,
            "KBISECT_ATTEMPT": str(step.attempt),
        }
        self.cwd = step.directory
        self.image: str | None = None
        self.same = False
        self.footprint: Footprint | None = None

    def done(self) -> Done:
        """Run the stages and return what was seen."""
        begun = time.monotonic()
        if self.place.checkout:
            problem = self._check_out()
            self.env["KBISECT_TREE"] = str(self.cwd)
            if problem is not None:
                (self.folder / "output.txt").write_text(problem, "utf-8")
                return Done(Observation(125, stage=StageName.BUILD), 0.0, worker=self.slot.name)
        brought = time.monotonic() - begun
        seen = self._stages()
        stages.record(self.folder, self.runs)
        found = console.read(self.console, *self._outputs())
        return Done(
            seen,
            round(brought + sum(run.seconds for run in self.runs), 3),
            tuple(self.runs),
            self.slot.name,
            self.image,
            self.same,
            tuple(dict.fromkeys(report.fingerprint for report in found)),
            self.footprint,
        )

    def _check_out(self) -> str | None:
        """Bring the commit into the worktree; return why it can't be changed as it must be."""
        step = self.step
        wanted = [step.oid, *([step.reverts] if step.reverts else [])]
        picks = [fixup.commit for fixup in step.fixups if fixup.commit is not None]
        scratch: Scratch = self.place.scratch(*wanted, *picks)
        oid = step.oid
        if step.reverts is not None:
            changed = derived.without(scratch, step.reverts, oid)
            if changed.oid is None:
                return f"{step.reverts} can't be reverted: {', '.join(changed.conflicts)}\n"
            oid = changed.oid
        for commit in picks:
            changed = derived.picked(scratch, commit, oid)
            if changed.oid is None:
                return f"the fix-up {commit} conflicts: {', '.join(changed.conflicts)}\n"
            oid = changed.oid
        self.cwd = scratch.checkout(self.slot.name, oid)
        for fixup in step.fixups:
            if fixup.patch is not None and (why := derived.apply_patch(self.cwd, fixup.patch)):
                return f"a fix-up doesn't apply: {why}\n"
        return None

    def _stages(self) -> Observation:
        recipe = self.step.recipe
        building = {StageName.CONFIG, StageName.BUILD}
        if recipe.only(*building):
            self._find_build()
        found = self.built
        if not found:
            self.slot.mark(None)
        for stage in recipe.stages:
            if stage.name in building and found:
                self.runs.append(stages.reused(stage))
                continue
            if stage.name not in building and (before := self._what_the_same_did()) is not None:
                return before
            seen = self._run(stage)
            if stage.name is StageName.CONFIG and recipe.wanted is not None:
                configuration.log_drift(recipe.wanted, self.slot.build, self.folder)
            if seen is not None:
                return seen
        if recipe.stages and recipe.stages[-1].name in building and not self.built:
            self._note_build()
        if recipe.parses is not None:
            return Observation(
                ktap.exit_code(self._outputs_and_console(), recipe.parses), stage=StageName.PARSE
            )
        return Observation(0, crash=self._crash())

    def _run(self, stage: stages.Stage) -> Observation | None:
        """Run one stage; None if the next may follow."""
        tested = stage.name in {StageName.BOOT, StageName.TEST}
        output = self.folder / stages.output_name(stage.name)
        run, ended = stages.run(
            stage,
            self.folder,
            cwd=self.cwd,
            env=self.env,
            watched=[self.console] if tested else (),
            unwanted=self.unwanted,
            seen=_settled(console.Watch(self.console, output)) if tested else None,
            pass_fds=(self.slot.lock,),
        )
        self.runs.append(run)
        if (ended.exit_code or ended.full) and (ended.full or _is_full(self.folder)):
            raise EnvironmentProblem(
                f"No space left on device ({self.folder}): "
                "the script's failure says nothing of the commit",
                hint="free some space, or use another --store, and run the same command again",
            )
        crash = self._crash() if tested else None
        if run.passed and crash is None:
            return None
        name, code = stage.name, ended.exit_code
        if name is StageName.BOOT and self.step.recipe.guest:
            # A QEMU that was killed says nothing of its guest, nor does what should have booted it.
            if code is not None and not guest.has_ended(self.folder / "out"):
                code = guest.LOST
            if guest.has_started(self.folder / "out") or code == guest.LOST:
                name = StageName.TEST
            if code == guest.NO_REPORT:
                code = None
        if name is StageName.TEST and self.step.recipe.parses and code in range(1, 124):
            return None  # the parser says what it means
        return Observation(code, ended.timed_out, crash, name)

    def _crash(self) -> str | None:
        found = console.read(self.console, *self._outputs())
        wanted = self.step.signature.crash if self.step.signature else None
        if wanted is not None and any(report.fingerprint == wanted for report in found):
            return wanted
        fatal = console.fatal(found)
        return fatal.fingerprint if fatal else None

    def _outputs(self) -> list[Path]:
        names = map(stages.output_name, (StageName.BOOT, StageName.TEST))
        return [path for name in names if (path := self.folder / name).exists()]

    def _outputs_and_console(self) -> list[Path]:
        return [*self._outputs(), self.console]

    def _find_build(self) -> None:
        """Look whether the build is there: in the slot, or what is needed of it in the archive."""
        if self.slot.built == self.key:
            self._note_build()
        elif self.keep and (kept := self.archive.find(self.key)) is not None:
            with contextlib.suppress(OSError):  # known of this machine since the slot's first guest
                shutil.copy2(self.slot.build / kvm.ANSWER, kept)
            self.env["KBISECT_BUILD"] = str(kept)
            self.image = self.archive.digest(self.key)
            self.built = True

    def _what_the_same_did(self) -> Observation | None:
        """Return what the binary did when it was run before; None if it wasn't."""
        if not self.built:
            self._note_build()
        seen = self.step.known.get(self.image) if self.image is not None else None
        self.same = self.same or seen is not None
        return seen

    def _note_build(self) -> None:
        """Note that it is built, and keep what later tests of it need."""
        recipe, slot = self.step.recipe, self.slot
        self.built = True
        if recipe.only(StageName.CONFIG, StageName.BUILD):
            slot.mark(self.key)
        if recipe.image is not None:
            path = slot.build / recipe.image
            if not path.is_file():
                raise UsageError(
                    f"the build made no {recipe.image} below {slot.build}",
                    hint="correct `image` in the recipe's [build]",
                )
            self.image = image.digest(path, self.cwd, slot.build)
            if self.place.checkout and not self.step.fixups:
                self.footprint = footprint.read(slot.build, self.cwd)
        if self.keep and self.archive.find(self.key) is None:
            self.archive.add(self.key, slot.build, self.keep, self.image, slot.name)


def _build_key(step: Step) -> str:
    """Return what tells one build from another."""
    fixups = [fixup.name for fixup in step.fixups]
    return " ".join([step.oid, step.reverts or "-", step.recipe.digest, *fixups])


def _settled(watch: console.Watch) -> Callable[[], bool]:
    """Return what tells whether the kernel died, some seconds ago."""
    since: float | None = None

    def seen() -> bool:
        nonlocal since
        if since is None and watch.look() is not None:
            since = time.monotonic()
        return since is not None and time.monotonic() - since >= _SETTLE

    return seen


def _is_full(folder: Path) -> bool:
    """Whether nothing more could be written there: less than a page or two is left."""
    left = os.statvfs(folder)
    return left.f_bavail * left.f_frsize < 2 * left.f_frsize

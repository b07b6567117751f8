# SPDX-License-Identifier: GPL-2.0-or-later
"""What a campaign runs at each commit: a script, a recipe, or a recipe whose test is the script."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kbisect.bisect.events import Started
from kbisect.bisect.verdict import StageName
from kbisect.errors import UsageError
from kbisect.lab import recipe as recipes
from kbisect.lab import script as scripts
from kbisect.lab.campaign import Campaign
from kbisect.lab.recipe import Recipe
from kbisect.lab.script import Script
from kbisect.lab.stages import Stage, limited

RETRIES = 1
"""Of a run whose machine failed, where the recipe says nothing."""


@dataclass(frozen=True, slots=True)
class Work:
    """A script, a recipe, or both, as the user gave them.

    Attributes
    ----------
    arguments : of the script
    timeout : seconds, for each stage that has no limit of its own
    """

    script: Script | None
    arguments: tuple[str, ...] = ()
    recipe: Recipe | None = None
    recipe_path: Path | None = None
    timeout: float | None = None

    @classmethod
    def find(cls, words: Sequence[str], recipe: str | None, timeout: float | None = None) -> Work:
        """Find what the user named.

        Raises
        ------
        UsageError
            A script that can't be run, a recipe that can't be read, or both say what to test.
        """
        script = scripts.find(words[0]) if words else None
        path = Path(recipe).absolute() if recipe is not None else None
        read = recipes.load(path) if path is not None else None
        if script is not None and read is not None and read.only(StageName.TEST):
            raise UsageError(
                f"both the script {script.name} and the recipe say what to test",
                hint="leave the script out, or the recipe's [test]",
            )
        return cls(script, tuple(words[1:]), read, path, timeout)

    @classmethod
    def of(cls, campaign: Campaign) -> Work:
        """Find what a campaign began with; it must not have changed meanwhile.

        Raises
        ------
        UsageError
            It has, or is gone.
        """
        started = campaign.state.started
        script = None
        if started.script is not None:
            script = _same_script(campaign, started)
        recipe, path = None, None
        if started.recipe is not None:
            path = Path(started.recipe)
            recipe = recipes.load(path)
            if recipe.digest != started.recipe_digest:
                raise _changed(f"the recipe {path}")
        return cls(script, started.arguments, recipe, path, started.timeout)

    @property
    def is_outdated(self) -> bool:
        """Whether a campaign's copy of the script isn't what the user has by that name now."""
        if self.script is None or not self.script.copied:
            return False
        try:
            content = Path(self.script.name).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(content).hexdigest() != self.script.digest

    @property
    def recipe_name(self) -> str | None:
        """Path of the recipe."""
        return str(self.recipe_path) if self.recipe_path is not None else None

    @property
    def recipe_digest(self) -> str | None:
        """Digest of the recipe."""
        return self.recipe.digest if self.recipe is not None else None

    @property
    def retries(self) -> int:
        """How often a run is repeated whose machine failed."""
        if self.recipe is None or self.recipe.retries is None:
            return RETRIES
        return self.recipe.retries

    def in_campaign(self, campaign: Campaign) -> Recipe:
        """Return what to run, with the campaign's copy of the script."""
        copied = campaign.folder / "script"
        return self.whole(copied if copied.exists() else None)

    def whole(self, copied: Path | None = None) -> Recipe:
        """Return what to run, a plain script being a recipe of one stage.

        Parameters
        ----------
        copied : the copy of the script that runs instead of it
        """
        if self.script is None:
            assert self.recipe is not None
            recipe = self.recipe
        else:
            command = (str(copied or self.script.path), *self.arguments)
            if self.recipe is None:
                return recipes.of_script(command, self.timeout)
            order = list(StageName)
            stages = [*self.recipe.stages, Stage(StageName.TEST, command)]
            stages.sort(key=lambda stage: order.index(stage.name))
            recipe = replace(self.recipe, stages=tuple(stages))
        return replace(
            recipe, stages=tuple(limited(stage, self.timeout) for stage in recipe.stages)
        )


def _same_script(campaign: Campaign, started: Started) -> Script:
    assert started.script is not None
    copied = campaign.folder / "script"
    if copied.exists():
        digest = hashlib.sha256(copied.read_bytes()).hexdigest()
        if digest != started.digest:
            raise _changed(f"the campaign's copy of the script {started.script}")
        return Script(started.script, copied, digest, copied=True)
    where = shutil.which(started.script)
    if where is None:
        raise UsageError(
            f"the command {started.script} is gone", hint="install it, or: kbisect bisect reset"
        )
    script = scripts.find(started.script)
    if script.digest != started.digest:
        raise _changed(f"the command {started.script}")
    return script


def _changed(what: str) -> UsageError:
    return UsageError(
        f"{what} has changed since the campaign began: its verdicts may mean something else now",
        hint="put it back, or begin anew: kbisect bisect reset",
    )

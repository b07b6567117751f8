# SPDX-License-Identifier: GPL-2.0-or-later
"""One step of a campaign: what to do with a commit, and what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kbisect.bisect.verdict import Observation, Signature
from kbisect.lab.footprint import Footprint
from kbisect.lab.place import Place
from kbisect.lab.recipe import Fixup, Recipe
from kbisect.lab.stages import StageRun


@dataclass(frozen=True, slots=True)
class Step:
    """What to do. Travels to a worker, so it holds plain values only.

    Attributes
    ----------
    reverts : a commit that is taken back on top of `oid` first
    folder : where this step's output is kept; made by the step
    directory : where the stages run when nothing is checked out
    slots : how many slots there are; None for one a step
    fixups : changes that this commit needs, in order
    signature : what is hunted, when it is known already
    known : digest of an image → what a run of it did; the same again isn't run
    script : the copy of the user's script, for a worker that doesn't see it
    fresh : whether `folder` begins empty; else stages may go on from what stands there
    archive : whether what the tests need of a build is kept for those to come
    """

    oid: str
    recipe: Recipe
    folder: Path
    place: Place
    directory: Path
    attempt: int = 1
    reverts: str | None = None
    slots: int | None = None
    fixups: tuple[Fixup, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    signature: Signature | None = None
    known: Mapping[str, Observation] = field(default_factory=dict)
    script: tuple[Path, bytes] | None = None
    fresh: bool = True
    archive: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What a step saw.

    Attributes
    ----------
    seconds : that the checkout and its stages took
    image : digest of what was built
    same : whether that was run before, so that it wasn't run again
    reports : fingerprints of all kernel reports, the harmless ones too
    footprint : what the build read, None where that isn't known
    files : what it wrote, by name, for a campaign that can't see it
    """

    seen: Observation
    seconds: float
    stages: tuple[StageRun, ...] = ()
    worker: str = ""
    image: str | None = None
    same: bool = False
    reports: tuple[str, ...] = ()
    footprint: Footprint | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)

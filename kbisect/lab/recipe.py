# SPDX-License-Identifier: GPL-2.0-or-later
"""A recipe: how a commit is configured, built, booted and tested, in TOML.

It is given explicitly and never looked for in the tree, which may not name a command. Each stage is
a table: `run` is a line for `sh -ec`, or a list of words; beside a stage's own keys it takes
`timeout` and `quiet` (seconds, or "20 min"). All stages see the variables that a script sees.

    [config]                 # once a commit, like the build
    run = "make -C $KBISECT_TREE O=$KBISECT_BUILD defconfig"
    wanted = "net.config"    # what of it didn't come into .config is logged

    [build]
    run = "make -C $KBISECT_TREE O=$KBISECT_BUILD -j2 bzImage"
    timeout = "30 min"
    image = "arch/x86/boot/bzImage"   # below KBISECT_BUILD: the same again needs no test
    keep = ["initramfs.cpio"]         # what [boot] and [test] need of it: no commit is built twice

    [boot]                   # by QEMU: its guest reports the status, which is the test's
    kernel = "arch/x86/boot/bzImage"
    initrd = "initramfs.cpio"
    quiet = "60 s"

    [test]
    run = "./mcast-first.sh"

    [parse]                  # of the console; or run = "..."
    format = "ktap"

    [signature]              # else what the bad end does is hunted
    crash = "NULL dereference in netlab_xmit"
    # or exit = 1, hang = true, stage = "boot", or the title of a syzbot report:
    # syzbot = "KASAN: slab-use-after-free Read in netlab_xmit"

    [[fixup]]                # for commits that contain `since` and don't contain `until`
    patch = "gcc-12.patch"   # or commit = REV
    since = "v5.10"
    until = "v5.15"

    [worker]
    retries = 2              # of a run whose machine failed
    memory = "4G"            # that one test takes; else its guest's, and 1 GiB for a build
    resources = { kvm = 1 }  # of a Dask worker
"""

from __future__ import annotations

import hashlib
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kbisect.bisect.verdict import Signature, StageName
from kbisect.errors import UsageError
from kbisect.lab import room, signatures
from kbisect.lab.qemu import MEMORY
from kbisect.lab.stages import Stage

_UNITS = {"": 1, "s": 1, "min": 60, "h": 3600}
_OF_EVERY_STAGE = {"run", "timeout", "quiet"}
_GUEST = ("kernel", "initrd", "append", "memory", "cpus", "arch")
_OWN = {
    StageName.CONFIG: {"wanted"},
    StageName.BUILD: {"image", "keep"},
    StageName.BOOT: set(_GUEST),
    StageName.TEST: set[str](),
    StageName.PARSE: {"format"},
}
_WORKER = ("retries", "memory", "resources")
_FORMATS = ("ktap", "kselftest")


@dataclass(frozen=True, slots=True)
class Fixup:
    """A change that some commits need to be built. `since` and `until` are as written."""

    patch: bytes | None = None
    commit: str | None = None
    since: str | None = None
    until: str | None = None

    @property
    def name(self) -> str:
        """What tells it from others."""
        return self.commit or hashlib.sha256(self.patch or b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a commit is tested.

    Attributes
    ----------
    stages : in their order
    digest : SHA-256 of the file and of the patches it names
    image : path below KBISECT_BUILD of what is booted, None if it isn't said
    keep : paths below KBISECT_BUILD of all that the stages after the build need, None if it isn't
        said
    wanted : the configuration that is asked for, None if it isn't said
    parses : format of the console that says the verdict
    guest : whether [boot] is QEMU's, so that its guest says the verdict
    booted : the files that QEMU reads, below KBISECT_BUILD or absolute
    memory : bytes that a test takes, guest and build included; None where nobody knows
    """

    stages: tuple[Stage, ...]
    digest: str
    image: str | None = None
    keep: tuple[str, ...] | None = None
    wanted: str | None = None
    parses: str | None = None
    guest: bool = False
    booted: tuple[str, ...] = ()
    memory: int | None = None
    signature: Signature | None = None
    fixups: tuple[Fixup, ...] = ()
    retries: int | None = None
    resources: Mapping[str, float] = field(default_factory=dict)

    def only(self, *names: StageName) -> tuple[Stage, ...]:
        """Return some of the stages."""
        return tuple(stage for stage in self.stages if stage.name in names)

    @property
    def kept(self) -> tuple[str, ...]:
        """What to keep of a build so that it serves later tests too; empty if nobody knows.

        Of a recipe that only boots, it is known without a word: what QEMU reads.
        """
        after = self.only(StageName.BOOT, StageName.TEST, StageName.PARSE)
        if not after or not self.only(StageName.BUILD):
            return ()
        if self.keep is not None:
            return self.keep
        if not self.guest or len(after) > 1:
            return ()
        return tuple(name for name in self.booted if not name.startswith("/"))


def load(path: Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    UsageError
        No such file, no TOML, a key that isn't known, or a patch that isn't there.
    """
    content, document = _read(path)
    digest = hashlib.sha256(content)
    stages = [
        stage
        for name in StageName
        if name in document and (stage := _stage(path, name, document[name])) is not None
    ]
    if not stages:
        raise _wrong(path, "no stage has anything to run", "[test] with run = ...")
    fixups = tuple(_fixup(path, table) for table in document.get("fixup", ()))
    for fixup in fixups:
        digest.update(fixup.patch or b"")
    wanted = None
    if "wanted" in document.get("config", {}):
        wanted = _beside(path, document["config"]["wanted"]).decode("utf-8", "replace")
        digest.update(wanted.encode())
    worker = document.get("worker", {})
    boot = document.get("boot", {})
    return Recipe(
        stages=tuple(stages),
        digest=digest.hexdigest(),
        image=_image(path, document.get("build", {})),
        keep=_keep(path, document.get("build", {})),
        wanted=wanted,
        parses=_parses(path, document.get("parse", {})),
        guest="kernel" in boot,
        booted=tuple(str(boot[key]) for key in ("kernel", "initrd") if key in boot),
        signature=_signature(path, document.get("signature")),
        fixups=fixups,
        memory=_memory(path, document),
        retries=_retries(path, worker),
        resources=_resources(path, worker),
    )


def _read(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Return a recipe's file, and its tables, all of them known ones."""
    try:
        content = path.read_bytes()
        document = tomllib.loads(content.decode("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"no such recipe: {path}", hint="give its path with --recipe") from None
    except OSError as error:
        raise UsageError(
            f"the recipe {path} can't be read: {error.strerror}", hint="give a file with --recipe"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}", hint="correct that line") from None
    names = {str(name) for name in StageName}
    for key, table in document.items():
        if key not in names | {"signature", "fixup", "worker"}:
            raise _wrong(path, f"unknown table [{key}]", f"the stages are {', '.join(StageName)}")
        if not isinstance(table, list if key == "fixup" else dict):
            raise _wrong(path, f"{key} is no table", f"[{key}]")
    return content, document


def of_script(command: tuple[str, ...], timeout: float | None) -> Recipe:
    """Return the recipe that a plain script is: a test alone."""
    stage = Stage(StageName.TEST, command, timeout)
    return Recipe((stage,), hashlib.sha256("\0".join(command).encode()).hexdigest())


def seconds(value: object) -> float:
    """Read a time: seconds, or a number with s, min or h.

    Raises
    ------
    ValueError
        It is none.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|)\s*", str(value))
    if isinstance(value, str) and found and float(found[1]) > 0:
        return float(found[1]) * _UNITS[found[2]]
    raise ValueError(value)


def _stage(path: Path, name: StageName, table: Mapping[str, Any]) -> Stage | None:
    for key in table:
        if key not in _OF_EVERY_STAGE | _OWN[name]:
            known = ", ".join(sorted(_OF_EVERY_STAGE | _OWN[name]))
            raise _wrong(path, f"[{name}] has no key {key}", f"it has {known}")
    limits: dict[str, float | None] = {}
    for key in ("timeout", "quiet"):
        try:
            limits[key] = seconds(table[key]) if key in table else None
        except ValueError:
            raise _wrong(path, f"[{name}] {key} is no time", f'{key} = "20 min"') from None
    run = table.get("run")
    for key in {"kernel", "initrd"} & set(table):
        if not isinstance(table[key], str):
            raise _wrong(path, f"[{name}] {key} is no path", f'{key} = "arch/x86/boot/bzImage"')
    if run is None and "kernel" in table:
        command: tuple[str, ...] = _guest(table, limits["timeout"])
    elif isinstance(run, str) and run.strip():
        command = ("sh", "-ec", run)
    elif isinstance(run, list) and run and all(isinstance(word, str) for word in run):
        command = tuple(run)
    elif run is None and name is StageName.PARSE:
        return None
    else:
        raise _wrong(path, f"[{name}] has nothing to run", 'run = "make ..."')
    return Stage(name, command, limits["timeout"], limits["quiet"])


def _guest(table: Mapping[str, Any], timeout: float | None) -> tuple[str, ...]:
    """Return the command that boots a guest; paths are below the build folder, where they are."""
    # -P: the current directory is the tree under test, and nothing may be imported from there.
    words = [sys.executable, "-P", "-m", "kbisect", "lab", "qemu", "--run"]
    for key in _GUEST:
        if key in table:
            words += [f"--{key}", str(table[key])]
    return (*words, *(("--timeout", f"{timeout:g}") if timeout else ()))


def _fixup(path: Path, table: Mapping[str, Any]) -> Fixup:
    if not isinstance(table, dict):
        raise _wrong(path, "a [[fixup]] is no table", "[[fixup]]")
    given = set(table)
    if ("patch" in given) == ("commit" in given) or given - {"patch", "commit", "since", "until"}:
        raise _wrong(path, "a [[fixup]] is a patch or a commit", "with since and until, or without")
    patch = _beside(path, table["patch"]) if "patch" in table else None
    return Fixup(patch, table.get("commit"), table.get("since"), table.get("until"))


def _signature(path: Path, table: Mapping[str, Any] | None) -> Signature | None:
    try:
        return signatures.of_table(table) if table is not None else None
    except UsageError as error:
        raise _wrong(path, error.message, error.hint) from None


def _image(path: Path, table: Mapping[str, Any]) -> str | None:
    name = table.get("image")
    if name is not None and not _is_below(name):
        raise _wrong(path, "[build] image is no file below KBISECT_BUILD", 'image = "vmlinux"')
    return name


def _retries(path: Path, table: Mapping[str, Any]) -> int | None:
    for key in table:
        if key not in _WORKER:
            raise _wrong(path, f"[worker] has no key {key}", f"it has {', '.join(_WORKER)}")
    retries = table.get("retries")
    if retries is not None and (type(retries) is not int or retries < 0):
        raise _wrong(path, "[worker] retries is no number", "retries = 2")
    return retries


def _resources(path: Path, table: Mapping[str, Any]) -> dict[str, float]:
    resources = table.get("resources", {})
    if not isinstance(resources, dict) or not all(
        type(amount) in {int, float} and amount > 0 for amount in resources.values()
    ):
        raise _wrong(path, "[worker] resources are no amounts", "resources = { kvm = 1 }")
    return resources


def _memory(path: Path, document: Mapping[str, Any]) -> int | None:
    """Return the bytes that a test takes: as the recipe says, else of what it has."""
    boot, worker = document.get("boot", {}), document.get("worker", {})
    try:
        if "memory" in worker:
            return room.size(worker["memory"])
        guest = room.size(boot.get("memory", MEMORY)) if "kernel" in boot else 0
    except ValueError as error:
        raise _wrong(path, f"{error} is no amount of memory", 'memory = "512M"') from None
    needed = guest + (room.BUILD if "build" in document else 0)
    return needed or None


def _keep(path: Path, table: Mapping[str, Any]) -> tuple[str, ...] | None:
    names = table.get("keep")
    if names is None:
        return None
    if not isinstance(names, list) or not all(map(_is_below, names)):
        hint = 'keep = ["arch/x86/boot/bzImage", "initramfs"]'
        raise _wrong(path, "[build] keep is a list of files below KBISECT_BUILD", hint)
    return tuple(names)


def _is_below(name: object) -> bool:
    return isinstance(name, str) and name[:1] not in {"", "/"} and ".." not in Path(name).parts


def _parses(path: Path, table: Mapping[str, Any]) -> str | None:
    form = table.get("format")
    if form is not None and form not in _FORMATS:
        raise _wrong(path, f"[parse] knows no format {form}", f"one of {', '.join(_FORMATS)}")
    return form


def _beside(path: Path, name: object) -> bytes:
    try:
        return (path.parent / str(name)).read_bytes()
    except OSError as error:
        raise _wrong(path, f"{name}: {error.strerror}", "paths start at the recipe") from None


def _wrong(path: Path, what: str, hint: str) -> UsageError:
    return UsageError(f"the recipe {path}: {what}", hint=hint)

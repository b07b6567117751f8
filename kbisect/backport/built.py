# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files a finished build compiled, by the dependency files it left.

kbuild leaves `.foo.o.cmd`, make `foo.d`, meson and others `compile_commands.json`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from kbisect.errors import UsageError

_SOURCE = re.compile(r"[^\s:$()\\]+\.[chS](?=[\s\\]|\Z)")


def files(build: Path, source: Path | None) -> frozenset[str]:
    """Return the source files of a build, relative to the top of the source.

    Parameters
    ----------
    build : where the build left its files
    source : top of the source, where that is somewhere else; absolute names are cut by it

    Raises
    ------
    UsageError
        There is no build.
    """
    if not build.is_dir():
        raise UsageError(f"no such directory: {build}", hint="give a finished build's folder")
    tops = [each for top in (source, build) if top for each in (top.resolve(), top.absolute())]
    names: set[str] = set()
    seen = False
    for text in _texts(build):
        seen = True
        names.update(_SOURCE.findall(text))
    if not seen:
        raise UsageError(
            f"{build} has no dependency files: no .*.cmd, no *.d, no compile_commands.json",
            hint="give the folder of a finished build (O=…)",
        )
    found = (_relative(name, build, tops) for name in names)
    return frozenset(name for name in found if name)


def _texts(build: Path) -> Iterator[str]:
    for parent, _, names in os.walk(build):
        for name in names:
            path = Path(parent, name)
            if (name.startswith(".") and name.endswith(".cmd")) or name.endswith(".d"):
                yield path.read_text("utf-8", "surrogateescape")
            elif name == "compile_commands.json":
                try:
                    entries = json.loads(path.read_text("utf-8"))
                    named = "\n".join(
                        str(Path(entry["directory"], entry["file"])) for entry in entries
                    )
                except (ValueError, TypeError, KeyError) as error:
                    raise UsageError(f"cannot read {path}: {error}", hint="build anew") from None
                yield named


def _relative(name: str, build: Path, tops: list[Path]) -> str | None:
    """Bring a name to the top of the source: kbuild and make write it from where they ran."""
    if not name.startswith("/"):
        plain = os.path.normpath(name)
        if not plain.startswith(".."):
            return plain
        name = str(build / plain)
    path = PurePosixPath(os.path.normpath(name))
    return next((str(path.relative_to(top)) for top in tops if path.is_relative_to(top)), None)


def compiled(files: Sequence[str], built: frozenset[str]) -> bool:
    """Whether a build compiled one of the files, or none of them is source."""
    source = [path for path in files if path.endswith((".c", ".h", ".S"))]
    return not source or any(path in built for path in source)

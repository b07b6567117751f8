# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user told git about their terminal: which pager, and whether they like colour."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from kbisect.git import process
from kbisect.git.process import GitFailed

# As git sets them: quit where one screen is enough, keep colours, leave the text there at the end.
_DEFAULTS = {"LESS": "FRX", "LV": "-c"}
_NOT_STARTED = (126, 127)


def pager(directory: Path, overrides: Sequence[str] = ()) -> str | None:
    """Return the shell command that git would page with; None to page nothing.

    In this order: git config pager.kbisect, GIT_PAGER, core.pager, PAGER, less.
    """
    try:
        own = _config(directory, overrides, "--get", "pager.kbisect")
        if own.lower() in ("false", "no", "off", "0"):
            return None
        named = {"GIT_PAGER": os.environ["GIT_PAGER"]} if "GIT_PAGER" in os.environ else {}
        if not own or own.lower() in ("true", "yes", "on", "1"):
            given = [word for pair in overrides for word in ("-c", pair)]
            own = _said(process.run(directory, *given, "var", "GIT_PAGER", env=named))
    except GitFailed:
        return None
    return own if own and own != "cat" else None


def likes_color(directory: Path, overrides: Sequence[str] = ()) -> bool:
    """Whether git would colour its output on this terminal (color.kbisect, color.ui, TERM)."""
    try:
        return _config(directory, overrides, "--get-colorbool", "color.kbisect", "true") == "true"
    except GitFailed:
        return True


def page(command: str, text: str) -> bool:
    """Show a text in a pager and wait for its end; False if the pager could not be started."""
    reader = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        env={**_DEFAULTS, **os.environ},
    )
    assert reader.stdin is not None
    try:
        reader.stdin.write(text.encode("utf-8", "backslashreplace"))
        reader.stdin.close()
    except (BrokenPipeError, KeyboardInterrupt):
        pass  # seen enough
    while True:
        try:
            return reader.wait() not in _NOT_STARTED
        except KeyboardInterrupt:
            continue  # it is meant for the pager


def _config(directory: Path, overrides: Sequence[str], *question: str) -> str:
    given = [word for pair in overrides for word in ("-c", pair)]
    return _said(process.run(directory, *given, "config", *question, codes=(0, 1)))


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stdout.decode("utf-8", "replace").strip()

# SPDX-License-Identifier: GPL-2.0-or-later
"""A count that grows on stderr: so many of so many, at this pace, so long to go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kbisect.report.terminal import one_line


@contextmanager
def bar(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Draw a bar while the block runs, and take it away again.

    Yields
    ------
    callable
        To be told how many are done. Without a total there is no bar, and no time to go.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    label = TextColumn("{task.description}", markup=False)
    columns: tuple[ProgressColumn, ...]
    if total is None:
        columns = (SpinnerColumn(), label, TextColumn("{task.completed:,}"), TimeElapsedColumn())
    else:
        columns = (label, BarColumn(None), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(one_line(what), total=total)
        yield lambda done: progress.update(task, completed=done)

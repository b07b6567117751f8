# SPDX-License-Identifier: GPL-2.0-or-later
"""Work that goes on beside us, and for which nobody waits at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def begun(work: Callable[[], Result]) -> Future[Result]:
    """Begin some work in a thread of its own.

    An interrupt may come when half of the work is handed out; the threads of a pool would then be
    waited for, and they for us.
    """
    answer: Future[Result] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as problem:
            answer.set_exception(problem)

    threading.Thread(target=run, daemon=True).start()
    return answer

# SPDX-License-Identifier: GPL-2.0-or-later
"""Where steps run. The port is `concurrent.futures.Executor`: submit, then a future's result.

Cancelling a future of a step that is running ends that step: it asks `unwanted` ten times a second.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from kbisect.errors import MachineLost

P = ParamSpec("P")
T = TypeVar("T")

_LOOK = 0.01
_thread = threading.local()


class Local(Executor):
    """Runs calls in threads of this process; each step is a process of its own anyway."""

    def __init__(self, workers: int = 1) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="step")
        self._asked: set[Future[Any]] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the call in a thread. Its future can be cancelled as long as it runs."""
        # One that never says "running", for then it couldn't be cancelled.
        future: Future[T] = Future()
        stop = threading.Event()

        def work() -> None:
            _thread.unwanted = stop.is_set
            try:
                if not stop.is_set():
                    _settle(future, fn(*args, **kwargs), None)
            except BaseException as error:
                _settle(future, None, error)
            finally:
                self._asked.discard(future)

        self._asked.add(future)
        future.add_done_callback(lambda done: stop.set() if done.cancelled() else None)
        self._threads.submit(work)
        return future

    def join(self) -> None:
        """Wait until nothing runs any more, what was cancelled included."""
        while self._asked:
            time.sleep(_LOOK)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End what runs, if asked, and wait for it."""
        if cancel_futures:
            for future in list(self._asked):
                future.cancel()
        self._threads.shutdown(wait, cancel_futures=cancel_futures)


def _settle(future: Future[T], result: T | None, error: BaseException | None) -> None:
    if not future.set_running_or_notify_cancel():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)  # type: ignore[arg-type]


def unwanted() -> Callable[[], bool]:
    """Return what tells the call that runs in this thread whether its future was cancelled."""
    local: Callable[[], bool] | None = getattr(_thread, "unwanted", None)
    if local is not None:
        return local
    dask: Any = sys.modules.get("distributed")  # which a worker of Dask has imported
    try:
        worker = dask.get_worker()
    except (ValueError, AttributeError):
        return lambda: False
    key, tasks = worker.get_current_task(), worker.state.tasks

    def cancelled() -> bool:
        # The scheduler frees a task that nobody waits for: it was cancelled, or kbisect is gone.
        task = tasks.get(key)
        return task is None or task.state == "cancelled"

    return cancelled


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without any worker that could run a step.

    Attributes
    ----------
    since, until : Unix seconds; at `until` the run ends, to be gone on with later
    start : the command that starts a worker
    """

    since: float
    until: float
    start: str


class Crew:
    """An executor and how many steps it runs at a time; this one's are threads of this process."""

    local = True
    """Whether its steps run on this machine, in the campaign's own slots."""

    def __init__(self, executor: Executor, size: int) -> None:
        self.executor, self._size = executor, size

    @property
    def size(self) -> int:
        """How many steps may run at a time by now, at least one."""
        return self._size

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let a worker make a call."""
        return self.executor.submit(call, *args, **kwargs)

    def wait(
        self, futures: Collection[Future[T]], notice: Callable[[Gap | None], None]
    ) -> list[Future[T]]:
        """Wait until one of these has ended, or more may run than did; return the ended ones.

        Parameters
        ----------
        notice : told when the last worker is gone, and with None when there is one again
        """
        return list(wait(futures, return_when=FIRST_COMPLETED).done)

    def everywhere(self, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Make a call on each worker elsewhere."""

    def join(self) -> None:
        """Wait for what was cancelled here; workers elsewhere clean up by themselves."""
        if isinstance(self.executor, Local):
            self.executor.join()


@contextmanager
def here(workers: int) -> Iterator[Crew]:
    """Give a crew of this machine."""
    local = Local(workers)
    try:
        yield Crew(local, workers)
    finally:
        local.shutdown(cancel_futures=True)


def is_of_dask(error: Exception) -> bool:
    """Whether it is Dask that tells of a loss, and not the call that failed."""
    return type(error).__module__.partition(".")[0] == "distributed"


def result(future: Future[T]) -> T:
    """Return a future's result.

    Raises
    ------
    MachineLost
        The worker that ran it, or its scheduler, is gone; nothing is known of the commit.
    """
    try:
        return future.result()
    except CancelledError:
        lost = "the step was cancelled"
    except Exception as error:
        if not is_of_dask(error):
            raise
        lost = f"{type(error).__name__}: {error}"
    raise MachineLost(
        f"a worker was lost ({lost})", hint="run the same command again: it goes on from here"
    )

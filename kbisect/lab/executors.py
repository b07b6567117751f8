# SPDX-License-Identifier: GPL-2.0-or-later
"""Where steps run. The port is `concurrent.futures.Executor`: submit, then a future's result.

Cancelling a future of a step that is running ends that step: it asks `unwanted` ten times a second.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
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

from kbisect.errors import EnvironmentProblem, MachineLost

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE = 10
"""Seconds to wait for a scheduler to answer."""
_ARRIVAL = 30
"""Seconds to wait for the first worker, which may be starting up."""
_LOOK = 0.01
_GLANCE = 1.0
"""Seconds between two looks at whether there is still a scheduler."""
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
class Crew:
    """An executor, and how many steps it runs at a time."""

    executor: Executor
    size: int
    _everywhere: Callable[..., object] | None = None
    _connected: Callable[[], bool] = lambda: True

    @property
    def local(self) -> bool:
        """Whether its steps run on this machine, in the campaign's own slots."""
        return isinstance(self.executor, Local)

    def everywhere(self, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Make a call on each worker elsewhere; one that is lost doesn't matter."""
        if self._everywhere is None:
            return
        try:
            self._everywhere(call, *args, on_error="ignore", **kwargs)
        except Exception as error:
            if not self._tells_of_loss(error):
                raise  # else all of them are lost

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let a worker make a call.

        Raises
        ------
        MachineLost
            The scheduler is gone.
        """
        try:
            return self.executor.submit(call, *args, **kwargs)
        except Exception as error:
            if not self._tells_of_loss(error):
                raise
            raise _no_scheduler() from None

    def _tells_of_loss(self, error: Exception) -> bool:
        """Whether an error of Dask's client, or of its loop that has ended, is the scheduler's."""
        return _is_of_dask(error) or not self._connected()

    def wait(self, futures: Collection[Future[T]]) -> list[Future[T]]:
        """Wait until at least one of these has ended, and return those that have.

        Raises
        ------
        MachineLost
            The scheduler is gone. Its client gives up and says so, but ends no future.
        """
        while True:
            done = wait(futures, timeout=_GLANCE, return_when=FIRST_COMPLETED).done
            if done:
                return list(done)
            if not self._connected():
                raise _no_scheduler()

    def join(self) -> None:
        """Wait for what was cancelled here; workers elsewhere clean up by themselves."""
        if isinstance(self.executor, Local):
            self.executor.join()


@contextmanager
def connect(
    scheduler: str | None = None,
    workers: int | None = None,
    hosts: str | None = None,
    resources: Mapping[str, float] | None = None,
) -> Iterator[Crew]:
    """Give an executor: threads of this process, or the workers of a Dask scheduler.

    Dask's workers need a clone of the repository each: the same path as here, or the one named by
    KBISECT_CLONE in the worker's environment.

    Parameters
    ----------
    workers : how many steps at a time; by default one here, and all that a cluster has
    hosts : machines, with commas, on which Dask starts workers by ssh; the first is the scheduler
    resources : what a step needs of a Dask worker (`dask worker --resources kvm=1`)

    Raises
    ------
    EnvironmentProblem
        Dask isn't installed, or nothing answers at that address.
    """
    if scheduler is None and hosts is None:
        local = Local(workers or 1)
        try:
            yield Crew(local, workers or 1)
        finally:
            local.shutdown(cancel_futures=True)
        return
    try:
        import distributed
    except ImportError:
        raise EnvironmentProblem(
            "--scheduler and --hosts need Dask, which isn't installed",
            hint="pip install 'kbisect[dask]'",
        ) from None
    if hosts is not None:
        with _by_ssh(distributed, hosts.split(",")) as address:
            with connect(address, workers, None, resources) as crew:
                yield crew
            return
    try:
        make: Any = distributed.Client  # which is not typed
        client = make(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise EnvironmentProblem(
            f"no Dask scheduler answers at {scheduler} ({error})",
            hint="start one: dask scheduler, and on each machine: dask worker ADDRESS",
        ) from None
    try:
        try:
            client.wait_for_workers(1, timeout=_ARRIVAL)
        except TimeoutError:
            raise EnvironmentProblem(
                f"the Dask scheduler at {scheduler} has no workers",
                hint=f"start one: dask worker {scheduler}",
            ) from None
        known = client.scheduler_info()["workers"].values()
        threads = sum(int(worker["nthreads"]) for worker in known)
        executor = client.get_executor(pure=False, resources=dict(resources or {}) or None)
        yield Crew(executor, workers or threads, client.run, lambda: client.status != "closed")
    finally:
        client.close()


@contextmanager
def _by_ssh(dask: Any, hosts: list[str]) -> Iterator[str]:
    logging.getLogger("distributed.deploy.ssh").setLevel(logging.WARNING)  # else it tells each port
    try:
        cluster = dask.SSHCluster([hosts[0], *hosts], worker_options={"nthreads": 1})
    except Exception as error:
        raise EnvironmentProblem(
            f"no Dask cluster on {', '.join(hosts)} ({error})",
            hint="can you log in there without a password, and is kbisect[dask] installed there?",
        ) from None
    with cluster:
        yield str(cluster.scheduler_address)


def _is_of_dask(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] == "distributed"


def _no_scheduler() -> MachineLost:
    return MachineLost(
        "the Dask scheduler is gone",
        hint="start it, and run the same command again: it goes on from here",
    )


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
        if not _is_of_dask(error):
            raise
        lost = f"{type(error).__name__}: {error}"
    raise MachineLost(
        f"a worker was lost ({lost})", hint="run the same command again: it goes on from here"
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""Where steps run. The port is `concurrent.futures.Executor`: submit, then a future's result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from kbisect.errors import EnvironmentProblem, MachineLost

P = ParamSpec("P")
T = TypeVar("T")

_PATIENCE = 10
"""Seconds to wait for a scheduler to answer."""


class Inline(Executor):
    """Runs each call where it is submitted: one worker, and ^C reaches the step itself."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the call now."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def connect(scheduler: str | None = None) -> Iterator[Executor]:
    """Give an executor: this process, or the workers of a Dask scheduler.

    Dask's workers must see the store and the repository under the same paths.

    Raises
    ------
    EnvironmentProblem
        Dask isn't installed, or nothing answers at that address.
    """
    if scheduler is None:
        yield Inline()
        return
    try:
        import distributed
    except ImportError:
        raise EnvironmentProblem(
            "--scheduler needs Dask, which isn't installed", hint="pip install 'kbisect[dask]'"
        ) from None
    try:
        make: Any = distributed.Client  # which is not typed
        client = make(scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise EnvironmentProblem(
            f"no Dask scheduler answers at {scheduler} ({error})",
            hint="start one: dask scheduler, and on each machine: dask worker ADDRESS",
        ) from None
    try:
        if not client.scheduler_info()["workers"]:
            raise EnvironmentProblem(
                f"the Dask scheduler at {scheduler} has no workers",
                hint=f"start one: dask worker {scheduler}",
            )
        yield client.get_executor()
    finally:
        client.close()


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
        if type(error).__module__.partition(".")[0] != "distributed":
            raise
        lost = f"{type(error).__name__}: {error}"
    raise MachineLost(
        f"a worker was lost ({lost})", hint="run the same command again: it goes on from here"
    )

# SPDX-License-Identifier: GPL-2.0-or-later
"""The workers of a Dask scheduler as a crew.

They come and go while a campaign runs. A step whose worker is lost is done again by another; while
there is none, the campaign waits for `patience` and says so, for Dask itself would wait for ever.
"""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from kbisect.errors import EnvironmentProblem, MachineLost
from kbisect.lab import executors
from kbisect.lab.executors import Crew, Gap

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 3600.0
"""Seconds that a campaign waits for a worker once the last one is gone."""
_ANSWER = 10
"""Seconds to wait for a scheduler to answer."""
_ARRIVAL = 30
"""Seconds to wait for the first worker, which may be starting up."""
_GLANCE = 1.0
"""Seconds between two looks at what is still there."""


class Fleet(Crew):
    """The workers of one scheduler that offer what a step needs.

    Parameters
    ----------
    size : how many steps at a time; None for as many as the workers take
    resources : what a step needs of a worker, of the whole that it offers
    patience : seconds without a worker after which to give up
    """

    local = False

    def __init__(
        self,
        client: Any,
        address: str,
        size: int | None,
        resources: Mapping[str, float],
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(client.get_executor(pure=False, resources=dict(resources) or None), 1)
        self.client, self.address = client, address
        self.asked, self.resources, self.patience = size, dict(resources), patience
        self._there = 0
        self._alone: float | None = None
        self.count()

    @property
    def start(self) -> str:
        """The command that starts a worker of use."""
        offers = " ".join(f"{name}={amount:g}" for name, amount in self.resources.items())
        offered = ("--resources", offers) if offers else ()
        words = ("dask", "worker", self.address, "--nthreads", "1", *offered)
        return f"KBISECT_CLONE=DIR {shlex.join(words)}"

    def count(self) -> int:
        """Count the steps that its workers take at a time now.

        Raises
        ------
        MachineLost
            The scheduler is gone.
        """
        # Older versions of Dask ignore the argument, some later ones tell of five without it.
        told = self.client.scheduler_info(n_workers=-1)
        if self.client.status == "closed":
            raise _no_scheduler()
        if "workers" in told:  # nothing is told while the client looks for its scheduler
            self._there = sum(_room(each, self.resources) for each in told["workers"].values())
            self._size = max(1, self.asked or self._there)
        return self._there

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let a worker make a call.

        Raises
        ------
        MachineLost
            The scheduler is gone.
        """
        try:
            return super().submit(call, *args, **kwargs)
        except Exception as error:
            if not self._tells_of_loss(error):
                raise
            raise _no_scheduler() from None

    def wait(
        self, futures: Collection[Future[T]], notice: Callable[[Gap | None], None]
    ) -> list[Future[T]]:
        """Wait until one of these has ended, or a worker has joined; return the ended ones.

        Raises
        ------
        MachineLost
            The scheduler is gone: its client says so, but ends no future. Or there was no worker
            for too long.
        """
        size = self.size
        while True:
            done = wait(futures, timeout=_GLANCE, return_when=FIRST_COMPLETED).done
            if not done or self._alone is not None:
                self._look(notice)
            if done:
                return list(done)
            if self.size > size:
                return []

    def everywhere(self, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Make a call on each worker; one that is lost doesn't matter."""
        try:
            self.client.run(call, *args, on_error="ignore", **kwargs)
        except Exception as error:
            if not self._tells_of_loss(error):
                raise  # else all of them are lost

    def _look(self, notice: Callable[[Gap | None], None]) -> None:
        """See whether there is anybody, and say it where that has changed."""
        there, now = self.count(), time.time()
        if there:
            if self._alone is not None:
                self._alone = None
                notice(None)
            return
        if self._alone is None:
            self._alone = now
            notice(Gap(now, now + self.patience, self.start))
        if now - self._alone >= self.patience:
            raise MachineLost(
                f"the Dask scheduler at {self.address} had {_nobody(self.resources)} for "
                f"{_said(self.patience)}; what was found is kept",
                hint=f"start one, {self.start}, and run the same command again: it goes on",
            )

    def _tells_of_loss(self, error: Exception) -> bool:
        """Whether an error of Dask's client, or of its loop that has ended, is the scheduler's."""
        return executors.is_of_dask(error) or self.client.status == "closed"


@contextmanager
def connect(
    scheduler: str | None = None,
    workers: int | None = None,
    hosts: str | None = None,
    resources: Mapping[str, float] | None = None,
    patience: float = PATIENCE,
) -> Iterator[Crew]:
    """Give a crew: threads of this process, or the workers of a Dask scheduler.

    Dask's workers need a clone of the repository each: the same path as here, or the one named by
    KBISECT_CLONE in the worker's environment.

    Parameters
    ----------
    workers : how many steps at a time; by default one here, and all that a cluster has
    hosts : machines, with commas, on which Dask starts workers by ssh; the first is the scheduler
    resources : what a step needs of a Dask worker (`dask worker --resources kvm=1`)
    patience : seconds to wait for a Dask worker once the last one is gone

    Raises
    ------
    EnvironmentProblem
        Dask isn't installed, nothing answers at that address, or no worker is of use.
    """
    if scheduler is None and hosts is None:
        with executors.here(workers or 1) as crew:
            yield crew
        return
    dask = _dask()
    if scheduler is not None:
        with _of(dask, scheduler, workers, resources or {}, patience) as crew:
            yield crew
        return
    assert hosts is not None
    with (
        _by_ssh(dask, hosts.split(",")) as address,
        _of(dask, address, workers, resources or {}, patience) as crew,
    ):
        yield crew


def _dask() -> Any:  # which is not typed
    try:
        import distributed
    except ImportError:
        raise EnvironmentProblem(
            "--scheduler and --hosts need Dask, which isn't installed",
            hint="pip install 'kbisect[dask]'",
        ) from None
    return distributed


@contextmanager
def _of(
    dask: Any, address: str, size: int | None, resources: Mapping[str, float], patience: float
) -> Iterator[Fleet]:
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # its loss is told below
    try:
        client = dask.Client(address, timeout=_ANSWER, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise EnvironmentProblem(
            f"no Dask scheduler answers at {address} ({error})",
            hint="start one: dask scheduler, and on each machine: dask worker ADDRESS",
        ) from None
    try:
        fleet = Fleet(client, address, size, resources, patience)
        _await_the_first(fleet)
        yield fleet
    finally:
        client.close()


def _await_the_first(fleet: Fleet) -> None:
    until = time.monotonic() + _ARRIVAL
    while not fleet.count():
        if time.monotonic() >= until:
            raise EnvironmentProblem(
                f"the Dask scheduler at {fleet.address} has {_nobody(fleet.resources)}",
                hint=f"start one: {fleet.start}",
            )
        time.sleep(_GLANCE / 4)


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


def _room(worker: Mapping[str, Any], needed: Mapping[str, float]) -> int:
    """Return how many steps one worker takes at a time."""
    offered: Mapping[str, float] = worker.get("resources") or {}
    rooms = [int(offered.get(name, 0) // amount) for name, amount in needed.items() if amount > 0]
    return min([int(worker["nthreads"]), *rooms])


def _nobody(resources: Mapping[str, float]) -> str:
    offers = ", ".join(f"{name}={amount:g}" for name, amount in resources.items())
    return f"no worker that offers {offers}" if offers else "no worker"


def _said(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _no_scheduler() -> MachineLost:
    return MachineLost(
        "the Dask scheduler is gone",
        hint="start it, and run the same command again: it goes on from here",
    )

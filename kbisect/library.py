# SPDX-License-Identifier: GPL-2.0-or-later
"""kbisect for Python: what the commands do, in three lines.

A small front: typed results come from the rooms behind it, lists of rows as pandas frames. The
examples stand on the project's miniature of the network trees; on a clone of the kernel they say
more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kbisect.git.repository import Repository

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from kbisect.api.comparison import Result
    from kbisect.backport.forecast import Forecast
    from kbisect.bisect.candidates import Candidates
    from kbisect.history.store import Index
    from kbisect.history.story import Story


def open_history(directory: Path | str = ".", store: Path | str | None = None) -> History:
    """Open a repository; its index is brought up to date when it is first needed.

    Parameters
    ----------
    directory : path
        A worktree or a (bare) git directory.
    store : path, optional
        Where kbisect keeps its data, instead of in the git directory.

    Raises
    ------
    kbisect.KbisectError
        As everything here does: what is wrong in `message`, what to try in `hint`.

    Examples
    --------
    >>> import kbisect
    >>> linux = kbisect.open()
    >>> linux.show("v3.12").release
    'v3.12'
    """
    return History(Repository.open(directory, store))


class History:
    """One repository, and what kbisect knows of it."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

    @cached_property
    def index(self) -> Index:
        """The index, brought up to date."""
        from kbisect.history import index, store

        index.update(self.repository)
        return store.load(self.repository.store)

    def oid(self, name: str) -> str:
        """Return the oid of a commit-ish, or of a release in a tree without tags.

        >>> kbisect.open().oid("v3.12")
        '62a529c4ee9b2b081ae6104564466b1ca2ee67dc'
        """
        from kbisect.history.names import resolve

        return resolve(self.repository, name)

    def show(self, name: str) -> Story:
        """Return one commit's story: what it fixes, what fixed it, through which tree it came."""
        from kbisect.history.story import tell

        index = self.index
        return tell(self.repository, index, self.oid(name))

    def commits(self) -> pd.DataFrame:
        """Return the commits in scope, newest last: one row each, times in Unix seconds.

        >>> frame = kbisect.open().commits()
        >>> int((frame.lineage == "net").sum()) > 10
        True
        """
        return self.sql("SELECT * FROM commits ORDER BY number DESC")

    def query(self, name: str, **parameters: str) -> pd.DataFrame:
        """Run one of the named queries (`kbisect query --list`).

        >>> kbisect.open().query("fixes", path="net/ipv4/%").columns[0]
        'fix'
        """
        from kbisect.errors import UsageError
        from kbisect.history import queries

        known = queries.named()
        if name not in known:
            raise UsageError(f"no query is named {name}", hint=f"one of {', '.join(known)}")
        return queries.ask(self.index, known[name], parameters).frame()

    def sql(self, select: str) -> pd.DataFrame:
        """Run one SELECT on the tables of the index (`kbisect query --tables`).

        >>> frame = kbisect.open().sql("SELECT count(*) AS commits FROM commits")
        >>> list(frame.columns), len(frame)
        (['commits'], 1)
        """
        from kbisect.history import answers

        return answers.run(self.index, select, {}).frame()

    def graph(self, old: str | None = None, new: str | None = None) -> nx.DiGraph[str]:
        """Return the graph of commits in scope, or of `old..new`: edges lead to parents.

        >>> graph = kbisect.open().graph("v3.11", "v3.12")
        >>> graph.number_of_nodes() < len(kbisect.open().commits())
        True
        """
        from kbisect.history.network import between, network

        only = None
        if old or new:
            only = between(self.index, self.oid(old) if old else None, self.oid(new or "HEAD"))
        return network(self.index, only)

    def api_diff(self, old: str, new: str, *structs: str) -> Result:
        """Compare the network API of two versions, or that of some structs.

        >>> result = kbisect.open().api_diff("v3.12", "v3.13", "sk_buff")
        >>> [(change.kind, change.name, change.new_name) for change in result.findings][:1]
        [('field-renamed', 'sk_buff.rxhash', 'sk_buff.hash')]
        """
        from kbisect.api.comparison import compare
        from kbisect.api.scope import Scope

        index = self.index

        def release(oid: str) -> str | None:
            number = index.oids.number(oid)
            return None if number is None else index.release_of(number)

        ends = self.oid(old), self.oid(new)
        return compare(self.repository, *ends, Scope(structs), release)

    def backports(self, branch: str, upstream: str | None = None) -> Iterator[Forecast]:
        """Yield upstream's fixes that a branch misses, each with its forecast.

        What an earlier call or `backport list` found is remembered.

        >>> missing = list(kbisect.open().backports("linux-3.12.y"))
        >>> missing[0].candidate.oid[:12], str(missing[0].state)
        ('feb6e76d06aa', 'clean')
        """
        from kbisect.backport.candidates import survey
        from kbisect.backport.remembered import forecasts
        from kbisect.errors import UsageError

        source = upstream or self.index.meta.trees.get("mainline")
        if source is None:
            raise UsageError("which ref is mainline isn't known", hint="name it: upstream=REF")
        found = survey(self.repository, self.index, self.oid(branch), self.oid(source))
        return iter(forecasts(self.repository, self.index, found))

    def candidates(self, good: str, bad: str) -> Candidates:
        """Return the commits of `good..bad` with their graph, as a search sees them.

        >>> len(kbisect.open().candidates("v3.11", "v3.12"))
        56
        """
        from kbisect.lab.ranges import candidates_of

        return candidates_of(self.repository, self.oid(bad), [self.oid(good)])

    def simulate(
        self,
        good: str,
        bad: str,
        *,
        culprits: Sequence[str] = (),
        trials: int = 20,
        repro: float = 1.0,
        seed: int = 1,
    ) -> pd.DataFrame:
        """Search for planted culprits in `good..bad`, by kbisect's strategy and by git's rule.

        Parameters
        ----------
        culprits : names of candidates, one a trial; drawn at random without them
        repro : how often a commit with the culprit fails

        Returns
        -------
        DataFrame
            One row a trial and a strategy (`kbisect`, `git`): what it found and took.

        Examples
        --------
        >>> frame = kbisect.open().simulate("v3.11", "v3.12", trials=4)
        >>> frame.groupby("strategy").correct.sum().to_dict()
        {'git': 4, 'kbisect': 4}
        """
        import numpy as np
        import pandas as pd

        from kbisect.bisect import priors
        from kbisect.bisect.reach import Reach
        from kbisect.bisect.simulation import Bench, World
        from kbisect.lab import suspicion

        candidates = self.candidates(good, bad)
        reach = Reach.of(candidates.graph)
        weighed = priors.weigh(len(candidates), suspicion.in_scope(self.repository, candidates))
        rng = np.random.default_rng(seed)
        numbers = [candidates.number[self.oid(name)] for name in culprits]
        numbers = numbers or rng.integers(len(candidates), size=trials).tolist()
        places = reach.position[numbers].tolist()
        bench = Bench(candidates, reach, weighed.weights[reach.order], World(repro))
        frames = [
            pd.DataFrame(list(run(places, np.random.default_rng((seed, 1))))).assign(strategy=name)
            for name, run in (("kbisect", bench.trials), ("git", bench.baseline))
        ]
        return pd.concat(frames, ignore_index=True)

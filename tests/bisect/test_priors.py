# SPDX-License-Identifier: GPL-2.0-or-later
"""What is suspected beforehand: shares of groups, traits within them, and nobody at zero."""

import numpy as np
import pytest

from kbisect.bisect import priors, rates, traits
from kbisect.bisect.reach import Reach
from kbisect.bisect.search import Search
from kbisect.bisect.traits import Look
from kbisect.bisect.verdict import Verdict
from tests.bisect.graphs import linear


def marked(size: int, *numbers: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    found = np.zeros(size, np.bool_)
    found[list(numbers)] = True
    return found


def test_each_reason_has_its_share_whatever_its_number() -> None:
    prior = priors.weigh(
        10, in_scope=marked(10, 0, 1, 2, 3), suspected=marked(10, 0), traced=marked(10, 0, 1)
    )
    shares = {source.what: source.share for source in prior.sources}
    assert shares["changes a suspected path"] == pytest.approx(0.8)
    assert shares["changes a file in the crash's trace"] == pytest.approx(0.1)
    assert prior.weights[:2] == pytest.approx([0.8, 0.1])
    assert prior.weights[2] == prior.weights[3] > prior.weights[4] > 0
    assert prior.weights.sum() == pytest.approx(1)


def test_traits_weigh_within_a_share() -> None:
    looks = [
        Look("net: fix typo in comment", 1),
        Look("net: rework of the queues", 40),
        None,
        Look("net: whatever", 2, record=4.0),
    ]
    found = traits.factors(looks)
    prior = priors.weigh(5, in_scope=marked(5, 0, 1, 2, 3), factors=_grown(found, 5))
    typo, rework, unknown, record, outside = prior.weights.tolist()
    assert 0 < typo < unknown < record
    assert rework > unknown
    assert prior.weights[:4].sum() == pytest.approx(priors.IN_SCOPE)
    assert outside == pytest.approx(1 - priors.IN_SCOPE)
    assert {"changes over 30 files", "by its subject reworks"} <= {s.what for s in prior.sources}


def _grown(found: list[traits.Factor], size: int) -> list[traits.Factor]:
    pad = np.zeros(size, np.bool_)
    return [
        traits.Factor(each.what, np.append(each.marked, pad[: size - len(each.marked)]), each.times)
        for each in found
    ]


@pytest.mark.parametrize(
    ("subject", "what"),
    [
        ("tcp: Fix a leak", "repairs"),
        ("e1000: remove unused variable", "tidies up"),
        ("doc: typos", "spelling, comments, documentation"),
        ("ipv6: convert to RCU", "reworks"),
        ("bnx2: support 5716", "adds"),
        ("xyzzy", None),
    ],
)
def test_what_a_subject_says(subject: str, what: str | None) -> None:
    found = traits.kind(subject)
    assert (found[0] if found else None) == what


def test_a_record_counts_for_more_the_longer_it_is() -> None:
    assert traits.record(0, 0, 0.02) == 1
    assert 1 < traits.record(4, 100, 0.02) < traits.record(40, 1000, 0.02) < 2
    assert traits.record(0, 500, 0.02) < 1


def test_what_broke_the_build_lies_between_what_was_tested_and_what_was_not() -> None:
    candidates = linear(64)
    search = Search(candidates.graph, Reach.of(candidates.graph), np.ones(64), rates.certain())
    search.hear(20, Verdict.GOOD)
    search.hear(30, Verdict.SKIP)
    search.hear(40, Verdict.SKIP)
    found = search.breakers(40)
    assert [position for position, _ in found] == list(range(30, 20, -1))
    assert sum(chance for _, chance in found) == pytest.approx(1)
    assert search.breakers(10) == []


def test_equal_binaries_clear_what_lies_between_and_share_a_build() -> None:
    candidates = linear(16)
    search = Search(candidates.graph, Reach.of(candidates.graph), np.ones(16), rates.learned())
    search.hear(9, Verdict.BAD)
    search.equal(4, 9)
    assert np.flatnonzero(search.belief.suspects()).tolist() == [0, 1, 2, 3, 4]
    assert search.built[4]


def test_commits_of_one_class_are_built_at_once() -> None:
    candidates = linear(8)
    same = [0, 0, 1, 1, 1, 2, 3, 3]
    reach = Reach.of(candidates.graph)
    search = Search(candidates.graph, reach, np.ones(8), rates.learned(), same=same)
    search.hear(3, Verdict.GOOD)
    assert np.flatnonzero(search.built).tolist() == [2, 3, 4]

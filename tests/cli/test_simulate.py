# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect bisect simulate`: the keys that others rely on, and the words when it can't."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import History, Run, git

KEYS = {
    *("trials", "correct", "tests_mean", "tests_p95", "builds_mean", "cost_mean", "time_mean"),
    *("suspects_mean", "confidence_mean", "held_mean"),
}


def simulated(kbisect: Run, *words: str) -> dict[str, Any]:
    done = kbisect(*words[:2], "bisect", "simulate", "--json", *words[2:])
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    assert found["schema"] == "kbisect.bisect-simulate/1"
    assert set(found) >= {*KEYS, "baseline"}
    assert set(found["baseline"]) >= KEYS
    return found


def test_a_straight_range_needs_no_repository(kbisect: Run, tmp_path: Any) -> None:
    found = simulated(kbisect, "-C", str(tmp_path), "--range-size", "256", "--trials", "30")
    assert (found["trials"], found["correct"], found["baseline"]["correct"]) == (30, 30, 30)
    assert found["tests_mean"] <= found["baseline"]["tests_mean"] + 0.2
    again = simulated(kbisect, "-C", str(tmp_path), "--range-size", "256", "--trials", "30")
    assert again == found
    text = kbisect("-C", tmp_path, "bisect", "simulate", "--trials", "5").stdout
    assert text.startswith("5 trials on 1,024 candidates\nOutcomes: 5 culprit.\n")
    assert text.endswith("  every candidate alike: 1,024 commits, 1.00 of the belief\n")


@pytest.mark.parametrize("bend", [("--by-commit", "2"), ("--by-worker", "2"), ("--bursts", "0.3")])
def test_rates_may_vary(kbisect: Run, tmp_path: Any, bend: tuple[str, str]) -> None:
    words = ("-C", str(tmp_path), "--range-size", "6", "--repro", "0.6", "--trials", "4")
    assert simulated(kbisect, *words, *bend) != simulated(kbisect, *words)


def test_a_real_range_and_a_named_culprit(kbisect: Run, nettrees: History) -> None:
    oids = git(nettrees.path, "rev-list", "--first-parent", "master").split()
    ends = ("--good", oids[-1], "--bad", oids[0])
    place = ("-C", str(nettrees.path))
    found = simulated(kbisect, *place, *ends, "--trials", "20", "--seed", "3")
    assert found["correct"] == 20
    assert len(found["prior"]) >= 2
    found = simulated(kbisect, *place, *ends, "--among", "in-scope", "--trials", "10")
    assert found["correct"] == 10
    found = simulated(kbisect, *place, *ends, "--culprit", oids[1], "--prior", "flat")
    assert (found["eligible"], found["correct"]) == (1, found["trials"])


@pytest.mark.parametrize(
    "words",
    [
        ("--good", "HEAD"),
        ("--good", "HEAD", "--bad", "HEAD"),
        ("--among", "in-scope"),
        ("--suspect", "net"),
        ("--range-size", "9", "--good", "HEAD~1", "--bad", "HEAD"),
        ("--test-cost", "0"),
    ],
)
def test_what_cannot_be_simulated(kbisect: Run, small: History, words: tuple[str, ...]) -> None:
    done = kbisect("-C", small.path, "bisect", "simulate", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "\n  try: " in done.stderr

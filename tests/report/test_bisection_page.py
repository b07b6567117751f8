# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect bisect report --format html`: a whole campaign in a real browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Browser
from tests.cli.repos import Repo, build, line
from tests.conftest import Run

CULPRIT = 17
SCRIPT = r"""n=$(cat number)
printf '\033[31msending\033[0m 100 datagrams\r\n<script>document.title = "owned"</script>\n'
[ $n = 20 ] && exit 125
[ $n -lt 17 ] || { echo lost 1 of 100; exit 1; }"""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory, kbisect: Run) -> tuple[Repo, dict[str, Any]]:
    """Forty commits in a row, number 17 the culprit; 20 can't be tested."""
    repo = build(tmp_path_factory.mktemp("campaign") / "repo", line(40))
    script = repo.script(SCRIPT, "<b>test&.sh")
    ends = ("--good", repo.oids[0], "--bad", repo.oids[-1])
    done = kbisect("-C", repo.path, "bisect", "run", "--json", *ends, script)
    assert done.returncode == 0, done.stderr
    return repo, json.loads(done.stdout)


@pytest.fixture(scope="module")
def page(campaign: tuple[Repo, dict[str, Any]], kbisect: Run) -> Path:
    repo, _ = campaign
    done = kbisect("-C", repo.path, "bisect", "report", "--format", "html")
    assert done.returncode == 0, done.stderr
    path = repo.path.parent / "page.html"
    path.write_text(done.stdout, "utf-8")
    return path


def test_the_answer_comes_first(
    browser: Browser, campaign: tuple[Repo, dict[str, Any]], page: Path
) -> None:
    repo, found = campaign
    browser.open(page)
    assert browser.complaints == []
    assert browser.flaws() == []
    culprit = repo.oids[CULPRIT]
    assert browser.texts("h1") == [f'{culprit[:12]} ("commit 17") is the first bad commit']
    facts = dict(pair.split("\n")[:2] for pair in browser.texts(".facts > div"))
    assert facts["candidates"] == str(found["candidates"])
    assert facts["tests"] == str(found["tests"])
    assert facts["skips"] == str(found["skips"])


def test_the_checks_are_those_of_the_document(
    browser: Browser, campaign: tuple[Repo, dict[str, Any]], page: Path
) -> None:
    browser.open(page)
    rows = browser.texts("#rests tbody th")
    assert rows[:2] == ["culprit", "parent"]
    assert browser.texts("#rests li") == campaign[1]["unchecked"]


def test_the_range_shows_every_commit_and_the_signs_of_the_tests(
    browser: Browser, campaign: tuple[Repo, dict[str, Any]], page: Path
) -> None:
    repo, _ = campaign
    browser.open(page)
    drawn = browser.ask("[...document.querySelectorAll('#range text .mono')].map(e => e.innerHTML)")
    assert drawn == [oid[:12] for oid in reversed(repo.oids)]
    strong = browser.ask("document.querySelector('#range text .strong').textContent")
    assert strong == "commit 17"


def test_each_answer_has_its_line_in_the_belief(
    browser: Browser, campaign: tuple[Repo, dict[str, Any]], page: Path
) -> None:
    browser.open(page)
    grounds = browser.ask("document.querySelectorAll('#belief rect.ground').length")
    browser.click("#belief summary")
    rows = browser.texts("#belief tbody tr")
    assert grounds == len(rows) > 5
    assert rows[0].split()[:3] == ["0", "beforehand", "39"]
    assert rows[-1].split()[-2] == "1"


def test_each_run_has_its_bar_and_its_row(
    browser: Browser, campaign: tuple[Repo, dict[str, Any]], page: Path
) -> None:
    _, found = campaign
    runs = found["tests"] + found["tests_ends"] + found["tests_confirm"]
    browser.open(page)
    bars = browser.ask("document.querySelectorAll('#time svg[role=img] rect').length")
    assert bars >= runs
    assert len(browser.texts("#runs tbody tr")) == runs
    browser.fill("#runs .tools select", "bad")
    shown = browser.texts("#runs tbody .mark")
    assert shown and all(text.endswith("bad") for text in shown)


def test_what_a_run_printed_is_shown_without_its_colours_and_does_nothing(
    browser: Browser, page: Path
) -> None:
    browser.open(page)
    printed = browser.texts("#printed details[open] pre")
    assert printed == [
        'sending 100 datagrams\n<script>document.title = "owned"</script>\nlost 1 of 100'
    ]
    assert browser.ask("document.scripts.length") == 1
    assert "<b>test&.sh" in browser.texts(".lead")[0]


def test_an_open_campaign_has_a_page_too(browser: Browser, kbisect: Run, tmp_path: Path) -> None:
    repo = build(tmp_path / "repo", line(30))
    begun = kbisect("-C", repo.path, "bisect", "start", repo.oids[-1], repo.oids[0])
    assert begun.returncode == 0, begun.stderr
    assert kbisect("-C", repo.path, "bisect", "good", repo.oids[9]).returncode == 0
    done = kbisect("-C", repo.path, "bisect", "report", "--format", "html")
    assert done.returncode == 0, done.stderr
    path = tmp_path / "open.html"
    path.write_text(done.stdout, "utf-8")
    browser.open(path)
    assert browser.complaints == []
    assert browser.texts("h1") == ["The search is open: 20 suspects left"]


def test_a_search_whose_good_end_is_not_known_yet_says_so(
    browser: Browser, kbisect: Run, tmp_path: Path
) -> None:
    repo = build(tmp_path / "repo", line(3))
    assert kbisect("-C", repo.path, "bisect", "start", repo.oids[-1]).returncode == 0
    done = kbisect("-C", repo.path, "bisect", "report", "--format", "html")
    assert done.returncode == 0, done.stderr
    path = tmp_path / "open.html"
    path.write_text(done.stdout, "utf-8")
    browser.open(path)
    assert browser.complaints == []
    assert browser.flaws() == []
    assert browser.texts("h1") == ["The search is open: an end is missing"]

# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect backport list --format html` in a real browser, beside the JSON of the same list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser import Browser
from tests.conftest import History, Run, git

LIST = ("backport", "list", "linux-3.12.y", "--upstream", "master")


@pytest.fixture(scope="module")
def document(kbisect: Run, nettrees: History) -> dict[str, Any]:
    done = kbisect("-C", nettrees.path, *LIST, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def made(kbisect: Run, history: History, path: Path) -> Path:
    done = kbisect("-C", history.path, *LIST, "--format", "html")
    assert done.returncode == 0, done.stderr
    path.write_text(done.stdout, "utf-8")
    return path


@pytest.fixture(scope="module")
def page(kbisect: Run, nettrees: History, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(kbisect, nettrees, tmp_path_factory.mktemp("pages") / "list.html")


def test_the_page_lists_what_the_document_lists(
    browser: Browser, page: Path, document: dict[str, Any]
) -> None:
    browser.open(page)
    assert browser.complaints == []
    assert browser.flaws() == []
    oids = browser.texts("#candidates tbody td:nth-child(3) > .commit code")
    assert oids == [each["oid"][:12] for each in document["candidates"]]
    aside = browser.texts("#aside tbody .commit code")
    assert aside == [each["oid"][:12] for each in document["excluded"]]


def test_why_folds_out_with_the_words_it_rests_on(
    browser: Browser, page: Path, document: dict[str, Any]
) -> None:
    browser.open(page)
    assert browser.texts("#candidates details li") == []
    browser.click("#candidates .tools button")
    said = browser.texts("#candidates details > ul > li:first-child")
    assert len(said) == len(document["candidates"])
    for text, each in zip(said, document["candidates"], strict=True):
        assert text.startswith(" ".join(each["reasons"][0]["text"].split())[:40])


def test_the_candidates_can_be_chosen_by_state(
    browser: Browser, page: Path, document: dict[str, Any]
) -> None:
    browser.open(page)
    browser.fill("#candidates .tools label:last-of-type select", "conflict")
    conflicts = [each for each in document["candidates"] if each["state"] == "conflict"]
    assert len(browser.texts("#candidates tbody tr")) == len(conflicts) > 0


def test_what_a_candidate_needs_stands_below_it(
    browser: Browser, page: Path, document: dict[str, Any]
) -> None:
    browser.open(page)
    drawn = browser.ask("[...document.querySelectorAll('#order text .mono')].map(e => e.innerHTML)")
    needs = [
        (each["oid"], need) for each in document["candidates"] for need in each["prerequisites"]
    ]
    assert needs
    for oid, need in needs:
        assert drawn.index(oid[:12]) < drawn.index(need[:12])


def test_a_hostile_fix_does_nothing(
    browser: Browser, kbisect: Run, nettrees_copy: History, tmp_path: Path
) -> None:
    path, evil = nettrees_copy.path, "<script>alert(1)</script><img src=x onerror=alert(2)>"
    (path / "net" / "ipv4" / "'><b>.c").write_text("int x;\n")
    git(path, "add", "net")
    blamed = nettrees_copy.marks[2]
    git(path, "commit", "-q", "-m", f'{evil}\n\nFixes: {blamed[:12]} ("{evil}")')
    assert kbisect("-C", path, "index").returncode == 0
    browser.open(made(kbisect, nettrees_copy, tmp_path / "evil.html"))
    assert browser.complaints == []
    assert browser.ask("document.images.length + document.scripts.length") == 1
    assert any(evil in text for text in browser.texts("#candidates .commit"))


def test_the_matrix_shows_which_branch_lacks_what_and_what_an_upgrade_loses(
    browser: Browser, kbisect: Run, nettrees: History, tmp_path: Path
) -> None:
    asked = ("backport", "matrix", "linux-3.12.y", "v3.13", "--upstream", "master")
    done = kbisect("-C", nettrees.path, *asked, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    done = kbisect("-C", nettrees.path, *asked, "--format", "html")
    assert done.returncode == 0, done.stderr
    path = tmp_path / "matrix.html"
    path.write_text(done.stdout, "utf-8")
    browser.open(path)
    assert browser.complaints == []
    assert browser.flaws() == []
    assert browser.texts("#fixes tbody .commit code") == [row["oid"][:12] for row in rows]
    browser.fill("#fixes .tools select", "missing")
    missing = [row for row in rows if row["cells"][0] == "missing"]
    assert len(browser.texts("#fixes tbody tr")) == len(missing) > 0
    marked = browser.texts("#fixes tbody strong")
    assert len(marked) == sum(row["regression"] for row in missing)

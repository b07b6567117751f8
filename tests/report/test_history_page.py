# SPDX-License-Identifier: GPL-2.0-or-later
"""`kbisect history` as text, as JSON, and as a page in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.conftest import History, Run, git

EVIL = "<img src=x onerror=\"document.title='owned'\"></script><script>alert(1)</script>"


def made(kbisect: Run, history: History, path: Path, *arguments: str) -> Path:
    done = kbisect("-C", history.path, "history", *arguments, "--format", "html")
    assert done.returncode == 0, done.stderr
    path.write_text(done.stdout, "utf-8")
    return path


@pytest.fixture(scope="module")
def page(kbisect: Run, nettrees: History, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(kbisect, nettrees, tmp_path_factory.mktemp("pages") / "ipv4.html", "net/ipv4")


def test_the_page_loads_without_a_word(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.complaints == []
    assert browser.flaws() == []
    assert browser.texts("h1") == ["net/ipv4"]
    assert browser.texts("main h2")[:3] == ["Net and net-next", "Fixes", "Time to fix"]


def test_a_picture_says_the_same_as_the_table(browser: Browser, page: Path) -> None:
    browser.open(page)
    hints = browser.ask(
        "[...document.querySelectorAll('#trees rect title')].map(e => e.textContent)"
    )
    net = {hint.split(":")[0]: hint.split()[3] for hint in hints if ": through net " in hint}
    rows = browser.ask(
        "[...document.querySelectorAll('#releases tbody tr')]"
        ".map(r => [r.cells[0].textContent, r.cells[2].textContent])"
    )
    assert net and net == {release: count for release, count in rows if count != "0"}


def test_the_releases_sort_by_their_order_not_by_their_letters(
    browser: Browser, page: Path
) -> None:
    browser.open(page)
    inside = "#releases tbody th"
    before = browser.texts(inside)
    browser.click("#releases thead th:nth-child(1) button")
    assert browser.texts(inside) == before
    browser.click("#releases thead th:nth-child(1) button")
    assert browser.texts(inside) == before[::-1]


def test_the_fixes_can_be_filtered_by_what_they_are_known_by(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.fill("#mended .tools select", "prose")
    shown = browser.texts("#mended tbody td:last-child")
    assert shown and set(shown) == {"prose"}


def test_a_hostile_subject_or_path_does_nothing(
    browser: Browser, kbisect: Run, nettrees_copy: History, tmp_path: Path
) -> None:
    path = nettrees_copy.path
    folder = path / "net" / "ipv4" / "<svg onload=document.title=1>"
    folder.mkdir(parents=True)
    (folder / "x.c").write_text("int x;\n")
    git(path, "add", "net")
    git(path, "commit", "-q", "-m", EVIL)
    first = git(path, "rev-parse", "HEAD").strip()
    (folder / "x.c").write_text("int y;\n")
    git(path, "commit", "-qa", "-m", f'{EVIL}\n\nFixes: {first[:12]} ("{EVIL}")')
    assert kbisect("-C", path, "index").returncode == 0
    browser.open(made(kbisect, nettrees_copy, tmp_path / "evil.html", "net/ipv4"))
    assert browser.complaints == []
    assert browser.ask("document.title") == "net/ipv4"
    assert browser.ask("document.images.length + document.scripts.length") == 1
    assert any(EVIL in text for text in browser.texts("#mended tbody td"))


def test_text_and_json_hold_the_same_figures(kbisect: Run, nettrees: History) -> None:
    text = kbisect("-C", nettrees.path, "history", "net/ipv4")
    assert text.returncode == 0, text.stderr
    document = json.loads(kbisect("-C", nettrees.path, "history", "net/ipv4", "--json").stdout)
    assert document["schema"] == "kbisect.history/1"
    commits = sum(each["commits"] for each in document["cycles"])
    assert text.stdout.startswith(f"net/ipv4: {commits} commits, ")
    assert document["files"][0]["path"] in text.stdout

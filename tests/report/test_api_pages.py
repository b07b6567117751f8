# SPDX-License-Identifier: GPL-2.0-or-later
"""API differences and lives as pages and as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kbisect.api import comparison
from kbisect.api.comparison import Result
from kbisect.api.extraction import extract
from kbisect.api.findings import Compatibility
from kbisect.api.lives import Life, Lives
from kbisect.api.scope import ALL
from kbisect.api.sides import Side
from kbisect.report import api_answers, api_html, api_markdown
from tests.browser import Browser

OLD = b"struct skb {\n\tint nh;\n\tint len;\n};\nextern int skb_pad(struct skb *skb);\n"
NEW = b"struct skb {\n\tlong len;\n};\nextern int skb_pad(struct skb *skb, int pad);\n"
EVIL = 'net: <script>document.title="owned"</script> | `x`'


@pytest.fixture
def result() -> Result:
    sides = tuple(Side.of([extract("include/net/a.h", text)]) for text in (OLD, NEW))
    return comparison.between((sides[0], sides[1]), ALL)


@pytest.fixture
def lives() -> Lives:
    declarations = {found.shown: found for found in extract("include/net/a.h", OLD).declarations}
    releases = tuple(f"v2.6.{number}" for number in range(10, 40))
    listed = (
        Life("struct skb", declarations["struct skb"], None, None),
        Life("skb.nh", declarations["skb.nh"], None, None, "v2.6.22-rc1", "0" * 40, "skb.nethdr"),
        Life("skb.len", declarations["skb.len"], "v2.6.20-rc3", "1" * 40),
        Life("skb.gone", declarations["skb.len"], None, None, "v2.6.30", None),
    )
    return Lives("skb", releases, listed, (), ())


def subject(_: str) -> str:
    return EVIL


def test_the_page_of_a_difference_lists_every_change(
    browser: Browser, tmp_path: Path, result: Result
) -> None:
    page = tmp_path / "diff.html"
    page.write_text(api_html.difference(result, result.findings, "a..b", subject), "utf-8")
    browser.open(page)
    assert browser.complaints == []
    assert browser.flaws() == []
    assert sorted(browser.texts("tbody th")) == ["len", "nh", "skb_pad"]
    assert browser.ask("document.title") == "Network API, a..b"


def test_what_breaks_stands_apart_from_what_does_not(
    browser: Browser, tmp_path: Path, result: Result
) -> None:
    page = tmp_path / "diff.html"
    page.write_text(api_html.difference(result, result.findings, "a..b", subject), "utf-8")
    browser.open(page)
    wanted = sorted(
        each.name.rpartition(".")[2]
        for each in result.findings
        if each.compatibility is Compatibility.BREAKING
    )
    assert wanted
    assert sorted(browser.texts("#breaking tbody th")) == wanted
    assert browser.ask("document.querySelectorAll('tbody tr').length") == len(result.findings)


def test_long_declarations_break_so_that_the_table_fits_the_page(
    browser: Browser, tmp_path: Path
) -> None:
    words = b", ".join(b"int parameter_%d_%s" % (n, b"x" * 60) for n in range(6))
    texts = [b"extern int f(" + words + each + b");\n" for each in (b"", b", int b")]
    sides = [Side.of([extract("include/net/" + "deep/" * 12 + "a.h", each)]) for each in texts]
    found = comparison.between((sides[0], sides[1]), ALL)
    page = tmp_path / "diff.html"
    page.write_text(api_html.difference(found, found.findings, "a..b", subject), "utf-8")
    browser.open(page)
    assert browser.ask("document.querySelectorAll('tbody tr').length") == 1
    assert browser.ask(
        "[...document.querySelectorAll('.wide')].every(e => e.scrollWidth <= e.clientWidth)"
    )


def test_a_bar_begins_where_the_name_came_and_ends_where_it_went(
    browser: Browser, tmp_path: Path, lives: Lives
) -> None:
    page = tmp_path / "lives.html"
    page.write_text(api_html.history(lives, subject), "utf-8")
    browser.open(page)
    assert browser.complaints == []
    assert browser.flaws() == []
    boxes = browser.ask(
        "[...document.querySelectorAll('figure .wide svg rect:has(title)')]"
        ".map(e => [e.querySelector('title').textContent.split(':')[0],"
        " e.getAttribute('class'), +e.getAttribute('x'), +e.getAttribute('width')])"
    )
    bars = {name: (tone, x, width) for name, tone, x, width in boxes}
    left, step = bars["struct skb"][1], bars["struct skb"][2] / 30
    assert bars["skb.nh"] == ("d", left, pytest.approx(12 * step))
    assert bars["skb.len"] == ("a", pytest.approx(left + 10 * step), pytest.approx(20 * step))
    assert bars["skb.gone"] == ("b", left, pytest.approx(20 * step))


def test_a_subject_is_text_on_the_page(browser: Browser, tmp_path: Path, lives: Lives) -> None:
    page = tmp_path / "lives.html"
    page.write_text(api_html.history(lives, subject), "utf-8")
    browser.open(page)
    assert browser.ask("document.title") == "The life of skb"
    assert any(EVIL in text for text in browser.texts("td"))


def test_of_a_member_that_went_without_an_heir_the_difference_that_tells_is_named(
    result: Result,
) -> None:
    (gone,) = (each for each in result.findings if each.name == "skb.nh")
    assert gone.old is not None
    life = Life("skb.nh", gone.old, None, None, "v2.6.22-rc1", None)
    event, span = replace(gone, release="v2.6.22-rc1"), ("v2.6.21", "v2.6.22")
    lives = Lives("skb", span, (life,), (event,), (span,))
    wanted = "What callers of skb.nh use now: kbisect api diff v2.6.21 v2.6.22 --struct skb"
    assert wanted in api_answers.history(lives)
    with_heir = replace(lives, lives=(replace(life, became="skb.nethdr"),))
    assert "What callers" not in api_answers.history(with_heir)


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head(
    result: Result, lives: Lives
) -> None:
    for text in (
        api_markdown.difference(result, result.findings, "a|b..<c>"),
        api_markdown.history(lives),
    ):
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert rows
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
        assert "<c>" not in text.replace("\\<c\\>", "")

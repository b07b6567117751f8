# SPDX-License-Identifier: GPL-2.0-or-later
"""What every page keeps: it stands alone, it trusts nobody's text, its tables serve everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.report import html
from tests import browser as browsing
from tests.browser import Browser

TEMPLATE = """
{% extends "base.html" %}
{% import "parts.html" as parts %}
{% block kind %}test{% endblock %}
{% block title %}{{ subject }}{% endblock %}
{% block sections %}{{ parts.contents([("rows", "Rows")]) }}{% endblock %}
{% block main %}
<section id="rows"><h2>Rows</h2>
{% call parts.wide("rows") %}
<table data-sort data-filter="commits">
<caption>Rows</caption>
<thead><tr><th scope="col">name</th><th scope="col" class="n">lines</th>
<th scope="col" data-facet>state</th><th scope="col" data-fixed>why</th></tr></thead>
<tbody>
{% for name, lines, state in rows %}
<tr><th scope="row">{{ name }}</th>{{ parts.number(lines) }}<td>{{ state }}</td>
<td><details><summary>why</summary><p>because of {{ name }}</p></details></td></tr>
{% endfor %}
</tbody></table>
{% endcall %}
</section>
{{ parts.commit("0123456789abcdef0123456789abcdef01234567", subject) }}
<p title="{{ subject }}">in an attribute</p>
{% endblock %}
"""
ROWS = [("beta", 1234, "clean"), ("alpha", 99, "conflict"), ("gamma", None, "clean")]
HOSTILE = [
    "<script>document.title = 'owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "</title></style></script><script>document.title='owned'</script>",
    "' onmouseover='document.title=1' <svg onload=document.title=2>",
    "{{ 7 * 7 }} {% raw %} ${7*7}",
    "javascript:document.title=3",
    "\x1b[31mred\x1b[0m \x00 \u202egnp.exe \udcff",
]


def written(path: Path, subject: str = "net: a plain subject") -> Path:
    made = html.environment().from_string(TEMPLATE).render(subject=subject, rows=ROWS)
    path.write_text(made, "utf-8")
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return written(tmp_path / "page.html")


def names(browser: Browser) -> list[str]:
    return browser.texts("tbody th")


def test_a_page_loads_nothing_and_says_nothing_wrong(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.complaints == []
    assert browser.flaws() == []
    assert [address for address in browser.requests if not address.startswith("data:")] == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(
    browser: Browser, tmp_path: Path, text: str
) -> None:
    browser.open(written(tmp_path / "page.html", text))
    assert browser.complaints == []
    assert browser.ask("document.images.length + document.scripts.length") == 1
    shown = browser.ask("document.querySelector('.commit').textContent")
    assert shown.startswith('0123456789ab ("') and shown.endswith('")')
    assert (
        browser.ask("document.title").split()
        == browser.ask("document.querySelector('h1').textContent").split()
    )


def test_characters_that_drive_a_terminal_or_turn_text_around_become_escapes(
    tmp_path: Path,
) -> None:
    text = written(tmp_path / "page.html", HOSTILE[-1]).read_text("utf-8")
    assert "\\x1b[31mred\\x1b[0m \\x00 \\u202egnp.exe \\xff" in text


def test_the_policy_stops_even_what_gets_past_the_escaping(
    browser: Browser, tmp_path: Path, page: Path
) -> None:
    evil = '<script>document.title="owned"</script><p style="color:red" onclick="x()">p</p>'
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text("utf-8").replace("<main ", evil + "<main ", 1), "utf-8")
    browser.open(broken)
    assert browser.ask("document.title") == "net: a plain subject"
    refused = [each for each in browser.complaints if "Content Security Policy" in each]
    assert len(refused) >= 2


def test_a_title_sorts_its_column_and_says_which_way(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert names(browser) == ["beta", "alpha", "gamma"]
    browser.click("thead th:nth-child(1) button")
    assert names(browser) == ["alpha", "beta", "gamma"]
    browser.click("thead th:nth-child(1) button")
    assert names(browser) == ["gamma", "beta", "alpha"]
    states = browser.ask("[...document.querySelectorAll('thead th')].map(e => e.ariaSort)")
    assert states == ["descending", "none", "none", None]


def test_numbers_sort_as_numbers_and_what_is_empty_comes_last(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.click("thead th:nth-child(2) button")
    assert names(browser) == ["alpha", "beta", "gamma"]
    browser.click("thead th:nth-child(2) button")
    assert names(browser) == ["beta", "alpha", "gamma"]


def test_a_table_sorts_by_keyboard_alone(browser: Browser, page: Path) -> None:
    browser.open(page)
    for _ in range(20):
        browser.press("Tab")
        if browser.ask("document.activeElement.textContent") == "name":
            break
    browser.press("Enter")
    assert names(browser) == ["alpha", "beta", "gamma"]
    # Who moves by keyboard sees where.
    assert browser.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_first_stop_leads_past_the_navigation(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.press("Tab")
    browser.press("Enter")
    assert browser.ask("location.hash") == "#main"


def test_the_filter_hides_rows_and_counts_them(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.texts(".tools output") == ["3 of 3 commits"]
    browser.fill(".tools input", "CLEAN ga")
    assert names(browser) == ["gamma"]
    assert browser.texts(".tools output") == ["1 of 3 commits"]
    browser.fill(".tools input", "")
    browser.fill(".tools select", "conflict")
    assert names(browser) == ["alpha"]


def test_what_is_folded_opens_one_by_one_and_all_at_once(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.texts("details p") == []
    browser.click("summary")
    assert browser.texts("details p") == ["because of beta"]
    browser.click(".tools button")
    assert len(browser.texts("details p")) == 3
    browser.click(".tools button")
    assert browser.texts("details p") == []


def test_print_unfolds_everything_and_leaves_the_tools_out(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    browser.open(page)
    browser.look(medium="print")
    assert browser.texts(".tools, nav") == []
    assert len(browser.texts("details p")) == 3
    browser.look()
    browser.ask(
        "void addEventListener('beforeprint', () => { window.unfolded ="
        " document.querySelectorAll('details[open]').length; })"
    )
    browser.paper(tmp_path / "page.pdf")
    assert browser.ask("window.unfolded") == 3
    assert browser.texts("details p") == []


def test_without_the_script_everything_is_there_and_no_control_is_dead(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.html"
    text = page.read_text("utf-8")
    bare.write_text(text[: text.rindex("<script>")] + "</body></html>", "utf-8")
    browser.open(bare)
    assert names(browser) == ["beta", "alpha", "gamma"]
    assert browser.texts("button, input, select") == []


def test_a_page_follows_the_readers_scheme(browser: Browser, page: Path) -> None:
    browser.open(page)
    seen = {}
    for scheme in ("light", "dark"):
        browser.look(scheme=scheme)
        seen[scheme] = browser.ask("getComputedStyle(document.body).backgroundColor")
    browser.look()
    assert seen["light"] == "rgb(255, 255, 255)" != seen["dark"]


def test_a_narrow_page_does_not_scroll_sideways(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.look(width=360)
    assert browser.ask("document.documentElement.scrollWidth") <= 360
    browser.look()


def test_a_machine_without_a_browser_is_told_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(browsing, "NAMES", ())
    with pytest.raises(AssertionError, match="apt-get install chromium"):
        Browser()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "soft"])
@pytest.mark.parametrize("ink", ["ink", "dim", "link", "good", "bad", "skip"])
def test_text_stands_out_from_its_ground(
    browser: Browser, page: Path, scheme: str, ground: str, ink: str
) -> None:
    """By the W3C's contrast ratio, which wants 4.5 for text of this size (WCAG 2.2, 1.4.3)."""
    browser.open(page)
    browser.look(scheme=scheme)
    asked = "getComputedStyle(document.documentElement).getPropertyValue"
    shades = sorted(_luminance(browser.ask(f"{asked}('--{name}')")) for name in (ink, ground))
    browser.look()
    assert (shades[1] + 0.05) / (shades[0] + 0.05) >= 4.5


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_what_a_reader_would_stumble_over_is_found(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "flawed.html"
    path.write_text(
        "<!doctype html><title>t</title><h1>t</h1><h3 id=a>skipped</h3><p id=a>twice</p>"
        "<table><tr><th>no scope</th></tr></table><svg role=img></svg><input><a href='#b'>b</a>"
    )
    browser.open(path)
    assert [flaw.split(":")[0] for flaw in browser.flaws()] == [
        "title without scope",
        "table without a name",
        "picture without words",
        "control without a label",
        "link to nowhere",
        "id used twice",
        "heading skips a level",
    ]

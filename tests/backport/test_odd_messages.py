# SPDX-License-Identifier: GPL-2.0-or-later
"""Some two hundred ways in which people mark fixes and backports, and what each one says.

The cases are made from a few lists: how the marker is worded, what the id looks like, and what
stands around it. What is expected is known by construction: it was put in.
"""

from __future__ import annotations

import itertools

import pytest

from kbisect.history.messages import LinkKind, links

FULL = "5a3c9e0b71d2486f9e0c1b2a3d4f5e6a7b8c9d0e"
OTHER = "c0ffee1234567890abcdef1234567890abcdef12"

_HEADERS = [
    "commit {0} upstream.",
    "commit {0} upstream",
    "Commit {0} Upstream.",
    "commit: {0} upstream.",
    "commit {0}\nupstream.",
    "commit {0} upstream, adjusted for older names",
    "commit {0} upstream (without the selftest)",
    "[ Upstream commit {0} ]",
    "[ upstream commit {0} ]",
    "[Upstream commit {0}]",
    "( Upstream commit {0} )",
    "[ Upstream commit: {0} ]",
    "[ commit {0} upstream ]",
    "[ commit {0} upstream. ]",
    "[ backported from upstream commit {0} ]",
    "[ backported from commit {0} with changes ]",
    "Upstream commit: {0}",
    "upstream commit {0}",
    "Backport of commit {0}",
    "This is a backport of mainline commit {0}",
]
_PICKED = [
    "(cherry picked from commit {0})",
    "(cherry-picked from commit {0})",
    "(cherry picked from linux commit {0})",
    "(Cherry picked from upstream commit {0})",
    "  (cherry picked from commit {0})",
    "(backported from commit {0})",
    "(backported from commit {0} net-next)",
    "Git-commit: {0}",
    "Alt-commit: {0}",
    "No-fix: {0}",
]
_IDS = [FULL, FULL[:12], FULL.upper()]
_AROUND = [
    "{0}\n\nA ring was freed twice.\n\nSigned-off-by: A <a@example.org>\n",
    "{0}\r\n\r\nA ring was freed twice.\r\n",
    "A word before.\n\n{0}\n\nSigned-off-by: A <a@example.org>\n",
]


def found(body: str, kind: LinkKind, subject: str = "net: ring: free it once") -> list[str | None]:
    return [link.oid for link in links(f"{subject}\n\n{body}") if link.kind is kind]


@pytest.mark.parametrize("wording", _HEADERS)
@pytest.mark.parametrize(("oid", "around"), zip(_IDS, _AROUND, strict=True))
def test_a_header_names_the_upstream_commit(wording: str, oid: str, around: str) -> None:
    body = around.format(wording.format(oid))
    assert found(body, LinkKind.UPSTREAM) == [oid.lower()]


@pytest.mark.parametrize("wording", _PICKED)
@pytest.mark.parametrize("oid", _IDS)
def test_a_line_of_the_trailers_names_the_upstream_commit(wording: str, oid: str) -> None:
    body = f"A ring was freed twice.\n\n{wording.format(oid)}\nSigned-off-by: A <a@example.org>\n"
    assert found(body, LinkKind.UPSTREAM) == [oid.lower()]


@pytest.mark.parametrize(
    "body",
    [
        f"> commit {FULL} upstream.\n\ntalk about it\n",
        f"This reverts commit {OTHER} which is\ncommit {FULL} upstream.\n",
        f"This reverts commit {OTHER} which is upstream commit {FULL}.\n",
        f"as commit {FULL} upstream did for another driver, this one\nfrees it once\n",
        f"commit {FULL} made the ring longer.\n",
        f"commit {FULL}\n(which made the ring longer) forgot one.\n",
        "commit upstream.\n",
        "[ Upstream commit not there yet ]\n",
        f"see commit {FULL} upstream\n",
        "(cherry picked from the vendor's tree)\n",
    ],
)
def test_what_only_talks_of_upstream_is_no_marker(body: str) -> None:
    assert found(body, LinkKind.UPSTREAM) == []


def test_a_chain_of_picks_is_kept_whole_and_in_order() -> None:
    body = (
        f"commit {FULL} upstream.\n\nwhy\n\n"
        f"(cherry picked from commit {OTHER})\n(cherry picked from commit {FULL})\n"
    )
    assert found(body, LinkKind.UPSTREAM) == [FULL, OTHER, FULL]


_KEYS = ["Fixes:", "fixes:", "FIXES:", "Fixes: commit", "  Fixes:"]
_FORMS = [
    ('{0} ("net: ring: grow")', "net: ring: grow"),
    ('{0}("net: ring: grow")', "net: ring: grow"),
    ("{0} (“net: ring: grow”)", "net: ring: grow"),
    ("{0} (net: ring: grow)", "net: ring: grow"),
    ('{0} ("net: ring:\n\tgrow")', "net: ring: grow"),
    ('{0}, ("net: ring: grow")', "net: ring: grow"),
    ('{0} ("net: ring: grow (again)")', "net: ring: grow (again)"),
    ("{0}", None),
    ("<{0}>", None),
    ("[{0}]", None),
]


@pytest.mark.parametrize(
    ("key", "form", "oid"),
    [(key, form, oid) for key, form in itertools.product(_KEYS, _FORMS) for oid in _IDS[1:]],
)
def test_fixes_names_its_culprit(key: str, form: tuple[str, str | None], oid: str) -> None:
    written, subject = form
    body = f"why\n\n{key} {written.format(oid)}\nSigned-off-by: A <a@example.org>\n"
    said = [link for link in links(f"net: x\n\n{body}") if link.kind is LinkKind.FIXES]
    assert [(link.oid, link.subject) for link in said] == [(oid.lower(), subject)]


_BOXES = [
    "stable@vger.kernel.org",
    "<stable@vger.kernel.org>",
    "stable <stable@vger.kernel.org>",
    "Stable kernels <stable@kernel.org>",
    "stable@dpdk.org",
    "linux-stable@vger.kernel.org",
]
_NOTES = [
    ("", None),
    (" # v5.4+", "v5.4+"),
    (" # 5.4.x", "5.4.x"),
    (" # >= 5.4", ">= 5.4"),
    (" # v5.4..v5.10", "v5.4..v5.10"),
    (" [2.6.32+]", "[2.6.32+]"),
    (" # after -rc3", "after -rc3"),
]


@pytest.mark.parametrize("box", _BOXES)
@pytest.mark.parametrize("note", _NOTES)
def test_a_notice_asks_for_stable_and_keeps_its_note(
    box: str, note: tuple[str, str | None]
) -> None:
    written, kept = note
    said = links(f"net: x\n\nwhy\n\nCc: {box}{written}\nSigned-off-by: A <a@example.org>\n")
    [notice] = [link for link in said if link.kind is LinkKind.STABLE]
    assert notice.subject == kept


@pytest.mark.parametrize(
    ("note", "oid"),
    [
        (f"# 5.4.x: {FULL[:12]}: net: ring: grow", FULL[:12]),
        (f"# 5.4.x: {FULL}", FULL),
        (f'# {FULL[:12]} ("net: ring: grow")', FULL[:12]),
        (f"# 3.3.x: {FULL[:7]}: net: ring: grow", FULL[:7]),
    ],
)
def test_a_notice_can_name_what_to_take_first(note: str, oid: str) -> None:
    body = f"why\n\nCc: <stable@vger.kernel.org> {note}\n"
    assert found(body, LinkKind.PREREQUISITE) == [oid]


@pytest.mark.parametrize("verb", ["Revert", "revert", "Reverted", "Revert:"])
@pytest.mark.parametrize(
    "body", ["This reverts commit {0}.", "This reverts\ncommit {0}", "revert commit {0}, too early"]
)
def test_a_revert_names_what_it_takes_back(verb: str, body: str) -> None:
    words = body.format(FULL)
    assert found(words, LinkKind.REVERTS, f'{verb} "net: ring: grow"') == [FULL]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "\n",
        "\0",
        "Fixes:",
        "net: x\n\nFixes: (",
        "net: x\n\nFixes: (((((" + '("' * 200,
        "net: x\n\nCc: stable@",
        "net: x\n\nCc: stable@vger.kernel.org # " + "[" * 500,
        'Revert "',
        'Revert ""',
        'Revert "' + 'Revert "' * 60 + "x" + '"' * 61,
        "net: x\n\ncommit " + "0" * 39 + " upstream.",
        "net: x\n\n" + "commit " * 3000,
        "net: x\n\nThis reverts commit " + f"{FULL}, " * 300,
        "\ufeffnet: x\n\n\u2028Fixes: \u202e" + FULL,
    ],
)
def test_what_makes_no_sense_breaks_nothing(message: str) -> None:
    assert all(link.text for link in links(message))

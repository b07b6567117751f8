# SPDX-License-Identifier: GPL-2.0-or-later
"""MAINTAINERS: the rules of get_maintainer.pl on small texts; its figures are checked elsewhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.history import maintainers
from kbisect.history.maintainers import Maintainers, Match, parse
from kbisect.history.perl import compiled
from tests.conftest import History, git

TEXT = """\
	List of maintainers

M:	not an entry of a title, but one all the same

ACME ETHERNET DRIVER
M:	Ada Test <ada@example.org>
R:	Bo Test <bo@example.org>, Cy Test <cy@example.org>
L:	netdev@vger.kernel.org
S:	Supported
F:	drivers/net/ethernet/acme/
F:	include/linux/acme*.h
X:	drivers/net/ethernet/acme/old/

# a comment between sections
NETFILTER
M: Pavla Test <pavla@example.org>
S: Maintained
F: net/*/netfilter/
F: net/netfilter/

NETWORKING DRIVERS
L:	netdev@vger.kernel.org
S:	Odd Fixes
F:	drivers/net/
F:	include/linux/netdevice.h

NETWORKING [GENERAL]
M:	Davit Test <davit@example.org>
S:	Maintained
F:	net/
F:	include/net/

TEGRA
M:	Tea Test <tea@example.org>
S:	Supported
F:	drivers/clk/tegra
N:	[^a-z]tegra

TRIVIA
K:	^Subject:.*(?i)trivial
K:	\\bacme_hw_|old_hw

THE REST
M:	Linus Test <linus@example.org>
S:	Buried alive in reporters
F:	*
F:	*/
"""


def titles(matches: list[Match]) -> list[str]:
    return [match.section.title for match in matches]


def one(pattern: str) -> Maintainers:
    return parse(f"SECTION\n{pattern}\n")


@pytest.fixture(scope="module")
def small() -> Maintainers:
    return parse(TEXT)


def test_sections_have_their_entries_in_order_with_repeats_and_lines(small: Maintainers) -> None:
    acme = next(each for each in small.sections if each.title == "ACME ETHERNET DRIVER")
    assert acme.line == 5
    assert [(entry.tag, entry.line) for entry in acme.entries] == list(
        zip("MRLSFFX", range(6, 13), strict=True)
    )
    assert acme.values("F") == ["drivers/net/ethernet/acme/", "include/linux/acme*.h"]
    assert acme.values("R") == ["Bo Test <bo@example.org>, Cy Test <cy@example.org>"]
    assert acme.status == "Supported"
    assert acme.is_maintained
    assert not next(e for e in small.sections if e.title == "NETWORKING DRIVERS").is_maintained


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("net/ipv4/netfilter/a.c", ["NETFILTER", "NETWORKING [GENERAL]", "THE REST"]),
        ("net/bridge/x/netfilter/a.c", ["NETFILTER", "NETWORKING [GENERAL]", "THE REST"]),
        ("drivers/net/dummy.c", ["NETWORKING DRIVERS", "THE REST"]),
        ("drivers/net/ethernet/acme/a.c", ["ACME ETHERNET DRIVER", "NETWORKING DRIVERS"]),
        ("drivers/net/ethernet/acme/old/a.c", ["NETWORKING DRIVERS", "THE REST"]),
        ("include/linux/acme_hw.h", ["ACME ETHERNET DRIVER", "THE REST"]),
        ("include/linux/acme/hw.h", ["THE REST"]),
        ("drivers/clk/tegra/clk.c", ["TEGRA", "THE REST"]),
        ("arch/arm/mach-tegra/x.c", ["TEGRA", "THE REST"]),
        ("drivers/integra/x.c", ["THE REST"]),
        ("Makefile", ["THE REST"]),
    ],
)
def test_sections_of_a_path(small: Maintainers, path: str, expected: list[str]) -> None:
    found = titles(small.sections_of(path))
    assert found[: len(expected)] == expected
    assert found[-1] == "THE REST"


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        # A pattern needs to match only the start of a path, of the same number of slashes.
        ("F: net/tcp", "net/tcp_input.c", True),
        ("F: net/tcp", "net/tcp", True),
        ("F: net/tcp_input.c", "net/tcp", False),
        ("F: net/*", "net/socket.c", True),
        ("F: net/*", "net/core/dev.c", False),
        ("F: net/*/", "net/core/dev.c", True),
        ("F: net/*/", "net/a/b/c.c", True),
        ("F: net/*/", "net/socket.c", False),
        ("F: net/*/dev", "net/core/dev.c", True),
        ("F: net/*/dev", "net/a/core/dev.c", False),
        ("F: net/d?v.c", "net/dev.c", True),
        ("F: net/d?v.c", "net/deev.c", False),
        ("F: net/dev.[ch]", "net/dev.h", True),
        ("F: net/dev.[ch]", "net/devs.h", False),
        ("F: net/da[79]*.[ch]", "net/da7213.c", True),
        ("F: net/a.c", "net/abc", False),
        ("F: *", "Makefile", True),
        ("F: *", "net/socket.c", False),
        ("F: */", "net/core/dev.c", True),
        ("F: */Kconfig", "net/Kconfig", True),
        # Without its slash: a folder if the path is below it, unless its name has a dot.
        ("F: net/core", "net/core/dev.c", True),
        ("F: net/core.d", "net/core.d/dev.c", False),
        ("F: net/core", "net/core/", True),
        # What is written is a regular expression once `.`, `*` and `?` are translated.
        ("F: net/a|fs/b", "fs/b", False),
        ("F: net/a|fs/", "x/fs/b", True),
        ("F: net/ab+", "net/abbb", True),
        ("F: net/ab{2}c", "net/abbc", True),
        ("F: net/(", "net/(", False),
        ("F: net/dev.c ", "net/dev.c", False),
        ("F:", "Makefile", True),
        ("F:net/", "net/dev.c", True),
        ("F:  \t net/", "net/dev.c", True),
        (" F: net/", "net/dev.c", False),
        ("N: imx", "arch/imx6.c", True),
        ("N: imx # a comment", "arch/imx6.c", True),
        ("N: bcm[9]?63138", "arch/bcm963138.h", True),
        ("N: bcm283*", "arch/bcm28.h", True),
        ("N: foo|bar", "a/bar.c", True),
        ("N: ^.*/vdso/[^/]*rand[^/]+$", "arch/vdso/vgetrandom.c", True),
        ("N: (", "a(b", False),
        ("N:", "a/b", False),
        ("N: x\nX: a/b/", "a/b/x", False),
        ("F: fs/\nX: fs/*/", "fs/ext4/x.c", False),
        ("X: a/", "b/c", False),
    ],
)
def test_one_pattern(pattern: str, path: str, matches: bool) -> None:
    assert bool(one(pattern).sections_of(path)) is matches


def test_a_folder_without_its_slash_takes_no_file_beside_it() -> None:
    beside = "drivers/clk/tegra.c"
    asked = []

    def is_folder(path: str) -> bool:
        asked.append(path)
        return True

    assert one("F: drivers/clk/tegra").sections_of(beside)
    told = parse("SECTION\nF: drivers/clk/tegra\n", is_folder)
    assert not told.sections_of(beside)
    assert told.sections_of("drivers/clk/tegra/clk.c")
    assert asked == ["drivers/clk/tegra"]


def test_depth_is_that_of_the_last_pattern_but_the_best_one_names_the_subsystem() -> None:
    both = parse("DEEP\nF: a/b/c.c\nN: c\n\nFLAT\nF: a/b/\n\nTHE REST\nF: */\n")
    found = both.sections_of("a/b/c.c")
    assert [(match.section.title, match.depth) for match in found] == [
        ("FLAT", 2),
        ("DEEP", 0),
        ("THE REST", -1),
    ]
    assert found[1].specificity == (3, 7)
    assert both.subsystem("a/b/c.c") == "DEEP"


def test_exact_matches_spare_a_look_at_history(small: Maintainers) -> None:
    def exact(path: str) -> list[str]:
        return titles([match for match in small.sections_of(path) if match.is_exact])

    assert exact("drivers/net/ethernet/acme/a.c") == ["ACME ETHERNET DRIVER"]
    assert exact("drivers/net/ethernet/acme/sub/a.c") == []
    assert exact("drivers/net/dummy.c") == []


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], None),
        (["Makefile"], None),
        (["drivers/net/ethernet/acme/a.c"], "ACME ETHERNET DRIVER"),
        (
            ["drivers/net/ethernet/acme/a.c", "drivers/net/ethernet/acme/b.c", "net/core/dev.c"],
            "ACME ETHERNET DRIVER",
        ),
        (["drivers/net/ethernet/acme/a.c", "drivers/net/bond.c"], "NETWORKING DRIVERS"),
        (["net/core/dev.c", "net/netfilter/core.c", "Makefile"], "NETWORKING [GENERAL]"),
        (["net/core/dev.c", "drivers/net/ethernet/acme/a.c"], "ACME ETHERNET DRIVER"),
        (["net/core/dev.c", "net/core/dev.c", "drivers/net/bond.c"], "NETWORKING DRIVERS"),
    ],
)
def test_subsystem_of_a_commit(small: Maintainers, paths: list[str], expected: str | None) -> None:
    assert small.subsystem_of(paths) == expected


def test_the_rest_is_no_subsystem(small: Maintainers) -> None:
    assert small.subsystem("mm/slab.c") is None
    assert small.subsystem("net/core/dev.c") == "NETWORKING [GENERAL]"


def test_an_entry_without_its_colon_breaks_the_section_but_names_no_subsystem() -> None:
    broken = parse("TIME\nM:\ta@example.org\nF:\tlib/\nF\tlib/b/\nF:\tlib/time/\n")
    assert titles(broken.sections_of("lib/time/a.c")) == ["F\tlib/b/", "TIME"]
    assert broken.subsystem("lib/time/a.c") == "TIME"


def test_keywords_of_content_and_of_patches(small: Maintainers) -> None:
    [only] = small.keywords("x = acme_hw_up();")
    assert (only.section.title, only.entry.value) == ("TRIVIA", "\\bacme_hw_|old_hw")
    patch = "Subject: {}\n\ntext\n---\ndiff --git a/acme_hw_ b/acme_hw_\n--- a/x\n+++ b/x\n"
    patch += "@@ -1,1 +1,1 @@ acme_hw_up\n{}\n"

    def found(subject: str, line: str) -> bool:
        return bool(small.keywords(patch.format(subject, line), is_patch=True))

    assert found("A TRIVIAL one", " x")
    assert found("trivial", " x")
    assert not found("none", " acme_hw_up")
    assert found("none", "-acme_hw_up")
    # Perl's precedence: the second alternative isn't bound to changed lines.
    assert found("none", " old_hw")


def test_files_of_2005_name_people_apart_and_no_files() -> None:
    old = parse(
        "3C359 NETWORK DRIVER\nP:\tMike Test\nM:\tmike@example.org\nS:\tMaintained\n\n"
        "THE REST\nP:\tLinus Test\nS:\tBuried alive in reporters\n"
    )
    assert [section.title for section in old.sections] == ["3C359 NETWORK DRIVER", "THE REST"]
    assert old.sections[0].values("P") == ["Mike Test"]
    assert old.sections_of("drivers/net/tokenring/3c359.c") == []
    assert old.subsystem_of(["drivers/net/tokenring/3c359.c"]) is None


def test_windows_line_ends_change_nothing(small: Maintainers) -> None:
    assert parse(TEXT.replace("\n", "\r\n")).sections == small.sections


def test_faults_are_told_by_line() -> None:
    text = "A\nM: a@example.org\nF drivers/a/\nF: b/(\n\nB\nK:\nN: [\nF: fine/*\n"
    assert [(fault.line, fault.text) for fault in parse(text).faults()] == [
        (3, "F drivers/a/"),
        (4, "F: b/("),
        (7, "K:"),
        (8, "N: ["),
    ]
    assert parse(TEXT).faults() == []


def test_an_answer_is_the_caller_s_to_change(small: Maintainers) -> None:
    small.sections_of("net/core/dev.c").clear()
    assert small.subsystem("net/core/dev.c") == "NETWORKING [GENERAL]"


def test_the_fixture_follows_the_driver_that_moves(nettrees: History) -> None:
    def at(mark: int) -> Maintainers:
        return parse(git(nettrees.path, "show", f"{nettrees.marks[mark]}:MAINTAINERS"))

    before, after = at(11), at(12)
    assert before.subsystem("drivers/net/acme.c") == "ACME ETHERNET DRIVER"
    assert after.subsystem("drivers/net/ethernet/acme/acme.c") == "ACME ETHERNET DRIVER"
    assert after.subsystem("drivers/net/ethernet/acme/Makefile") != "ACME ETHERNET DRIVER"
    assert before.subsystem("net/ipv4/netfilter/ip_tables.c") == "NETFILTER"
    assert before.faults() == after.faults() == []


_LINES = st.one_of(
    st.text(alphabet="FXNKMS:\t /*?[](){}|^$\\.+-<>=!#ab,\r\n\x85é", max_size=30),
    st.builds(
        "{}:{}{}".format,
        st.sampled_from("FXNKMST"),
        st.sampled_from(["\t", " ", ""]),
        st.text(alphabet="ab/*?.[]^-|()+{}\\1:isx<# ", max_size=14),
    ),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(_LINES, max_size=12), st.lists(st.text("ab/.*", max_size=8), max_size=4))
def test_whatever_is_written_is_read(lines: list[str], paths: list[str]) -> None:
    read = parse("\n".join(lines))
    read.faults()
    read.keywords("ab\nba")
    read.keywords("ab\n+++ b/a\n+ab\n", is_patch=True)
    read.subsystem_of(paths)
    for path in paths:
        order = [(m.section.title == "THE REST", -m.depth) for m in read.sections_of(path)]
        assert order == sorted(order)
        assert read.sections_of(path) == read.sections_of(path)


_GLOBS = st.lists(st.sampled_from(["a", "b", "/", "*", "?", "ab", "[ab]", "."]), max_size=6)


@settings(max_examples=100, deadline=None)
@given(st.lists(_GLOBS.map("".join), max_size=6), st.text("ab/.", max_size=8))
def test_the_index_finds_what_the_script_s_loop_finds(globs: list[str], path: str) -> None:
    def loop(glob: str) -> bool:
        value = glob.replace(".", r"\.").replace("*", ".*").replace("?", ".")
        if re.fullmatch(r"[^*?.\[]*[^*?.\[/]", glob) and path.startswith(glob + "/"):
            value += "/"
        matches = re.match(value, path) is not None
        return matches and (value.endswith("/") or value.count("/") == path.count("/"))

    text = "".join(f"{number}\nF:{glob}\n" for number, glob in enumerate(globs))
    expected = {str(number) for number, glob in enumerate(globs) if loop(glob)}
    assert set(titles(parse(text).sections_of(path))) == expected


@given(
    st.lists(st.sampled_from([*r"ab09_-/.,^$|()[]*+?:! ", r"\b", r"\.", "(?:", "a-z"]), max_size=9)
)
def test_what_is_believed_without_compiling_it_does_compile(parts: list[str]) -> None:
    value = "".join(parts)
    if maintainers._SOUND(value):
        assert compiled(value, extended=True) is not None

# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets a patch: get_maintainer.pl's rules, one by one. Its agreement is measured elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.errors import UsageError
from kbisect.patch.addresses import Address, Mailmap, split
from kbisect.patch.maintainers import Answer, Desk, Kind
from tests.conftest import History, git
from tests.patch.conftest import FILES, commit


@pytest.fixture(scope="module")
def desk(office: History) -> Desk:
    return Desk(office.repository, office.marks[2])


def addresses(answer: Answer) -> list[str]:
    return [each.address for each in answer.recipients]


def roles(answer: Answer) -> dict[str, str]:
    return {each.email: ",".join(each.roles) for each in answer.recipients}


ACME = "drivers/net/ethernet/acme/acme.c"


def test_people_by_depth_of_section_then_lists(desk: Desk) -> None:
    assert addresses(desk.of_paths([ACME], history=False)) == [
        "Ada Test <ada@example.org>",
        '"Bo T. Test" <bo@example.org>',
        "Cy Test <cy@example.org>",
        "Dee New-Test <dee.new@example.org>",
        "Eli Test <eli@example.org>",
        "acme@lists.example.org",
        "netdev@vger.kernel.org",
        "linux-kernel@vger.kernel.org",
    ]


def test_roles_are_worded_as_the_script_words_them(desk: Desk) -> None:
    said = roles(desk.of_paths([ACME, "include/acme.h"], history=False))
    assert said["ada@example.org"] == "supporter:ACME ETHERNET DRIVER"
    assert said["dee.new@example.org"] == "reviewer:ACME ETHERNET DRIVER"
    assert said["eli@example.org"] == "odd fixer:NETWORKING DRIVERS"
    assert said["acme@lists.example.org"] == "moderated list:ACME ETHERNET DRIVER"
    assert said["linux-kernel@vger.kernel.org"] == "open list"
    shortened = "maintainer:A SUBSYSTEM WITH A NAME THAT IS MUCH LONGER THA..."
    assert said["fay@example.org"] == shortened


def test_one_person_with_two_addresses_gets_it_once(desk: Desk) -> None:
    both = addresses(desk.of_paths([ACME, "include/acme.h"], history=False))
    assert "Ada Test <ada@example.org>" in both
    assert not any("ada.other" in address for address in both)


def test_subscribers_only_lists_and_the_chief_are_left_out(desk: Desk) -> None:
    everybody = " ".join(addresses(desk.of_paths([ACME, "lib/a.c"], history=False)))
    assert "acme-inner" not in everybody
    assert "torvalds" not in everybody


def test_the_history_speaks_where_nobody_is_named(desk: Desk) -> None:
    answer = desk.of_paths(["lib/a.c"])
    signers = [each for each in answer.recipients if each.kind is Kind.SIGNER]
    assert [each.address for each in signers] == [
        "Hal Test <hal@example.org>",
        "Ada Test <ada@example.org>",
        "Ivy Test <ivy@example.org>",
    ]
    assert signers[0].roles == ("commit_signer:2/4=50%",)
    # Ada wrote every commit, and signed one.
    assert signers[1].roles == ("commit_signer:1/4=25%", "authored:4/4=100%")
    assert answer.uncovered == ("lib/a.c",)


def test_the_history_of_a_maintained_file_is_not_asked(desk: Desk) -> None:
    answer = desk.of_paths(["include/acme.h"])
    assert {each.kind for each in answer.recipients} == {Kind.MAINTAINER, Kind.LIST}


def test_the_year_ends_with_the_revision(office: History) -> None:
    before = Desk(office.repository, office.marks[1]).of_paths(["lib/a.c"])
    assert [e.address for e in before.recipients if e.kind is Kind.SIGNER] == [
        "Ada Test <ada@example.org>"
    ]


def test_a_binding_names_its_maintainers(desk: Desk) -> None:
    said = roles(desk.of_paths(["Documentation/b.yaml"], history=False))
    assert said["gus@example.org"] == "in file"
    assert said["x@example.org"] == "in file"


def test_a_patch_asks_for_its_files_its_words_and_what_it_fixes(
    desk: Desk, office: History
) -> None:
    mail = (
        f'Subject: [PATCH] lib: use acme_hw_x\n\nFixes: {office.marks[2][:12]} ("a2")\n---\n'
        "diff --git a/lib/a.c b/lib/a.c\n--- a/lib/a.c\n+++ b/lib/a.c\n@@ -1,1 +1,1 @@\n-x\n+y\n"
    )
    answer = desk.of_patch(mail, history=False)
    said = roles(answer)
    assert said["ada@example.org"] == "supporter:ACME ETHERNET DRIVER:Keyword:acme_hw_"
    assert said["ivy@example.org"] == "blamed_fixes:1/1=100%"
    assert answer.paths == ("lib/a.c",)
    without = desk.of_patch(mail, history=False, fixes=False)
    assert "ivy@example.org" not in roles(without)


def test_words_in_files_count_only_when_asked(desk: Desk) -> None:
    assert "cy@example.org" not in roles(desk.of_paths(["include/acme.h"], history=False))
    asked = desk.of_paths(["include/acme.h"], history=False, keywords=True)
    assert "cy@example.org" in roles(asked)


def test_a_folder_is_asked_as_a_folder(desk: Desk) -> None:
    with_slash = desk.of_paths(["drivers/net/ethernet/acme/"], history=False)
    without = desk.of_paths(["drivers/net/ethernet/acme"], history=False)
    assert addresses(with_slash) == addresses(without)
    assert "ada@example.org" in roles(without)


def test_trees_and_status_tell_where_it_goes(desk: Desk) -> None:
    answer = desk.of_paths(["drivers/net/dummy.c"], history=False)
    drivers = answer.subsystems[0]
    assert (drivers.title, drivers.status) == ("NETWORKING DRIVERS", "Odd Fixes")
    assert [tree.rpartition("/")[2] for tree in drivers.trees] == ["net.git", "net-next.git"]


def test_boards_may_keep_their_own_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    top = tmp_path_factory.mktemp("boards")
    git(top, "init", "--quiet")
    extra = {
        ".get_maintainer.conf": "--find-maintainer-files\n--maintainer-path=.\n",
        "board/x/MAINTAINERS": "X BOARD\nM:\tXan Test <xan@example.org>\nF:\tboard/x/\n",
        "board/x/x.c": "int x;\n",
    }
    oid = commit(top, FILES | extra, "boards")
    found = Desk(History(top, {}).repository, oid).of_paths(["board/x/x.c"], history=False)
    assert addresses(found)[0] == "Xan Test <xan@example.org>"


@pytest.mark.parametrize(
    ("lines", "who"),
    [
        ("P:\tAda Test\nP:\tCy Test\nM:\tcy@example.org", "Cy Test <cy@example.org>"),
        ("P:\tAda Test\nM:\tCy Test <cy@example.org>", "Cy Test <cy@example.org>"),
        ("P:\tCy Test\nS:\tMaintained\nM:\tcy@example.org", "cy@example.org"),
        ("P:\tDocumentation/acme.rst\nM:\tcy@example.org", "cy@example.org"),
    ],
)
def test_a_bare_address_has_the_name_on_the_line_above(
    tmp_path: Path, lines: str, who: str
) -> None:
    git(tmp_path, "init", "--quiet")
    text = f"ACME\n{lines}\nS:\tMaintained\nF:\ta.c\n"
    oid = commit(tmp_path, {"MAINTAINERS": text, "a.c": "int a;\n"}, "a")
    found = Desk(History(tmp_path, {}).repository, oid).of_paths(["a.c"], history=False)
    assert addresses(found) == [who]


def test_a_revision_without_the_file_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    oid = commit(tmp_path, {"a": "a"}, "none")
    with pytest.raises(UsageError, match="has no MAINTAINERS"):
        Desk(History(tmp_path, {}).repository, oid)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Ada Test <a@example.org>", ["Ada Test <a@example.org>"]),
        ("A B <a@x.org>, C D <c@x.org>", ["A B <a@x.org>", "C D <c@x.org>"]),
        ("a@x.org, c@x.org,", ["a@x.org", "c@x.org"]),
        ('"Test, Ada" <a@x.org>', ['"Test, Ada" <a@x.org>']),
        # A dot outside quotes is no word of RFC 822: the line is no list.
        ("A. B <a@x.org>, c@x.org", ["A. B <a@x.org>, c@x.org"]),
        ("A (work, mostly) <a@x.org>", ["A (work, mostly) <a@x.org>"]),
    ],
)
def test_several_on_one_line(line: str, expected: list[str]) -> None:
    assert [each.strip() for each in split(line)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Test <a@x.org>", "Ada Test <a@x.org>"),
        ("Ada T. Test <a@x.org>", '"Ada T. Test" <a@x.org>'),
        ('"Ada Test" <a@x.org>', "Ada Test <a@x.org>"),
        ("Jörg <j@x.org>", '"Jörg" <j@x.org>'),
        ("  a@x.org (Ada)", "a@x.org"),
        ("<a@x.org>", "a@x.org"),
        ("nobody", ""),
    ],
)
def test_an_address_as_the_script_writes_it(text: str, expected: str) -> None:
    assert str(Address.read(text)) == expected


def test_a_mailmap_in_all_four_forms() -> None:
    known = Mailmap.read(
        "# people\nAda New <ada@x.org>\n<bo@x.org> <bo@old.org>\n"
        "Cy New <cy@x.org> <cy@old.org>\nDee New <dee@x.org> Dee Old <shared@old.org>\nnonsense\n"
    )
    assert known.mapped("ada <ada@x.org>") == "Ada New <ada@x.org>"
    assert known.mapped("Bo <bo@old.org>") == "Bo <bo@x.org>"
    assert known.mapped("C <cy@old.org>") == "Cy New <cy@x.org>"
    assert known.mapped("Dee Old <shared@old.org>") == "Dee New <dee@x.org>"
    assert known.mapped("Eli <shared@old.org>") == "Eli <shared@old.org>"

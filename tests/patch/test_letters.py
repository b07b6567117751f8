# SPDX-License-Identifier: GPL-2.0-or-later
"""What is written as mail, git am turns into the same tree object."""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.errors import UsageError
from kbisect.patch import letters, series
from kbisect.patch.letters import Letters, Wish
from tests.conftest import History, git
from tests.patch.conftest import FILES, commit


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    """A tree `net`, `net-next` two commits ahead, and a topic of four commits on that."""
    top = tmp_path / "trees"
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=net")
    commit(top, FILES, "begin")
    git(top, "checkout", "--quiet", "-b", "net-next")
    commit(top, {"drivers/net/dummy.c": "int dummy;\nint more;\n"}, "dummy: more")
    git(top, "checkout", "--quiet", "-b", "topic")
    one = "drivers/net/ethernet/acme/acme.c"
    commit(top, {one: "int acme;\nint b;\n"}, "acme: add b\n\nGrüße.\n\nSigned-off-by: J <j@x.org>")
    commit(top, {"lib/bin": "\0\1\2" * 50}, "lib: something binary")
    (top / "lib/link").symlink_to("a.c")
    commit(top, {}, "lib: a symbolic link")
    git(top, "mv", "lib/a.c", "lib/ä b.c")
    commit(top, {}, "lib: rename to an odd name")
    return top


PLAIN = Wish()


def write(top: Path, folder: Path, given: str, wish: Wish = PLAIN) -> Letters:
    repository = History(top, {}).repository
    first, dots, last = given.partition("..")
    since = repository.resolve(first) if dots else None
    return letters.write(
        repository,
        folder,
        (since, repository.resolve(last or first)),
        repository.resolve("net"),
        wish,
    )


def test_git_am_gives_the_same_tree_object(trees: Path, tmp_path: Path) -> None:
    made = write(trees, tmp_path / "out", "net-next..topic", Wish(title="acme: b", blurb="All."))
    git(trees, "checkout", "--quiet", "--detach", "net-next")
    patches = [str(path) for path in made.files if "0000-" not in path.name]
    git(trees, "am", "--quiet", *patches)
    assert git(trees, "rev-parse", "HEAD^{tree}") == git(trees, "rev-parse", "topic^{tree}")


def test_what_was_written_is_read_back(trees: Path, tmp_path: Path) -> None:
    made = write(trees, tmp_path / "out", "net-next..topic", Wish(version=2, title="acme: b"))
    assert [path.name[:8] for path in made.files] == [f"v2-000{n}-" for n in range(5)]
    found = series.read(b"".join(path.read_bytes() + b"\n" for path in made.files))
    assert (found.first.tree, found.first.version, found.total) == ("net-next", 2, 4)
    assert found.first.title == "acme: b"
    assert found.base == git(trees, "rev-parse", "net-next").strip() == made.base
    assert found.patches[0].mail.message.startswith("Grüße.")
    assert any("ada@example.org" in line for line in found.patches[0].mail.to)
    assert any("netdev@vger.kernel.org" in line for line in found.patches[0].mail.cc)


def test_the_cover_letter_has_shortlog_and_diffstat(trees: Path, tmp_path: Path) -> None:
    made = write(trees, tmp_path / "out", "net-next..topic")
    cover = made.files[0].read_text("utf-8")
    assert made.unfinished
    assert "lib: something binary" in cover
    assert "files changed" in cover


def test_a_title_wants_a_cover_letter_and_what_is_left_is_said(trees: Path, tmp_path: Path) -> None:
    made = write(trees, tmp_path / "out", "topic~3", Wish(title="acme: Zähler"))
    assert len(made.files) == 2
    assert made.unfinished == ("text",)
    cover = made.files[0].read_bytes().partition(b"\n\n")[0]
    assert cover.isascii()  # a header in RFC 2047
    found = series.read(b"".join(path.read_bytes() + b"\n" for path in made.files))
    assert found.title == "acme: Zähler"
    assert found.is_unfinished


def test_a_cover_letter_s_text_may_be_in_any_script(trees: Path, tmp_path: Path) -> None:
    made = write(
        trees, tmp_path / "out", "net-next..topic", Wish(title="acme: b", blurb="Grüße.\n")
    )
    assert made.unfinished == ()
    found = series.read(b"".join(path.read_bytes() + b"\n" for path in made.files))
    assert found.cover is not None
    assert found.cover.message.startswith("Grüße.")
    assert found.cover.remarks == ()
    assert not found.is_unfinished


def test_one_patch_has_no_cover_letter(trees: Path, tmp_path: Path) -> None:
    made = write(trees, tmp_path / "out", "topic~3", Wish(is_rfc=True, tree="net-next"))
    [only] = made.files
    assert "Subject: [RFC PATCH net-next] acme: add b" in only.read_text("utf-8")
    assert not made.unfinished


def test_nothing_is_overwritten(trees: Path, tmp_path: Path) -> None:
    write(trees, tmp_path / "out", "topic~3")
    before = sorted(path.name for path in (tmp_path / "out").iterdir())
    with pytest.raises(UsageError, match="exists"):
        write(trees, tmp_path / "out", "topic~3")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == before


def test_a_message_that_looks_like_a_diff_is_found_before_it_is_sent(
    trees: Path, tmp_path: Path
) -> None:
    git(trees, "checkout", "--quiet", "topic")
    text = "acme: c\n\n--- a/lib/q\n+++ b/lib/q\n@@ -1 +1 @@\n-a\n+b\n"
    commit(trees, {"drivers/net/dummy.c": "int other;\n"}, text)
    with pytest.raises(UsageError, match="can't carry"):
        write(trees, tmp_path / "out", "topic")
    assert not (tmp_path / "out").exists()


def test_a_title_that_says_fix_and_names_nothing_needs_a_tree(trees: Path, tmp_path: Path) -> None:
    git(trees, "checkout", "--quiet", "topic")
    commit(trees, {"drivers/net/dummy.c": "int other;\n"}, "dummy: fix a crash")
    with pytest.raises(UsageError, match="isn't clear"):
        write(trees, tmp_path / "out", "topic")
    assert write(trees, tmp_path / "out", "topic", Wish(tree="net")).tree == "net"

# SPDX-License-Identifier: GPL-2.0-or-later
"""A small tree with MAINTAINERS in all its moods."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import History, git

MAINTAINERS = """\
	List of maintainers

ACME ETHERNET DRIVER
M:	Ada Test <ada@example.org>
M:	"Bo T. Test" <bo@example.org>, Cy Test <cy@example.org>
R:	Dee Test <dee@example.org>
L:	acme@lists.example.org (moderated for non-subscribers)
L:	acme-inner@lists.example.org (subscribers-only)
S:	Supported
F:	drivers/net/ethernet/acme/
K:	acme_hw_

NETWORKING DRIVERS
M:	Eli Test <eli@example.org>
L:	netdev@vger.kernel.org
S:	Odd Fixes
T:	git git://git.kernel.org/pub/scm/linux/kernel/git/netdev/net.git
T:	git git://git.kernel.org/pub/scm/linux/kernel/git/netdev/net-next.git
F:	drivers/net/

A SUBSYSTEM WITH A NAME THAT IS MUCH LONGER THAN FIFTY CHARACTERS
M:	ada test <ada.other@example.org>
M:	Fay Test <fay@example.org>
S:	Maintained
F:	include/

THE REST
M:	Linus Torvalds <torvalds@linux-foundation.org>
L:	linux-kernel@vger.kernel.org
S:	Buried alive in reporters
F:	*
F:	*/
"""
FILES = {
    "MAINTAINERS": MAINTAINERS,
    ".mailmap": "Dee New-Test <dee.new@example.org> <dee@example.org>\n",
    "drivers/net/ethernet/acme/acme.c": "int acme;\n",
    "drivers/net/dummy.c": "int dummy;\n",
    "include/acme.h": "int acme_hw_x;\n",
    "Documentation/b.yaml": 'who:\n  - Gus M. Test <gus@example.org>\n  - "x@example.org"\n',
    "lib/a.c": "int a;\n",
}


def write(top: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        place = top / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def commit(top: Path, files: dict[str, str], message: str) -> str:
    write(top, files)
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "-m", message)
    return git(top, "rev-parse", "HEAD").strip()


def make_office(top: Path) -> History:
    """Make a tree whose lib/a.c nobody maintains, but three people worked on."""
    git(top, "init", "--quiet")
    signed = "\n\nSigned-off-by: {} <{}@example.org>\n"
    first = commit(top, FILES, "begin" + signed.format("Ada Test", "ada"))
    for number in range(3):
        who = "Hal Test" if number < 2 else "Ivy Test"
        text = "".join(f"int a{n};\n" for n in range(number + 2))
        commit(top, {"lib/a.c": text}, f"a{number}" + signed.format(who, who[:3].lower()))
    last = git(top, "rev-parse", "HEAD").strip()
    return History(top, {1: first, 2: last})


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> History:
    """The tree of `make_office`. Not to be changed by a test."""
    return make_office(tmp_path_factory.mktemp("office"))

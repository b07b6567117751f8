# SPDX-License-Identifier: GPL-2.0-or-later
"""What an installed kbisect brings with it, besides its code."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from kbisect.cli import manual

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of a wheel, made as `make dist` makes it, from a tree of links to this one."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "kbisect", "queries"):
        (tree / name).symlink_to(ROOT / name)
    pages = tree / "build" / "man" / "man1"
    pages.mkdir(parents=True)
    for name, text in manual.pages().items():
        (pages / name).write_text(text, "utf-8")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=tree,
        check=True,
        capture_output=True,
    )
    (made,) = (tree / "dist").iterdir()
    return set(ZipFile(made).namelist())


def test_the_wheel_has_a_man_page_for_each_command(wheel: set[str]) -> None:
    found = {Path(name).name for name in wheel if ".data/data/share/man/man1/" in name}
    assert found == set(manual.pages())


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("queries", "kbisect/queries"),
        ("kbisect/report/schema", "kbisect/report/schema"),
        ("kbisect/report/templates", "kbisect/report/templates"),
    ],
)
def test_the_wheel_has_what_the_code_reads(wheel: set[str], folder: str, inside: str) -> None:
    wanted = {f"{inside}/{each.name}" for each in (ROOT / folder).iterdir() if each.is_file()}
    assert wanted
    assert wanted <= wheel

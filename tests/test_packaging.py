# SPDX-License-Identifier: GPL-2.0-or-later
"""What an installed kbisect brings with it, besides its code."""

import ast
import subprocess
import sys
import tomllib
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


def test_what_calls_itself_pure_is_proved_so_by_the_linter() -> None:
    """`lint-imports` reads the list; git's room, which does I/O, has no part in it."""
    top = Path(__file__).parents[1]
    contracts = tomllib.loads((top / "pyproject.toml").read_text())["tool"]["importlinter"]
    [proved] = [
        c["source_modules"] for c in contracts["contracts"] if "pure modules do" in c["name"]
    ]
    claimed = []
    for path in sorted((top / "kbisect").rglob("*.py")):
        words = ast.get_docstring(ast.parse(path.read_text())) or ""
        if "Pure." in words and path.parent.name != "git":
            claimed.append(".".join(path.relative_to(top).with_suffix("").parts))
    assert len(claimed) > 20
    assert [m for m in claimed if m not in proved and m.rpartition(".")[0] not in proved] == []

# SPDX-License-Identifier: GPL-2.0-or-later
"""Help, examples, man pages, the reference, completion and schemas: of every command, and true."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from jsonschema import Draft202012Validator

from kbisect.cli import examples, main, manual
from kbisect.report import schemas
from tests.conftest import FIXTURES, History

ROOT = FIXTURES.parent
COMMANDS = {" ".join(entry.path): entry for entry in manual.entries() if entry.path}
LEAVES = {name: each for name, each in COMMANDS.items() if not hasattr(each.command, "commands")}
SHOWN = [line for lines in examples.EXAMPLES.values() for line in lines]


@pytest.fixture(scope="module", params=["text", "json"])
def playground(
    nettrees: History, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[str, Path]:
    """A copy for the examples, which go on from each other, and one for them with --json."""
    copy = tmp_path_factory.mktemp("examples") / "linux"
    shutil.copytree(nettrees.path, copy, symlinks=True)
    return request.param, copy


@pytest.fixture(scope="module")
def path_with_kbisect(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which `kbisect` and `git kbisect` are ours."""
    place = tmp_path_factory.mktemp("bin")
    for name in ("kbisect", "git-kbisect"):
        (place / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kbisect "$@"\n')
        (place / name).chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEAVES)
def test_each_command_says_what_it_does_and_shows_how(name: str) -> None:
    assert LEAVES[name].command.help
    assert examples.of(LEAVES[name].path), f"no example of {name} in cli/examples.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_says_what_it_does(name: str) -> None:
    for parameter in COMMANDS[name].command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, f"{name} {parameter.opts}"


def test_the_reference_is_that_of_the_commands() -> None:
    assert (ROOT / "REFERENCE.md").read_text("utf-8") == manual.reference(), "make reference"


def test_man_pages_are_clean(tmp_path: Path) -> None:
    pages = manual.pages()
    for name, text in pages.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert f"kbisect-{'-'.join(next(iter(LEAVES.values())).path)}.1" in pages
    checker = shutil.which("mandoc")
    if checker is None:
        pytest.fail("mandoc is not installed (Debian: apt install mandoc)")
    done = subprocess.run(
        [checker, "-Tlint", "-Wwarning", *sorted(set(pages) - {"git-kbisect.1"})],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    # The same sources make the same pages, so they bear no date.
    found = [line for line in done.stdout.splitlines() if "missing date" not in line]
    assert not found


# --- examples and schemas -------------------------------------------------------------------------


def run_here(
    line: str, where: Path, path: str, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Run one line: in this process if it needs no shell, which is ten times as fast."""
    words = shlex.split(line)
    if not set(words) & {"|", ">"} and words[0] == "kbisect":
        with pytest.raises(SystemExit) as left:
            main.main(words[1:])
        out, err = capfd.readouterr()
        return int(left.value.code or 0), out, err
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=where,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def strict(schema: Any) -> Any:
    """Forbid what a schema doesn't name: we publish what we print."""
    if isinstance(schema, dict):
        found = {key: strict(value) for key, value in schema.items()}
        if "properties" in found:
            found.setdefault("additionalProperties", False)
        return found
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


def as_json(line: str) -> str | None:
    """Return the line with --json; None where that would change what it does."""
    if "--json" in line or "kbisect completion" in line or "--list" in line:
        return line if "--json" in line else None
    head, arrow, script = line.partition(" > ")[0].partition(" -- ")
    head = re.sub(r" --format (csv|mail|mbox)", "", head)
    asked = "--format json" if " emit " in head else "--json"
    return f"{head} {asked}{arrow}{script}"


@pytest.mark.xdist_group("examples")  # they go on from each other
@pytest.mark.parametrize("line", SHOWN)
def test_an_example_runs_and_its_json_is_as_published(
    playground: tuple[str, Path],
    path_with_kbisect: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    line: str,
) -> None:
    form, where = playground
    monkeypatch.chdir(where)
    if form == "text" or as_json(line) is None:
        code, out, err = run_here(line, where, path_with_kbisect, capfd)
        assert code in (0, 1), err
        assert out or " > " in line
        return
    if " > " in line:  # a later example reads the file
        run_here(line, where, path_with_kbisect, capfd)
    code, out, err = run_here(as_json(line) or "", where, path_with_kbisect, capfd)
    assert code in (0, 1), err
    document = json.loads(out)
    if "$schema" in document:  # the answer of `kbisect schema` is one
        Draft202012Validator.check_schema(document)
        return
    schema = schemas.load(document["schema"].removeprefix("kbisect.").removesuffix("/1"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(strict(schema)).validate(document)


def test_each_command_with_json_has_a_schema() -> None:
    wanted = {
        name.replace(" ", "-")
        for name, entry in LEAVES.items()
        if any(each.name in ("as_json", "form") for each in entry.command.params)
    }
    assert wanted - {"api-where"} == set(schemas.names())  # `where` is another name of `explain`


# --- completion -----------------------------------------------------------------------------------

TABS = {
    "kbisect sh": "show",
    "kbisect show v3.12-": "v3.12-rc4",
    "kbisect graph v3.11..v3.12-": "v3.11..v3.12-rc4",
    "kbisect backport list linux-3": "linux-3.12.y",
    "kbisect query fixes-of": "fixes-of-fixes",
    "kbisect api show sk_b": "sk_buff",
    "kbisect bisect run --good v3.12-": "v3.12-rc4",
    "git kbisect show v3.12-": "v3.12-rc4",
}
_BASH = """
source /usr/share/bash-completion/completions/git; source <(kbisect completion bash)
COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMP_LINE='{line}'
COMP_POINT=${{#COMP_LINE}}; COMP_TYPE=9
if [[ $COMP_WORDS = git ]]; then __git_wrap__git_main; else _kbisect_completion kbisect; fi
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
_ZSH = """
autoload -Uz compinit; compinit -u -D; source <(kbisect completion zsh)
compadd() {{ print -l -- ${{(P)@[-1]}} }}
_describe() {{ local found; for found in ${{(P)3}}; do print -- ${{found%%:*}}; done }}
words=({line}); CURRENT=$#words
if [[ $words[1] = git ]]; then shift words; ((CURRENT--)); _git-kbisect
else _kbisect_completion; fi
"""
_FISH = "kbisect completion fish | source; complete -C '{line}'"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("line", TABS)
def test_a_tab(nettrees: History, path_with_kbisect: str, shell: str, line: str) -> None:
    if shutil.which(shell) is None:
        pytest.fail(f"{shell} is not installed (Debian: apt install {shell})")
    script = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}[shell].format(line=line)
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [shell, *flags, "-c", script],
        cwd=nettrees.path,
        env=os.environ | {"PATH": path_with_kbisect},
        capture_output=True,
        text=True,
        check=False,
    )
    offered = [word.strip().partition("\t")[0] for word in done.stdout.splitlines()]
    assert TABS[line] in offered, done.stderr
    assert "log" not in offered


def test_git_finds_the_man_page(nettrees: History, path_with_kbisect: str, tmp_path: Path) -> None:
    folder = tmp_path / "man" / "man1"
    folder.mkdir(parents=True)
    for name, text in manual.pages().items():
        (folder / name).write_text(text, "utf-8")
    done = subprocess.run(
        ["git", "kbisect", "--help"],
        cwd=nettrees.path,
        env=os.environ | {"PATH": path_with_kbisect, "MANPATH": str(tmp_path / "man")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Ask the history of Linux networking" in done.stdout, done.stderr

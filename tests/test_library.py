# SPDX-License-Identifier: GPL-2.0-or-later
"""`import kbisect`: the examples of the documentation run, and say what the commands say."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys

import pytest

import kbisect
from kbisect import library
from tests.conftest import History, Run

_EXAMPLES = [
    example
    for example in doctest.DocTestFinder().find(library, "kbisect.library")
    if example.examples
]


@pytest.mark.parametrize("example", _EXAMPLES, ids=lambda example: example.name)
def test_an_example_of_the_documentation(
    nettrees: History, monkeypatch: pytest.MonkeyPatch, example: doctest.DocTest
) -> None:
    monkeypatch.chdir(nettrees.path)
    example.globs["kbisect"] = kbisect
    said: list[str] = []
    failed, _ = doctest.DocTestRunner().run(example, out=said.append)
    assert not failed, "".join(said)


def test_every_public_function_has_an_example() -> None:
    documented = {example.name.rpartition(".")[2] for example in _EXAMPLES}
    public = {name for name in vars(library.History) if not name.startswith("_")}
    assert public - documented <= {"index", "show"}  # shown by `open_history`


def test_it_says_what_the_command_says(nettrees: History, kbisect: Run) -> None:
    listed = kbisect("-C", nettrees.path, "backport", "list", "linux-3.12.y", "--json")
    found = library.open_history(nettrees.path).backports("linux-3.12.y")
    oids = [one["oid"] for one in json.loads(listed.stdout)["candidates"]]
    assert [each.candidate.oid for each in found] == oids


def test_an_error_says_what_to_try() -> None:
    with pytest.raises(kbisect.KbisectError) as caught:
        kbisect.open("/nowhere")
    assert caught.value.hint


def test_the_import_is_light() -> None:
    code = (
        "import sys, kbisect; kbisect.__all__\n"
        "sys.exit(', '.join({'pandas', 'numpy', 'pygit2', 'click'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

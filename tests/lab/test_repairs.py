# SPDX-License-Identifier: GPL-2.0-or-later
"""What repairs a build is offered as a fix-up, and takes effect as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.repos import Repo, Run, document

BREAKER, REPAIR, CULPRIT, SIZE = 5, 22, 13, 26


@pytest.fixture
def repo(tmp_path: Path, kbisect: Run) -> Repo:
    """From the breaker on nothing builds until its repair; the culprit is between them."""
    path = tmp_path / "repo"
    (path / "net").mkdir(parents=True)
    repo = Repo(path, [])
    repo.git("init", "-q", "-b", "master")
    for i in range(SIZE):
        (path / "net" / f"f{i}.c").write_text(f"{i}\n")
        message = f"net: commit {i}"
        if i == BREAKER:
            (path / "net" / "broken.c").write_text("no semicolon\n")
        if i == REPAIR:
            (path / "net" / "broken.c").write_text("a semicolon;\n")
            message += f'\n\nFixes: {repo.oids[BREAKER][:12]} ("net: commit {BREAKER}")'
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", message)
        repo.oids.append(repo.git("rev-parse", "HEAD"))
    assert kbisect("-C", path, "index").returncode == 0
    return repo


RECIPE = """{fixup}
[test]
run = '''
! grep -sq 'no semi' net/broken.c || exit 125
[ ! -e net/f{culprit}.c ]
'''
"""


def test_it_is_offered_and_finds_the_culprit(kbisect: Run, repo: Repo, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.format(fixup="", culprit=CULPRIT))
    run = ("-C", repo.path, "run", "--good", repo.oids[0], "--recipe", recipe)
    done = kbisect(*run, "--json")
    found = document(done, 1)
    assert found["outcome"] == "range"
    offer = found["fixups"][0]
    assert (offer["oid"], offer["breaker"]) == (repo.oids[REPAIR], repo.oids[BREAKER])
    assert set(offer["lost"]) <= set(repo.oids[BREAKER:REPAIR])
    # Once while it ran, at the first commit that couldn't be tested.
    line = f'fixup = [{{ commit = "{repo.oids[REPAIR]}", since = "{repo.oids[BREAKER]}" }}]'
    assert done.stderr.count(line) == 1
    assert line in kbisect("-C", repo.path, "bisect", "report").stdout

    recipe.write_text(RECIPE.format(fixup=line, culprit=CULPRIT))
    again = document(kbisect(*run, "--json"))
    assert again["culprit"] == repo.oids[CULPRIT]
    assert again["fixups"] == []


def test_without_an_index_nothing_is_offered(kbisect: Run, repo: Repo, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.format(fixup="", culprit=CULPRIT))
    words = ("run", "--json", "--good", repo.oids[0], "--recipe", recipe)
    found = document(kbisect("-C", repo.path, "--store", tmp_path / "store", *words), 1)
    assert (found["outcome"], found["fixups"]) == ("range", [])

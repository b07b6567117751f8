# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare with what decides: get_maintainer.pl, `git apply --check`. By hand, on real trees.

python -m tests.patch.agreement maintainers REPOSITORY CHECKOUT [--script PATH] [--patches-of REPO]
python -m tests.patch.agreement apply REPOSITORY RELEASE...

CHECKOUT is REPOSITORY's HEAD without a .git, as `git archive` leaves it: there the script finds no
history to ask. Files and commits are drawn at random, by --seed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from kbisect.git.application import Applier
from kbisect.git.repository import Repository
from kbisect.patch import series
from kbisect.patch.addresses import Address
from kbisect.patch.maintainers import Answer, Desk

Ask = Callable[..., set[str]]
_SEEDS = 12
_LINE = re.compile(r"(?P<who>.*?)(?: \((?P<role>[^()]*(?:\(.*)?)\))?\Z")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["maintainers", "apply"])
    parser.add_argument("repository", type=Path)
    parser.add_argument("rest", nargs="+")
    parser.add_argument("--script", type=Path)
    parser.add_argument("--patches-of", type=Path)
    parser.add_argument("--keywords-in-file", action="store_true")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--since", metavar="REV", help="apply: draw from REV..HEAD")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as store:
        repository = Repository.open(asked.repository, store)
        if asked.what == "maintainers":
            maintainers(repository, Path(asked.rest[0]), asked)
        else:
            apply(repository, asked.rest, asked)


def maintainers(repository: Repository, checkout: Path, asked: argparse.Namespace) -> None:
    desk = Desk(repository, repository.resolve("HEAD"))
    chance = random.Random(asked.seed)
    script = asked.script or checkout / "scripts" / "get_maintainer.pl"
    files = sorted(
        str(path.relative_to(checkout))
        for path in checkout.rglob("*")
        if path.is_file() and not path.is_symlink() and ".git/" not in f"{path}/"
    )
    chosen = chance.sample(files, min(asked.files, len(files)))
    # Some names of files are patterns to `git ls-files`, which the script asks.
    pairs = (
        (
            path,
            partial(_said, script, checkout, "-f", path),
            desk.of_paths([path], history=False, keywords=asked.keywords_in_file),
        )
        for path in chosen
    )
    _compare(f"{len(chosen)} files", pairs)
    source = asked.patches_of or repository.gitdir
    oids = _git(source, "rev-list", "--no-merges", "HEAD").split()
    chosen = chance.sample(oids, min(asked.commits, len(oids)))
    _compare(f"{len(chosen)} commits", _of_commits(desk, source, script, checkout, chosen))


def _of_commits(
    desk: Desk, source: Path, script: Path, checkout: Path, oids: list[str]
) -> Iterator[tuple[str, Ask, Answer]]:
    with tempfile.NamedTemporaryFile(suffix=".patch") as file:
        for oid in oids:
            text = subprocess.run(
                ["git", "-C", str(source), "format-patch", "--stdout", "-1", oid],
                capture_output=True,
                check=False,
            ).stdout
            Path(file.name).write_bytes(text)
            said = partial(_said, script, checkout, file.name)
            mail = text.decode("utf-8", "replace")
            yield oid, said, desk.of_patch(mail, history=False, fixes=False)


def _said(script: Path, checkout: Path, *arguments: str, seed: int = 0) -> set[str]:
    """Run the script; what it makes of sections of one depth depends on the seed."""
    done = subprocess.run(
        ["perl", str(script), "--nogit", "--nogit-fallback", *arguments],
        cwd=checkout,
        capture_output=True,
        env=os.environ | {"PERL_HASH_SEED": str(seed), "HOME": "/nonexistent"},
        check=False,
    )
    return set(done.stdout.decode("utf-8", "replace").splitlines())


def _compare(what: str, pairs: Iterator[tuple[str, Ask, Answer]]) -> None:
    total = same = emails = roles = chance = 0
    for name, ask, answer in pairs:
        total += 1
        said = ask()
        theirs = _people(said)
        emails += {Address.read(each).email for each in theirs} == {
            Address.read(each.address).email for each in answer.recipients
        }
        ours = {recipient.address for recipient in answer.recipients}
        same += theirs == ours
        lines = {f"{each.address} ({','.join(each.roles)})" for each in answer.recipients}
        roles += lines == said
        if theirs != ours:
            missed, extra = sorted(theirs - ours), sorted(ours - theirs)
            by_chance = any(_people(ask(seed=seed)) == ours for seed in range(1, _SEEDS))
            chance += by_chance
            why = "   (so says the script too, by another hash seed)" if by_chance else ""
            print(f"  {name}: missed {missed}, extra {extra}{why}")
    print(
        f"{what}: {same} of {total} the same recipients ({100 * same / total:.2f} %),"
        f" {roles} ({100 * roles / total:.2f} %) with the same words on each;"
        f" {emails} ({100 * emails / total:.2f} %) the same bare addresses;"
        f" {chance} differences by chance",
        flush=True,
    )


def _people(said: set[str]) -> set[str]:
    found = (_LINE.fullmatch(line) for line in said)
    return {match["who"] for match in found if match}


def _git(repository: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True
    ).stdout


def apply(repository: Repository, releases: list[str], asked: argparse.Namespace) -> None:
    """Apply random commits to the releases in turn, and ask `git apply --check` in a worktree."""
    chance = random.Random(asked.seed)
    source = f"{asked.since}..HEAD" if asked.since else "HEAD"
    oids = _git(repository.gitdir, "rev-list", "--no-merges", "--min-parents=1", source).split()
    chosen = chance.sample(oids, min(asked.commits, len(oids)))
    applier = Applier(repository)
    total = same = clean = 0
    for turn, release in enumerate(releases):
        onto = repository.resolve(release)
        with tempfile.TemporaryDirectory() as checkout:
            archive = subprocess.Popen(
                ["git", "-C", str(repository.gitdir), "archive", onto], stdout=subprocess.PIPE
            )
            subprocess.run(["tar", "x", "-C", checkout], stdin=archive.stdout, check=True)
            archive.wait()
            for oid in chosen[turn :: len(releases)]:
                whole = series.of_commits(repository, oid)
                ours = applier.apply(repository.commit(onto).tree, whole.patches[0].mail.diff)
                theirs = subprocess.run(
                    ["git", "apply", "--check", "-"],
                    cwd=checkout,
                    input=whole.patches[0].mail.diff,
                    capture_output=True,
                    env=os.environ | {"GIT_CEILING_DIRECTORIES": str(Path(checkout).parent)},
                    check=False,
                )
                total += 1
                clean += theirs.returncode == 0
                if (ours.tree is not None) == (theirs.returncode == 0):
                    same += 1
                else:
                    print(f"  {oid[:12]} onto {release}: git says {theirs.stderr[:200]!r}")
    print(f"{same} of {total} as `git apply --check` says; {clean} of them apply")


if __name__ == "__main__":
    main()

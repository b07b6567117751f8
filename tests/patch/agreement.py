# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare with what decides: get_maintainer.pl, `git apply --check`. By hand, on real trees.

python -m tests.patch.agreement maintainers REPOSITORY CHECKOUT [--script PATH] [--newer PATH]
python -m tests.patch.agreement apply REPOSITORY RELEASE...
python -m tests.patch.agreement mail REPOSITORY

CHECKOUT is REPOSITORY's HEAD without a .git, as `git archive` leaves it: there the script finds no
history to ask. Files and commits are drawn at random, by --seed. A difference is of one of three
classes: by chance, where the script itself says what we say under another hash seed; the older
script's, where the one of --newer, on the same checkout, says what we say; and unexplained.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from kbisect.errors import UsageError
from kbisect.git.application import Applier
from kbisect.git.repository import Repository
from kbisect.patch import letters, loading
from kbisect.patch.addresses import Address
from kbisect.patch.letters import Wish
from kbisect.patch.maintainers import Answer, Desk

Ask = Callable[..., set[str]]
Script = tuple[str, ...]
_SEEDS = 16
_LINE = re.compile(r"(?P<who>.*?)(?: \((?P<role>[^()]*(?:\(.*)?)\))?\Z")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["maintainers", "apply", "mail"])
    parser.add_argument("repository", type=Path)
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--script", type=Path)
    parser.add_argument("--newer", type=Path, metavar="SCRIPT", help="a later get_maintainer.pl")
    parser.add_argument("--patches-of", type=Path)
    parser.add_argument("--keywords-in-file", action="store_true")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--since", metavar="REV", help="apply: draw from REV..HEAD")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.what != "mail" and not asked.rest:
        parser.error("name the checkout, or the releases to apply to")
    with tempfile.TemporaryDirectory() as store:
        repository = Repository.open(asked.repository, store)
        if asked.what == "maintainers":
            maintainers(repository, Path(asked.rest[0]), asked)
        elif asked.what == "apply":
            apply(repository, asked.rest, asked)
        else:
            mail(repository, asked)


def maintainers(repository: Repository, checkout: Path, asked: argparse.Namespace) -> None:
    desk = Desk(repository, repository.resolve("HEAD"))
    chance = random.Random(asked.seed)
    script = (str(asked.script or checkout / "scripts" / "get_maintainer.pl"),)
    # A kernel's script doesn't know other trees for what they are.
    newer = (str(asked.newer), "--no-tree") if asked.newer else ()
    files = sorted(
        str(path.relative_to(checkout))
        for path in checkout.rglob("*")
        if path.is_file() and not path.is_symlink() and ".git/" not in f"{path}/"
    )
    chosen = chance.sample(files, min(asked.files, len(files)))
    # Some names of files are patterns to `git ls-files`, which the script asks.
    pairs: Iterator[tuple[str, Ask, Answer]] = (
        (
            path,
            partial(_said, checkout, "-f", path),
            desk.of_paths([path], history=False, keywords=asked.keywords_in_file),
        )
        for path in chosen
    )
    _compare(f"{len(chosen)} files", script, newer, pairs)
    source = asked.patches_of or repository.gitdir
    oids = _git(source, "rev-list", "--no-merges", "HEAD").split()
    chosen = chance.sample(oids, min(asked.commits, len(oids)))
    pairs = _of_commits(desk, source, checkout, chosen)
    _compare(f"{len(chosen)} commits", script, newer, pairs)


def _of_commits(
    desk: Desk, source: Path, checkout: Path, oids: list[str]
) -> Iterator[tuple[str, Ask, Answer]]:
    with tempfile.NamedTemporaryFile(suffix=".patch") as file:
        for oid in oids:
            text = subprocess.run(
                ["git", "-C", str(source), "format-patch", "--stdout", "-1", oid],
                capture_output=True,
                check=False,
            ).stdout
            Path(file.name).write_bytes(text)
            said = partial(_said, checkout, file.name)
            read = text.decode("utf-8", "replace")
            yield oid, said, desk.of_patch(read, history=False, fixes=False)


def _said(checkout: Path, *arguments: str, script: Script, seed: int = 0) -> set[str]:
    """Run a script; what it makes of sections of one depth depends on the seed."""
    done = subprocess.run(
        ["perl", *script, "--nogit", "--nogit-fallback", *arguments],
        cwd=checkout,
        capture_output=True,
        env=os.environ | {"PERL_HASH_SEED": str(seed), "HOME": "/nonexistent"},
        check=False,
    )
    return set(done.stdout.decode("utf-8", "replace").splitlines())


def _compare(
    what: str, script: Script, newer: Script, pairs: Iterator[tuple[str, Ask, Answer]]
) -> None:
    counts: Counter[str] = Counter()
    total = 0
    for name, ask, answer in pairs:
        total += 1
        said = ask(script=script)
        ours = {recipient.address for recipient in answer.recipients}
        theirs = _people(said)
        counts["same bare addresses"] += _bare(theirs) == _bare(ours)
        lines = {f"{each.address} ({','.join(each.roles)})" for each in answer.recipients}
        counts["same words on each"] += lines == said
        if theirs == ours:
            counts["same recipients"] += 1
            continue
        why = _class(ask, ours, script, newer)
        counts[why] += 1
        print(f"  {name}: {why}: missed {sorted(theirs - ours)}, extra {sorted(ours - theirs)}")
    shares = (f"{count} {kind} ({100 * count / total:.2f} %)" for kind, count in counts.items())
    print(f"{what}: {', '.join(shares)}", flush=True)


def _class(ask: Ask, ours: set[str], script: Script, newer: Script) -> str:
    """Say of which class a difference is."""
    if any(_people(ask(script=script, seed=seed)) == ours for seed in range(1, _SEEDS)):
        return "by chance"
    if newer and any(_people(ask(script=newer, seed=seed)) == ours for seed in range(_SEEDS)):
        return "the older script's"
    return "unexplained"


def _bare(addresses: Iterable[str]) -> set[str]:
    return {Address.read(each).email.lower() for each in addresses}


def _people(said: set[str]) -> set[str]:
    found = (_LINE.fullmatch(line) for line in said)
    return {match["who"] for match in found if match}


def _git(repository: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(repository), *arguments],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=True,
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
                try:
                    whole = loading.of_commits(repository, oid)
                except UsageError as error:
                    print(f"  {oid[:12]}: left out: {error.message}")
                    continue
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


def mail(repository: Repository, asked: argparse.Namespace) -> None:
    """Write random commits as mails, put them on by `git am`, and compare the tree objects."""
    chance = random.Random(asked.seed)
    options = ("--no-merges", "--min-parents=1", "HEAD")
    oids = _git(repository.gitdir, "rev-list", *options).split()
    chosen = chance.sample(oids, min(asked.commits, len(oids)))
    same = 0
    for oid in chosen:
        base = repository.commit(oid).parents[0]
        with tempfile.TemporaryDirectory() as place:
            try:
                wish = Wish(tree="net")
                made = letters.write(repository, Path(place, "mails"), (None, oid), base, wish)
            except UsageError as error:
                print(f"  {oid[:12]}: refused: {error.message}")
                continue
            got = _taken(repository.gitdir, base, oid, Path(place), made.files)
        if got == repository.commit(oid).tree:
            same += 1
        else:
            print(f"  {oid[:12]}: git am says {got}")
    print(f"{same} of {len(chosen)} came back from `git am` as the same tree object")


def _taken(gitdir: Path, base: str, oid: str, place: Path, files: Sequence[Path]) -> str:
    """Put mails on a commit, in a worktree with the files alone that they touch."""
    own, work = place / "own.git", place / "work"
    work.mkdir()
    _git(place, "init", "-q", "--bare", str(own))
    (own / "objects" / "info" / "alternates").write_text(f"{gitdir.resolve()}/objects\n")
    who = ("-c", "user.name=Ada Test", "-c", "user.email=ada@example.org")
    here = (*who, f"--git-dir={own}", f"--work-tree={work}", "-c", "core.bare=false")
    _git(work, *here, "update-ref", "--no-deref", "HEAD", base)
    _git(work, *here, "read-tree", base)
    touched = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=a")
    names = _git(gitdir, *touched, base, oid)
    subprocess.run(
        ["git", *here, "checkout-index", "-q", "-z", "--stdin"],
        cwd=work,
        input=names.encode("utf-8", "surrogateescape"),
        check=True,
    )
    try:
        _git(work, *here, "am", "-q", *map(str, files))
    except subprocess.CalledProcessError as failed:
        return str(failed.stderr)[:200]
    return _git(work, *here, "rev-parse", "HEAD^{tree}").strip()


if __name__ == "__main__":
    main()

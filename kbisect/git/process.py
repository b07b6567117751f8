# SPDX-License-Identifier: GPL-2.0-or-later
"""Run `git`: one call, or one stream with a writer and a reader.

git is asked in its plumbing's words, with an environment in which neither the user's locale, nor
replace refs, nor hooks, nor a pager can change what is answered.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from kbisect.errors import EnvironmentProblem, RepositoryProblem

# Of git's own variables these are passed on: who one is, how to reach a remote, what is configured.
# The others (GIT_DIR, GIT_DEFAULT_HASH, GIT_ATTR_SOURCE, …), set by git for its hooks and aliases
# or by a user for one command, would point our calls elsewhere or change what they answer.
_PASSED_ON = re.compile(
    r"GIT_(ASKPASS|AUTHOR_\w+|CEILING_DIRECTORIES|COMMITTER_\w+|CONFIG_\w+|EXEC_PATH"
    r"|DISCOVERY_ACROSS_FILESYSTEM|HTTP_\w+|PROXY_\w+|SSH\w*|SSL_\w+|TEST_\w+|TRACE\w*)\Z"
)
# The user's taste in diffs must not change ours.
_CONFIG = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.quotePath=false"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "diff.external="),
    *("-c", "log.showSignature=false"),
    *("-c", "log.mailmap=false"),
    *("-c", "diff.renames=true"),
)

# What Linux allows everybody.
_PIPE = 1 << 20

_FAILURE = re.compile(r"(?:fatal|error): ")
_ABSENT = re.compile(
    r"(?:unable to (?:read|find|parse)|[Cc]ould not (?:fetch|read|parse)|bad|missing)[ \w]*?"
    r"(?: of [^\n]*)? \(?([0-9a-f]{40})\b"
)


class GitFailed(RepositoryProblem):
    """`git` answered with an error; `stderr` holds its words, `absent` the object it wanted."""

    def __init__(self, arguments: tuple[str, ...], code: int, stderr: str) -> None:
        self.code = code
        self.stderr = stderr.strip()
        lines = [line for line in self.stderr.splitlines() if _FAILURE.match(line)]
        first = lines[0] if lines else self.stderr.partition("\n")[0] or f"status {code}"
        absent = _ABSENT.search(self.stderr)
        self.absent = absent[1] if absent else None
        super().__init__(
            f"git {_name(arguments)} failed: {first}",
            hint="run `git fsck --connectivity-only` in the repository",
        )


def _name(arguments: tuple[str, ...]) -> str:
    """Return git's sub-command, behind its `-c key=value` pairs."""
    at = 0
    while arguments[at : at + 1] == ("-c",):
        at += 2
    return arguments[at]


def environment(extra: Mapping[str, str] | None = None, *, network: bool = False) -> dict[str, str]:
    """Return the environment every `git` of ours runs in; off the network unless told otherwise."""
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("GIT_") or _PASSED_ON.match(key)
    }
    env |= {
        "LC_ALL": "C",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_GRAFT_FILE": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        # A partial clone must say what is missing, not fetch it one object at a time.
        "GIT_NO_LAZY_FETCH": "1",
    }
    if not network:
        # Also for git before 2.44, which knows no GIT_NO_LAZY_FETCH.
        env["GIT_ALLOW_PROTOCOL"] = "none"
    return env | dict(extra or {})


def command(directory: Path, *arguments: str) -> list[str]:
    """Return the argument vector of one `git` call in `directory`."""
    return ["git", "-C", str(directory), *_CONFIG, *arguments]


def run(
    directory: Path,
    *arguments: str,
    stdin: bytes | None = None,
    codes: tuple[int, ...] = (0,),
    env: Mapping[str, str] | None = None,
    pass_fds: tuple[int, ...] = (),
    network: bool = False,
) -> subprocess.CompletedProcess[bytes]:
    """Run one git command to its end.

    Parameters
    ----------
    directory : Path
        A repository, its worktree or its git directory.
    stdin : bytes, optional
    codes : tuple of int
        Exit codes that are answers, not errors.
    pass_fds : tuple of int
        Descriptors that stay open in it: a lock that must hold until it ends.
    network : bool
        Let it talk to remotes (`fetching` alone does).

    Raises
    ------
    GitFailed
        On any other exit code.
    EnvironmentProblem
        `git` is not installed.
    """
    try:
        done = subprocess.run(
            command(directory, *arguments),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=environment(env, network=network),
            pass_fds=pass_fds,
            check=False,
        )
    except FileNotFoundError:
        raise _no_git() from None
    if done.returncode not in codes:
        raise GitFailed(arguments, done.returncode, done.stderr.decode("utf-8", "replace"))
    return done


def converse(
    directory: Path,
    *arguments: str,
    progress: Callable[[str], None] | None = None,
    pass_fds: tuple[int, ...] = (),
) -> None:
    """Run one git command that talks to a remote, and pass on what it says of its progress.

    Parameters
    ----------
    progress : callable, optional
        Called with each line of git's stderr, those that overwrite each other too.
    pass_fds : tuple of int
        Descriptors that stay open in it, as for `run`.

    Raises
    ------
    GitFailed
    """
    try:
        process = subprocess.Popen(
            command(directory, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(network=True),
            pass_fds=pass_fds,
            bufsize=0,
        )
    except FileNotFoundError:
        raise _no_git() from None
    assert process.stderr is not None
    said: list[str] = []
    rest = b""
    try:
        while chunk := process.stderr.read(4096):
            *lines, rest = re.split(rb"[\r\n]", rest + chunk)
            for line in lines:
                text = line.decode("utf-8", "replace")
                if progress and text:
                    progress(text)
                # The last hundred lines hold the reason of a failure.
                said = [*said[-99:], text]
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        process.stderr.close()
    if code:
        said.append(rest.decode("utf-8", "replace"))
        raise GitFailed(arguments, code, "\n".join(said))


@contextmanager
def stream(
    directory: Path, *arguments: str, stdin: Iterable[bytes] | None = None
) -> Iterator[IO[bytes]]:
    """Run one git command and give its standard output while it runs.

    `stdin` is written by a thread of its own, since git answers while it is still being asked.
    Leaving the block early ends the process; leaving it at the end of its output raises
    `GitFailed` if git failed.
    """
    try:
        process = subprocess.Popen(
            command(directory, *arguments),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            bufsize=_PIPE,
        )
    except FileNotFoundError:
        raise _no_git() from None
    assert process.stdout is not None
    assert process.stderr is not None
    # Through a wide pipe both wake each other seldom. Where it can't be had, a narrow one does.
    with suppress(OSError):
        fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _PIPE)
    errors: list[bytes] = []
    threads = [
        threading.Thread(target=lambda pipe: errors.append(pipe.read()), args=(process.stderr,))
    ]
    if stdin is not None:
        assert process.stdin is not None
        threads.append(threading.Thread(target=_feed, args=(process.stdin, stdin)))
    for thread in threads:
        thread.daemon = True
        thread.start()
    finished = False
    try:
        yield process.stdout
        finished = not process.stdout.read(1)
    finally:
        if not finished:
            process.kill()
        process.stdout.close()
        code = process.wait()
        for thread in threads:
            thread.join()
        process.stderr.close()
    if finished and code:
        raise GitFailed(arguments, code, b"".join(errors).decode("utf-8", "replace"))


def _feed(pipe: IO[bytes], chunks: Iterable[bytes]) -> None:
    try:
        for chunk in chunks:
            pipe.write(chunk)
        pipe.close()
    except BrokenPipeError:
        # git ended early; the reader sees its exit code.
        pass


def _no_git() -> EnvironmentProblem:
    return EnvironmentProblem(
        "the command `git` is not installed", hint="install git (Debian: apt install git)"
    )

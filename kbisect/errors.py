# SPDX-License-Identifier: GPL-2.0-or-later
"""The errors a person sees: what went wrong, why, and the next thing to try.

Every class carries its exit code, so that `kbisect`'s caller (a shell, `git bisect run`, a nightly
job) can tell them apart; anything that is not a `KbisectError` is a bug and exits 3.
"""

from __future__ import annotations

from typing import ClassVar


class KbisectError(Exception):
    """An expected failure.

    Parameters
    ----------
    message : str
        One line: what went wrong and why.
    hint : str
        One line: the next thing to try. Never empty.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str) -> None:
        if not hint:
            raise ValueError(f"an error without a hint: {message}")
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        # A worker's error travels; the classes below it don't all take the same arguments.
        return _rebuilt, (type(self), self.args, self.__dict__)


def _rebuilt(
    kind: type[KbisectError], arguments: tuple[object, ...], fields: dict[str, object]
) -> KbisectError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(fields)
    return error


class UsageError(KbisectError):
    """The request can't be carried out as it was made: a bad revision, range, option or file."""


class EnvironmentProblem(KbisectError):
    """The machine lacks something: QEMU, a compiler, disk space, a worker."""

    exit_code: ClassVar[int] = 4


class RepositoryProblem(KbisectError):
    """There is no usable repository here."""

    exit_code: ClassVar[int] = 128


class MachineLost(KbisectError):
    """The machine that tests was lost; says nothing about any commit."""

    exit_code: ClassVar[int] = 128

# SPDX-License-Identifier: GPL-2.0-or-later
"""The named questions in `queries/`: what each asks, and the values its parameters may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from kbisect.errors import UsageError
from kbisect.history import answers
from kbisect.history.answers import Answer
from kbisect.history.store import Index

_HEADER = re.compile(r"^--\s*(title|parameter|column|read):\s*(.+)$", re.MULTILINE)
_PARAMETER = re.compile(r"(\w+)(?: (\w+))?\s*=\s*([^|]*)(?:\|(.*))?")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named parameter (`$name` in the SQL).

    Attributes
    ----------
    name : str
    kind : `text`, `integer`, `path`, `release` or `branch`: how a value is checked
    default : empty where a value must be given; of a release also `oldest` or `newest`
    meaning : for people
    """

    name: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Query:
    """A question with a name: one SQL file."""

    name: str
    title: str
    read: str
    parameters: tuple[Parameter, ...]
    columns: tuple[tuple[str, str], ...]
    sql: str


def named() -> dict[str, Query]:
    """Return the queries that kbisect knows, by name."""
    return {path.stem: _read(path) for path in sorted(_directory().glob("*.sql"))}


def ask(index: Index, query: Query, parameters: Mapping[str, str]) -> Answer:
    """Run a named query.

    Raises
    ------
    UsageError
        A parameter that the query doesn't have, or a value that means nothing here.
    """
    return answers.run(index, query.sql, bind(index, query, parameters))


# --- parameters -----------------------------------------------------------------------------------


def bind(index: Index, query: Query, given: Mapping[str, str]) -> dict[str, object]:
    """Check the values given for a query's parameters, and fill in the others.

    A release, path or branch that the index doesn't know would give an empty table, which looks
    like an answer; so it is refused.

    Raises
    ------
    UsageError
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in given:
        if name not in known:
            raise UsageError(
                f"query {query.name} has no parameter {name}",
                hint=f"it has: {', '.join(known)}" if known else "it takes none",
            )
    bound: dict[str, object] = {}
    for parameter in query.parameters:
        value = given.get(parameter.name, parameter.default)
        if not value:
            raise UsageError(
                f"query {query.name} needs {parameter.name}: {parameter.meaning}",
                hint=f"kbisect query {query.name} -p {parameter.name}=…",
            )
        bound[parameter.name] = _value(index, parameter, value)
    if {"old", "new"} <= bound.keys():
        _in_order(index, str(bound["old"]), str(bound["new"]))
    return bound


def _value(index: Index, parameter: Parameter, value: str) -> object:
    if parameter.kind == "integer":
        if not re.fullmatch(r"[0-9]{1,9}", value):
            raise UsageError(
                f"{parameter.name}={value}: not a number",
                hint=f"-p {parameter.name}={parameter.default}",
            )
        return int(value)
    if parameter.kind == "release":
        return _release(index, parameter.name, value)
    if parameter.kind == "path":
        return _path(index, parameter.name, value)
    if parameter.kind == "branch" and value != "%":
        branches = [row[0] for row in index.rows("SELECT DISTINCT lineage FROM commits")]
        branches = sorted(name for name in branches if re.match(r"linux-[\d.]+y\Z", name))
        if value not in branches:
            raise UsageError(
                f"{parameter.name}={value}: no stable branch of that name is in the index",
                hint=f"it has: {', '.join(branches)}" if branches else "git fetch, kbisect index",
            )
    return value


def _release(index: Index, name: str, value: str) -> str:
    listed = [str(row[0]) for row in index.rows("SELECT name FROM releases ORDER BY position")]
    if not listed:
        raise UsageError("the index knows no release", hint="git fetch --tags, then kbisect index")
    if value in {"oldest", "newest"}:
        return listed[0] if value == "oldest" else listed[-1]
    if value not in listed:
        near = get_close_matches(value, listed)
        raise UsageError(
            f"{name}={value}: the index knows no such release",
            hint=f"did you mean {', '.join(near)}?" if near else "kbisect releases",
        )
    return value


def _path(index: Index, name: str, value: str) -> str:
    if value == "%":
        return value
    # What is not a pattern yet, but names a folder, means all below it.
    for pattern in (value, value.rstrip("/") + "/%"):
        found = "SELECT 1 FROM changes WHERE path LIKE $1 OR old_path LIKE $1 LIMIT 1"
        if index.rows(found, [pattern]):
            return pattern
    raise UsageError(
        f"{name}={value}: no commit in the index touches it",
        hint="paths are from the top, % stands for anything; the scope is set with `index --path`",
    )


def _in_order(index: Index, old: str, new: str) -> None:
    places = dict(index.rows("SELECT name, position FROM releases"))
    if places[old] >= places[new]:
        raise UsageError(
            f"{old} is not older than {new}", hint=f"-p old={new} -p new={old}, perhaps"
        )


# --- files ----------------------------------------------------------------------------------------


def _directory() -> Path:
    package = Path(__file__).resolve().parent.parent
    inside = package / "queries"
    return inside if inside.is_dir() else package.parent / "queries"


def _read(path: Path) -> Query:
    sql = path.read_text("utf-8")
    said: dict[str, list[str]] = {"title": [], "parameter": [], "column": [], "read": []}
    for key, value in _HEADER.findall(sql):
        said[key].append(value.strip())
    parameters = []
    for line in said["parameter"]:
        found = _PARAMETER.fullmatch(line)
        if not found:
            raise ValueError(f"{path.name}: not a parameter: {line}")
        name, kind, default, meaning = (part or "" for part in found.groups())
        parameters.append(Parameter(name, kind or "text", default.strip(), meaning.strip()))
    columns = [line.partition(" | ")[::2] for line in said["column"]]
    return Query(
        name=path.stem,
        title=" ".join(said["title"]),
        read=" ".join(said["read"]),
        parameters=tuple(parameters),
        columns=tuple((name.strip(), meaning.strip()) for name, meaning in columns),
        sql=sql,
    )

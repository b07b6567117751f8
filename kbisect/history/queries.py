# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions asked of the index: the named ones in `queries/`, and the user's own SQL, read-only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kbisect.errors import UsageError
from kbisect.history.store import Index

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_HEADER = re.compile(r"^--\s*(title|parameter|read):\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named parameter (`$name` in the SQL) with its default."""

    name: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Query:
    """A question with a name: one SQL file."""

    name: str
    title: str
    read: str
    parameters: tuple[Parameter, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns and rows, as they came."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def frame(self) -> pd.DataFrame:
        """Return the answer as a pandas frame."""
        import pandas as pd

        return pd.DataFrame.from_records(list(self.rows), columns=list(self.columns))


def named() -> dict[str, Query]:
    """Return the queries that kbisect knows, by name."""
    return {path.stem: _read(path) for path in sorted(_directory().glob("*.sql"))}


def ask(index: Index, query: Query, parameters: Mapping[str, str]) -> Answer:
    """Run a named query.

    Raises
    ------
    UsageError
        A parameter that the query doesn't have.
    """
    known = {parameter.name: parameter.default for parameter in query.parameters}
    for name in parameters:
        if name not in known:
            raise UsageError(
                f"query {query.name} has no parameter {name}",
                hint=f"it has: {', '.join(known)}" if known else "it takes none",
            )
    return run(index, query.sql, known | dict(parameters))


def run(index: Index, sql: str, parameters: Mapping[str, str] | None = None) -> Answer:
    """Run one SELECT on the tables; nothing else, and nothing outside them.

    Raises
    ------
    UsageError
        SQL that is wrong, or is no SELECT.
    """
    import duckdb

    with index.connect() as connection:
        _lock(connection, index)
        try:
            statements = connection.extract_statements(sql)
            _only_select(statements)
            cursor = connection.execute(statements[0], dict(parameters or {}))
            columns = tuple(str(column[0]) for column in cursor.description or ())
            return Answer(columns, tuple(cursor.fetchall()))
        except duckdb.Error as error:
            first = str(error).strip().splitlines()[0]
            raise UsageError(f"the query failed: {first}", hint="kbisect query --tables") from None


def _lock(connection: duckdb.DuckDBPyConnection, index: Index) -> None:
    place = str(index.directory).replace("'", "''")
    connection.execute(f"SET allowed_directories = ['{place}']")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _only_select(statements: Sequence[duckdb.Statement]) -> None:
    import duckdb

    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("only one SELECT statement is run here", hint="kbisect query --list")


def tables(index: Index) -> Answer:
    """List the tables and their columns."""
    return run(
        index,
        "SELECT table_name AS table, column_name AS column, data_type AS type"
        " FROM information_schema.columns ORDER BY table_name, ordinal_position",
    )


def _directory() -> Path:
    package = Path(__file__).resolve().parent.parent
    inside = package / "queries"
    return inside if inside.is_dir() else package.parent / "queries"


def _read(path: Path) -> Query:
    sql = path.read_text("utf-8")
    title = read = ""
    parameters = []
    for key, value in _HEADER.findall(sql):
        if key == "title":
            title = value.strip()
        elif key == "read":
            read = value.strip()
        else:
            name, _, rest = value.partition("=")
            default, _, meaning = rest.partition("|")
            parameters.append(Parameter(name.strip(), default.strip(), meaning.strip()))
    return Query(path.stem, title, read, tuple(parameters), sql)

# SPDX-License-Identifier: GPL-2.0-or-later
"""SQL on the tables of the index, read-only for real: one SELECT, and nothing but the tables."""

from __future__ import annotations

import re
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from kbisect.errors import UsageError
from kbisect.history import store
from kbisect.history.store import Index

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

# Views beside the tables, in the words that the queries share.
_VIEWS = (
    # The releases of mainline: `cycle` is the final one they lead to, `candidate` the number of
    # the -rc (NULL for the final release, which may never come), `ordinal` counts cycles.
    """
    CREATE VIEW cycles AS
    SELECT *, dense_rank() OVER (ORDER BY start) AS ordinal FROM (
        SELECT name AS release, position,
               regexp_replace(name, '-(rc|pre)[0-9]+$', '') AS cycle,
               CAST(nullif(regexp_extract(name, '-(?:rc|pre)([0-9]+)$', 1), '') AS INTEGER)
                   AS candidate,
               min(position) OVER (PARTITION BY regexp_replace(name, '-(rc|pre)[0-9]+$', ''))
                   AS start,
               time
        FROM releases WHERE mainline)
    """,
    # The commits that are in mainline or on their way there: not those of a stable branch, which
    # repeat what mainline has.
    """
    CREATE VIEW upstream AS
    SELECT c.* FROM commits c LEFT JOIN releases r ON r.name = c.release
    WHERE coalesce(r.mainline, true) AND NOT regexp_matches(c.lineage, '^linux-[0-9.]+y')
    """,
    # A fix and its culprit, both upstream, each pair once; a trailer beats prose.
    """
    CREATE VIEW fixes AS
    SELECT l.oid AS fix, l.target AS culprit,
           arg_min(CASE WHEN l.kind = 'blames' THEN 'blames' ELSE l.how END, l.kind = 'blames')
               AS how
    FROM links l JOIN upstream f ON f.oid = l.oid JOIN upstream c ON c.oid = l.target
    WHERE l.kind IN ('fixes', 'blames')
    GROUP BY l.oid, l.target
    """,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns and rows, as they came."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def frame(self) -> pd.DataFrame:
        """Return the answer as a pandas frame."""
        import pandas as pd

        return pd.DataFrame.from_records(list(self.rows), columns=list(self.columns))


def run(index: Index, sql: str, parameters: Mapping[str, object] | None = None) -> Answer:
    """Run one SELECT on the tables; nothing else, and nothing outside them.

    Raises
    ------
    UsageError
        SQL that is wrong, or is no SELECT.
    """
    with _asked(index, sql, parameters or {}) as relation:
        columns = tuple(relation.columns)
        # DuckDB wants another library before it makes Python's times with a zone; Arrow doesn't.
        if any("WITH TIME ZONE" in str(kind) for kind in relation.types):
            listed = [column.to_pylist() for column in relation.to_arrow_table().columns]
            rows = list(zip(*listed, strict=True))
        else:
            rows = relation.fetchall()
        if any(_ODD.search(str(kind)) for kind in relation.types):
            rows = [tuple(_simple(value) for value in row) for row in rows]
        return Answer(columns, tuple(rows))


def arrow(index: Index, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
    """Run one SELECT as `run` does, and keep the columns' types.

    Raises
    ------
    UsageError
        SQL that is wrong, or is no SELECT.
    """
    with _asked(index, sql, parameters or {}) as relation:
        return relation.to_arrow_table()


# Types whose Python values neither JSON nor a person can read.
_ODD = re.compile(r"DECIMAL|BLOB|BIT|INTERVAL|UUID|TIME\b|MAP|STRUCT|\[")


def _simple(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, timedelta | UUID | time):
        return str(value)
    if isinstance(value, list | tuple):
        return [_simple(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _simple(item) for key, item in value.items()}
    return value


@contextmanager
def _asked(
    index: Index, sql: str, parameters: Mapping[str, object]
) -> Iterator[duckdb.DuckDBPyRelation]:
    """Ask, and give the answer before it is worked out."""
    import duckdb

    with index.connect() as connection:
        for view in _VIEWS:
            connection.execute(view)
        _lock(connection, index)
        try:
            _only_select(connection.extract_statements(sql))
            with _interruptible(connection):
                yield connection.sql(sql, params=dict(parameters))
        except (duckdb.Error, RuntimeError) as error:
            if "interrupt" in str(error).lower():
                raise KeyboardInterrupt from None
            if not isinstance(error, duckdb.Error):
                raise
            store.check(index)
            first = str(error).strip().splitlines()[0]
            raise UsageError(f"the query failed: {first}", hint="kbisect query --tables") from None


@contextmanager
def _interruptible(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let Ctrl-C end a query; DuckDB works in C and never gives Python's own handler a chance."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    reader.setblocking(True)
    # Python's handler at the level of C writes the signal's number here at once.
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    is_over = threading.Event()

    def watch() -> None:
        while said := reader.recv(1):
            # Again and again: one that comes just before DuckDB begins is lost on it.
            while said[0] == signal.SIGINT and not is_over.wait(0.05):
                connection.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        signal.set_wakeup_fd(before)
        writer.close()
        watcher.join()
        reader.close()


def _lock(connection: duckdb.DuckDBPyConnection, index: Index) -> None:
    place = str(index.directory).replace("'", "''")
    connection.execute(f"SET allowed_directories = ['{place}']")
    # A large answer would be spilled into the current directory.
    connection.execute("SET temp_directory = ''")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _only_select(statements: Sequence[duckdb.Statement]) -> None:
    import duckdb

    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("only one SELECT statement is run here", hint="kbisect query --list")


TABLES = (
    "SELECT table_name AS table, column_name AS column, data_type AS type"
    " FROM information_schema.columns ORDER BY table_name, ordinal_position"
)
"""Lists the tables and views, and their columns."""

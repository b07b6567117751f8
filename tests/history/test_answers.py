# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's own SQL: what is refused, what is answered, and how it ends."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kbisect.errors import UsageError
from kbisect.history import answers, store
from kbisect.history.store import Index
from tests.conftest import History

local_frame = [1, 2, 3]  # named in a query below

REFUSED = [
    "COPY commits TO '{out}/x.csv'",
    "COPY (SELECT 1) TO '{out}/x.parquet' (FORMAT parquet)",
    "ATTACH '{out}/x.db'",
    "ATTACH ':memory:' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "EXPORT DATABASE '{out}/all'",
    "IMPORT DATABASE '{out}/all'",
    "CALL pragma_version()",
    "PRAGMA database_list",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "CREATE TABLE t AS SELECT 1",
    "CREATE SECRET s (TYPE http)",
    "INSERT INTO releases VALUES (1)",
    "DELETE FROM links",
    "DROP VIEW commits",
    "USE memory",
    "CHECKPOINT",
    "BEGIN TRANSACTION",
    "PREPARE p AS SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY commits TO '{out}/x.csv'",
    "",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_csv_auto('{secret}')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM read_parquet('{secret}')",
    "SELECT * FROM parquet_metadata('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM glob('{out}/*')",
    "SELECT * FROM glob('*')",
    "SELECT * FROM read_text('{index}/../../../config')",
    "SELECT * FROM read_text('http://localhost:1/x')",
    "SELECT * FROM local_frame",
    "SELECT * FROM query('COPY commits TO ''{out}/x.csv''')",
    "SELECT getenv('HOME')",
    "SELECT * FROM enable_logging(storage = 'file', storage_path = '{out}/log')",
    "SELECT nothing FROM commits",
    "SELECT $missing",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_nothing_but_a_select_on_the_tables_is_run(
    nettrees_index: Index, tmp_path: Path, sql: str
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\nsecret,2\n")
    place = nettrees_index.directory
    before = {path: path.stat().st_mtime_ns for path in place.iterdir()}
    with pytest.raises(UsageError) as caught:
        answers.run(nettrees_index, sql.format(out=tmp_path, secret=secret, index=place))
    assert "secret,2" not in caught.value.message
    assert "\n" not in caught.value.message
    assert list(tmp_path.iterdir()) == [secret]
    assert {path: path.stat().st_mtime_ns for path in place.iterdir()} == before


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("WITH a AS (SELECT 1 AS x) SELECT x FROM a", [(1,)]),
        ("FROM (VALUES (1), (2)) t(x) SELECT sum(x)", [(3,)]),
        ("SELECT count(*) FROM query('SELECT 1')", [(1,)]),
        (
            "SELECT to_timestamp(0), make_timestamp(0)",
            [(datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1))],
        ),
    ],
)
def test_what_a_select_can_do(
    nettrees_index: Index, sql: str, rows: list[tuple[object, ...]]
) -> None:
    assert list(answers.run(nettrees_index, sql).rows) == rows


def test_a_parameter_in_the_users_own_sql(nettrees_index: Index) -> None:
    sql = "SELECT count(*) FROM releases WHERE name LIKE $which"
    assert answers.run(nettrees_index, sql, {"which": "v3.12-%"}).rows == ((4,),)


def test_a_query_that_runs_for_ever_can_be_interrupted(nettrees: History) -> None:
    sql = "SELECT count(*) FROM range(100000000000) a, range(100000) b WHERE hash(a, b) % 7 = 3"
    command = [sys.executable, "-m", "kbisect", "-C", str(nettrees.path), "query", "--sql", sql]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        time.sleep(1.5)
        assert running.poll() is None
        begun = time.monotonic()
        running.send_signal(signal.SIGINT)
        try:
            out, err = running.communicate(timeout=20)
        finally:
            running.kill()
    assert time.monotonic() - begun < 5
    assert (running.returncode, out) == (130, "")
    assert "interrupted" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("name", ["rows.0001.parquet", "places.parquet"])
@pytest.mark.parametrize("where", ["head", "tail", "gone"])
def test_a_damaged_table_is_called_that(
    nettrees_index: Index, tmp_path: Path, name: str, where: str
) -> None:
    place = tmp_path / "index"
    shutil.copytree(nettrees_index.directory, place)
    broken = place / name
    content = bytearray(broken.read_bytes())
    at = 0 if where == "head" else len(content) - 64
    content[at : at + 64] = bytes(64)
    broken.write_bytes(content)
    if where == "gone":
        broken.unlink()
    with pytest.raises(store.IndexDamaged, match="is damaged") as caught:
        answers.run(store.Index(place, nettrees_index.meta), "SELECT * FROM commits")
    assert "kbisect index --full" in caught.value.hint

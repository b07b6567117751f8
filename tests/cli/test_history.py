# SPDX-License-Identifier: GPL-2.0-or-later
"""query and graph as a user runs them: formats that are read back, drawings that are XML."""

from __future__ import annotations

import csv
import html
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from kbisect.history import answers, queries
from kbisect.history.store import Index
from kbisect.report import history as report
from kbisect.report.terminal import Style
from tests.conftest import History, Run, git

ODD = (
    "SELECT oid, number, release, commit_time / 3 AS third, number > 5 AS late, parents,"
    " CASE WHEN number > 200 THEN 'a \"b\", c' || chr(10) || 'd' END AS text"
    " FROM commits ORDER BY number"
)


def output(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def raw(path: Path, *arguments: str) -> bytes:
    command = [sys.executable, "-m", "kbisect", "-C", str(path), "query", *arguments]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.fixture
def frame(nettrees_index: Index) -> pd.DataFrame:
    return answers.run(nettrees_index, ODD).frame()


def test_csv_is_read_back(nettrees: History, kbisect: Run, frame: pd.DataFrame) -> None:
    text = output(kbisect("-C", nettrees.path, "query", "--sql", ODD, "--format", "csv"))
    found = pd.read_csv(io.StringIO(text))
    assert list(found.columns) == list(frame.columns)
    assert len(found) == len(frame)
    for column in ("oid", "number", "late", "text"):
        assert found[column].fillna("").tolist() == frame[column].fillna("").tolist()
    assert found["third"].tolist() == pytest.approx(frame["third"].tolist())
    assert len(list(csv.reader(io.StringIO(text)))) == len(frame) + 1


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_is_read_back(nettrees: History, kbisect: Run, frame: pd.DataFrame, form: str) -> None:
    text = output(kbisect("-C", nettrees.path, "query", "--sql", ODD, "--format", form))
    rows = [json.loads(line) for line in text.splitlines()] if form == "jsonl" else json.loads(text)
    assert rows == frame.astype(object).where(frame.notna(), None).to_dict("records")


def test_parquet_is_read_back_with_its_types(nettrees: History, frame: pd.DataFrame) -> None:
    table = pq.read_table(io.BytesIO(raw(nettrees.path, "--sql", ODD, "--format", "parquet")))
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds["number"] == "int32"
    assert kinds["late"] == "bool"
    assert kinds["third"] == "double"
    assert kinds["parents"].startswith("list<")
    ours = [tuple(row.values()) for row in table.to_pylist()]
    assert ours == [
        tuple(None if value is pd.NA or value != value else value for value in row)
        for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False)
    ]


def test_an_empty_answer_in_every_format(nettrees: History, kbisect: Run) -> None:
    sql = "SELECT oid, number FROM commits WHERE false"
    query = ("-C", nettrees.path, "query", "--sql", sql)
    assert output(kbisect(*query, "--format", "csv")) == "oid,number\n"
    assert json.loads(output(kbisect(*query, "--format", "json"))) == []
    assert output(kbisect(*query, "--format", "jsonl")) == ""
    found = json.loads(output(kbisect(*query, "--json")))
    assert (found["columns"], found["rows"]) == (["oid", "number"], [])
    table = pq.read_table(io.BytesIO(raw(nettrees.path, "--sql", sql, "--format", "parquet")))
    assert (table.column_names, table.num_rows) == (["oid", "number"], 0)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1.50::DECIMAL(9, 2)", 1.5),
        ("sum(number)::HUGEINT > 0", True),
        ("'nan'::DOUBLE", None),
        ("'ab'::BLOB", "6162"),
        ("INTERVAL 2 DAY", "2 days, 0:00:00"),
        ("DATE '2011-10-06'", "2011-10-06"),
        ("to_timestamp(0)", "1970-01-01T00:00:00Z"),
        ("'00000000-0000-0000-0000-000000000001'::UUID", "00000000-0000-0000-0000-000000000001"),
        ("MAP {'a': 1}", {"a": 1}),
        ("{'x': [1.5::DECIMAL(3, 1)]}", {"x": [1.5]}),
    ],
)
def test_every_type_has_a_place_in_json(
    nettrees: History, kbisect: Run, expression: str, value: object
) -> None:
    sql = f"SELECT {expression} AS x FROM commits GROUP BY ALL LIMIT 1"
    query = ("-C", nettrees.path, "query", "--sql", sql)
    assert json.loads(output(kbisect(*query, "--json")))["rows"] == [[value]]
    assert json.loads(output(kbisect(*query, "--format", "json"))) == [{"x": value}]
    assert output(kbisect(*query)).lstrip().startswith("x")


def test_a_named_query_to_json_and_its_talk(nettrees: History, kbisect: Run) -> None:
    done = kbisect("-C", nettrees.path, "query", "merge-windows", "-p", "since=v3.13", "--json")
    found = json.loads(output(done))
    assert found["schema"] == "kbisect.query/1"
    assert [row[0] for row in found["rows"]] == ["v3.13", "v3.14"]
    assert done.stderr == ""
    done = kbisect("-C", nettrees.path, "query", "merge-windows")
    assert "should be fixes" in done.stderr
    assert "should be fixes" not in done.stdout


def test_the_queries_are_listed(kbisect: Run, tmp_path: Path) -> None:
    listed = output(kbisect("-C", tmp_path, "query", "--list"))
    for query in queries.named().values():
        assert query.name in listed
        assert query.title in listed
        told = output(kbisect("-C", tmp_path, "query", "--list", query.name))
        assert query.read in told
        assert all(column in told for column, _ in query.columns)


def test_a_name_that_is_nearly_right(nettrees: History, kbisect: Run) -> None:
    done = kbisect("-C", nettrees.path, "query", "merge-window")
    assert done.returncode == 2
    assert "did you mean merge-windows" in done.stderr


# --- graph ----------------------------------------------------------------------------------------


def graph(kbisect: Run, path: Path, *arguments: str) -> str:
    return output(kbisect("-C", path, "graph", *arguments))


def test_a_drawing_of_a_range(nettrees: History, kbisect: Run) -> None:
    drawn = graph(kbisect, nettrees.path, "v3.12..v3.13", "--format", "svg")
    found: dict[str, Any] = json.loads(graph(kbisect, nettrees.path, "v3.12..v3.13", "--json"))
    assert drawn.startswith("<svg")
    assert all(node["oid"][:12] in drawn for node in found["nodes"])
    merge = next(node["oid"] for node in found["nodes"] if node["merge"])
    subject = git(nettrees.path, "log", "-1", "--format=%s", merge).strip()
    assert html.escape(subject) in drawn


def test_a_range_without_a_commit_is_said_to_hold_none(nettrees: History, kbisect: Run) -> None:
    done = kbisect("-C", nettrees.path, "graph", "v3.13..v3.12", "--json")
    assert json.loads(done.stdout)["nodes"] == []
    assert "v3.13..v3.12: holds no commit in scope" in done.stderr


def test_ids_are_short_for_a_terminal_and_whole_for_all_else(nettrees_index: Index) -> None:
    found = answers.run(nettrees_index, "SELECT oid, subject FROM commits LIMIT 1")
    oid = found.rows[0][0]
    for form in ("csv", "json", "jsonl", "table"):
        assert oid in report.answer(found, form, Style(color=False))
    seen = report.answer(found, "table", Style(color=False, columns=100))
    assert oid[:12] in seen
    assert oid not in seen

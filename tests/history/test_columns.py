# SPDX-License-Identifier: GPL-2.0-or-later
"""Columns made by hand are those that Arrow makes itself, and need no pandas for it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.history import columns
from tests.conftest import History

WORDS = st.text(st.characters(codec="utf-8"))


@settings(deadline=None)
@given(st.lists(st.none() | WORDS))
def test_text_is_arrows(values: list[str | None]) -> None:
    found = columns.text(values)
    found.validate(full=True)
    assert found.equals(pa.array(values, pa.string()))


@settings(deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_numbers_are_arrows(values: list[int]) -> None:
    assert columns.int32(values).equals(pa.array(values, pa.int32()))
    assert columns.int64(np.array(values)).equals(pa.array(values, pa.int64()))
    truths = [value > 0 for value in values]
    assert columns.boolean(truths).equals(pa.array(truths, pa.bool_()))


def test_an_index_is_written_without_pandas(small: History) -> None:
    code = (
        "import sys\n"
        "from kbisect.git.repository import Repository\n"
        "from kbisect.history.index import update\n"
        f"outcome = update(Repository.open({str(small.path)!r}))\n"
        "sys.exit('pandas' in sys.modules or outcome.new != 12)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

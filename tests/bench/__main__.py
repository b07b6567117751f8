# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench`: all parts, or those named: `python -m tests.bench history search`."""

import importlib
import sys

from tests.bench.measure import repository

# Each is a module with a function `run(repository)`.
PARTS = ("history", "api", "search", "desk", "backport")

for part in sys.argv[1:] or PARTS:
    importlib.import_module(f"tests.bench.{part}").run(repository())

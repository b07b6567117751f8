# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench`."""

from tests.bench import history
from tests.bench.measure import repository

history.run(repository())

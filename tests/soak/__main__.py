# SPDX-License-Identifier: GPL-2.0-or-later
"""`make soak`: all parts, or those named: `python -m tests.soak [--seed N] history`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

import tests.soak


def main() -> int:
    """Run the parts one after the other; 1 if any failed."""
    parts = sorted(
        each.name for each in pkgutil.iter_modules(tests.soak.__path__) if each.name[0] != "_"
    )
    asked = argparse.ArgumentParser(prog="python -m tests.soak", description=tests.soak.__doc__)
    asked.add_argument("part", nargs="*", help=f"of {', '.join(parts)}")
    asked.add_argument("--seed", type=int, default=int(time.time()), help="to see a failure again")
    given = asked.parse_args()
    unknown = set(given.part) - set(parts)
    if unknown:
        asked.error(f"no part is named {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    failed = []
    for name in given.part or parts:
        print(f"soak {name}, seed {given.seed}", flush=True)
        begun = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix="kbisect-soak-") as work:
                importlib.import_module(f"tests.soak.{name}").run(
                    random.Random(given.seed), Path(work)
                )
        except Exception:
            traceback.print_exc()
            failed.append(name)
        print(f"soak {name}: {time.monotonic() - begun:.0f} s", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}; again: --seed {given.seed}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())

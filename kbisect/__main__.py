# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m kbisect`."""

from kbisect.cli.main import main

main()

# SPDX-License-Identifier: GPL-2.0-or-later
"""Measurements against a named peer in the same run: `make bench`. Not tests: nothing is asserted.

KBISECT_NET_REPO names a clone of a kernel tree; nothing is written into it.
"""

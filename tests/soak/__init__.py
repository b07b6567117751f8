# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as some tests, but many times over and at random: `make soak`.

A part is a module here with a function `run(draw, work)`; it raises when something is wrong.
"""

# SPDX-License-Identifier: GPL-2.0-or-later
"""One page of HTML that needs nothing but itself.

What comes from a repository (subjects, paths, console output) is text that somebody else wrote. It
is escaped wherever it stands, and the page's policy lets the browser run and load nothing but the
style and the script that are written here, which it knows by their hashes.

A page is a template that extends `base.html`; `parts.html` has what pages share. Neither `style=`
nor `onclick=` works in them: the policy forbids both.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from kbisect.report.terminal import printable

if TYPE_CHECKING:
    from jinja2 import Environment


def page(template: str, **content: object) -> str:
    """Render a page.

    Parameters
    ----------
    template : str
        Its name in `templates/`.
    content : what the template names
        All text is escaped, but what is `markupsafe.Markup`.
    """
    return environment().get_template(template).render(content)


def day(seconds: float | None) -> str:
    """Return Unix seconds as a date, UTC."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def minute(seconds: float | None) -> str:
    """Return Unix seconds to the minute, UTC."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")


def number(value: float | None, digits: int = 0) -> str:
    """Return a number with commas, for people; nothing for None."""
    return "" if value is None else f"{value:,.{digits}f}"


@cache
def environment() -> Environment:
    """Return what renders the templates."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("kbisect.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_safe,
    )
    environment.filters |= {"day": day, "minute": minute, "number": number, "command": shlex.join}
    style, script = (
        environment.loader.get_source(environment, name)[0]  # type: ignore[union-attr]
        for name in ("page.css", "page.js")
    )
    environment.globals |= {
        # The sources of this package, not of a repository.
        "style": Markup(style),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "policy": _policy(style, script),
        "version": _version(),
    }
    return environment


def _safe(value: object) -> object:
    """Make every value that a template prints fit to be looked at."""
    if value is None:
        return ""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return printable(value)
    return value


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _version() -> str:
    try:
        return version("kbisect")
    except PackageNotFoundError:
        return "(not installed)"

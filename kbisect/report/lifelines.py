# SPDX-License-Identifier: GPL-2.0-or-later
"""The lives of a struct's fields as bars over the releases: a picture for the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from markupsafe import Markup

from kbisect.api.declarations import What
from kbisect.api.lives import Life, Lives
from kbisect.report.api_answers import type_of
from kbisect.report.charts import element, line, picture, rect, text

LEGEND = (
    ("a", "there to this day"),
    ("d", "renamed, or callers were moved to something else"),
    ("b", "removed; a difference says what callers use now"),
    ("f", "its type or condition changes"),
)
_ROW, _BAR = 17, 11
_LETTER = 7.3  # of the monospaced names
_STEP = 26
_HEAD, _FOOT = 82, 10
_LONGEST = 46


def bars(lives: Lives) -> Markup:
    """Draw one row a name: where its bar begins it came, where it ends it went."""
    rows = list(_rows(lives.lives))
    labels = [_shown(name) for name, _ in rows]
    left = 14 + _LETTER * min(_LONGEST, max(map(len, labels), default=0))
    width = left + _STEP * len(lives.releases) + 20
    height = _HEAD + _ROW * len(rows) + _FOOT
    shapes = list(_axis(lives.releases, left, height))
    changed: dict[str, list[tuple[int, str]]] = {}
    for event in lives.events:
        if event.kind.endswith(("-retyped", "-signature", "-changed")) and event.release:
            words = f"{event.release}: {event.kind} {(event.commit or '')[:12]}"
            at = _column(event.release, lives.releases)
            changed.setdefault(event.new_name or event.name, []).append((at, words))
    for place, (name, listed) in enumerate(rows):
        top = _HEAD + _ROW * place
        if place % 2:
            shapes.append(rect(0, top, width, _ROW, "ground"))
        shapes.append(text(6, top + 13, labels[place][:_LONGEST], "mono"))
        for life in listed:
            begin, end = _span(life, lives.releases)
            tone = "a" if life.until is None else "d" if life.became else "b"
            shapes.append(
                rect(
                    left + _STEP * begin,
                    top + (_ROW - _BAR) / 2,
                    max(_STEP * (end - begin), 3),
                    _BAR,
                    tone,
                    _hint(life),
                )
            )
            if life.became:
                label = f"→ {life.became.removeprefix(lives.name + '.')}"
                if len(label) * 6.2 < width - left - _STEP * end - 8:
                    shapes.append(text(left + _STEP * end + 4, top + 13, label, "dim"))
        for at, words in changed.get(name, ()):
            hint = element("title", words)
            shapes.append(
                element(
                    "circle", hint, class_="f", cx=left + _STEP * at, cy=top + _ROW / 2, r=3.5
                )
            )  # fmt: skip
    what = f"the lives of {len(rows)} names of {lives.name} over {len(lives.releases)} releases"
    return picture(width, height, what, shapes)


def _rows(lives: Iterable[Life]) -> Iterable[tuple[str, list[Life]]]:
    """Return the lives by name in the order of the struct; the struct itself first."""
    ordered: dict[str, list[Life]] = {}
    for life in lives:
        ordered.setdefault(life.name, []).append(life)
    for is_field, group in groupby(
        ordered.items(), key=lambda row: row[1][0].declaration.what is What.FIELD
    ):
        # What is there to this day stands below what went, and that by when it went.
        listed = list(group)
        yield from sorted(listed, key=lambda row: row[1][-1].until is None) if is_field else listed


def _axis(releases: Sequence[str], left: float, height: float) -> Iterable[Markup]:
    for at, name in enumerate(releases):
        x = left + _STEP * at
        yield line([(x, _HEAD - 6), (x, height - _FOOT)], "grid")
        yield element(
            "text", name, class_="dim", transform=f"translate({x + 4:.0f} {_HEAD - 10}) rotate(-50)"
        )


def _span(life: Life, releases: Sequence[str]) -> tuple[int, int]:
    begin = 0 if life.since is None else _column(life.since, releases)
    end = len(releases) if life.until is None else _column(life.until, releases)
    return begin, end


def _column(release: str, releases: Sequence[str]) -> int:
    """Return the column of a release; a candidate's is that of the release it leads to."""
    for name in (release, release.partition("-rc")[0]):
        if name in releases:
            return releases.index(name)
    return len(releases) - 1


def _shown(name: str) -> str:
    owner, _, member = name.partition(".")
    return f".{member}" if member else owner


def _hint(life: Life) -> str:
    since = (
        f"since {life.since} {(life.since_commit or '')[:12]}" if life.since else "from the start"
    )
    until = f", until {life.until} {(life.until_commit or '')[:12]}" if life.until else ""
    became = f", became {life.became}" if life.became else ""
    return f"{life.name}: {type_of(life.declaration)}; {since.strip()}{until.rstrip()}{became}"

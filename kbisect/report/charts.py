# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain SVG for the pages: a few shapes, bars over releases, lines over releases.

Colours are classes of the page's style, so that a picture follows the reader's scheme, and text is
escaped as everywhere. Matplotlib's SVG would bring styles of its own, which the policy refuses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from kbisect.report.terminal import one_line

_WIDTH, _HEIGHT = 920, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 46
_ROW = 20


@dataclass(frozen=True, slots=True)
class Series:
    """Values over the same labels, None where there is none; `tone` is a class of the style."""

    tone: str
    name: str
    values: Sequence[float | None]


def element(name: str, *children: object, **attributes: object) -> Markup:
    """Return one element; `class_` is `class`, and `text_anchor` is `text-anchor`."""
    words = "".join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _plain(value))
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(_plain(child) for child in children)
    # Both are escaped, and the name is ours.
    return Markup(f"<{name}{words}>{inside}</{name}>")  # noqa: S704


def picture(width: float, height: float, what: str, children: Iterable[Markup]) -> Markup:
    """Return a whole picture; `what` is for those who can't see it."""
    return element(
        "svg",
        *children,
        width=_round(width),
        height=_round(height),
        viewBox=f"0 0 {_round(width)} {_round(height)}",
        role="img",
        aria_label=what,
    )


def rect(x: float, y: float, width: float, height: float, tone: str, hint: str = "") -> Markup:
    """Return a box, with a hint for who points at it."""
    inside = (element("title", hint),) if hint else ()
    return element(
        "rect",
        *inside,
        class_=tone,
        x=_round(x),
        y=_round(y),
        width=_round(width),
        height=_round(height),
    )


def text(x: float, y: float, words: str, tone: str = "") -> Markup:
    """Return a line of text."""
    return element("text", words, class_=tone or None, x=_round(x), y=_round(y))


def line(points: Iterable[tuple[float, float]], tone: str) -> Markup:
    """Return a line through some points."""
    listed = " ".join(f"{_round(x)},{_round(y)}" for x, y in points)
    return element("polyline", class_=tone, points=listed, fill="none")


def bars(labels: Sequence[str], series: Sequence[Series], what: str) -> Markup:
    """Stack bars, the first series at the bottom."""
    totals = [sum(each.values[at] or 0 for each in series) for at in range(len(labels))]
    frame = _Frame(labels, max(totals, default=0))
    shapes = list(frame.drawn())
    width = max(1.5, frame.step * 0.8)
    for at, label in enumerate(labels):
        low = 0.0
        for each in series:
            value = each.values[at] or 0
            if value:
                top, bottom = frame.y(low + value), frame.y(low)
                hint = f"{label}: {each.name} {value:,.0f} of {totals[at]:,.0f}"
                shapes.append(
                    rect(frame.x(at) - width / 2, top, width, bottom - top, each.tone, hint)
                )
            low += value
    return picture(_WIDTH, _HEIGHT, what, shapes)


def rows(labels: Sequence[str], series: Sequence[Series], what: str) -> Markup:
    """Lay bars behind each other, the first series at the left, one label a row."""
    totals = [sum(each.values[at] or 0 for each in series) for at in range(len(labels))]
    left = 7.3 * max(map(len, labels), default=0) + 10  # of the page's 12 pixels in monospace
    scale = (_WIDTH - left - _RIGHT - 40) / (max(totals, default=0) or 1)
    shapes = []
    for at, label in enumerate(labels):
        top, x = at * _ROW, left
        shapes.append(text(left - 8, top + 13, label, "mono end"))
        for each in series:
            width = (each.values[at] or 0) * scale
            if width:
                hint = f"{label}: {each.name} {each.values[at]:,.0f} of {totals[at]:,.0f}"
                shapes.append(rect(x, top + 2, width, _ROW - 6, each.tone, hint))
            x += width
        shapes.append(text(x + 6, top + 13, f"{totals[at]:,.0f}", "dim"))
    return picture(_WIDTH, len(labels) * _ROW, what, shapes)


def lines(
    labels: Sequence[str], series: Sequence[Series], what: str, unit: str = "", *, log: bool = False
) -> Markup:
    """Draw lines, broken where a value is missing; on a logarithmic scale if asked."""
    values = [value for each in series for value in each.values if value is not None]
    frame = _Frame(labels, max(values, default=0), log)
    shapes = list(frame.drawn())
    for each in series:
        run: list[tuple[float, float]] = []
        dots = []
        for at, value in enumerate([*each.values, None]):
            if value is not None:
                point = (frame.x(at), frame.y(value))
                run.append(point)
                hint = element("title", f"{labels[at]}: {each.name} {value:,.6g} {unit}".strip())
                dots.append(
                    element(
                        "circle", hint, class_=each.tone, cx=_round(point[0]), cy=_round(point[1]),
                        r=2.5,
                    )
                )  # fmt: skip
                continue
            if len(run) > 1:
                shapes.append(line(run, f"line {each.tone}"))
            run = []
        shapes += dots
    return picture(_WIDTH, _HEIGHT, what, shapes)


class _Frame:
    """Axes: labels along the bottom, as many as there is room for, and round numbers at the left.

    A logarithmic scale shows everything below 1 as 1.
    """

    def __init__(self, labels: Sequence[str], most: float, log: bool = False) -> None:
        self.labels, self.log = labels, log
        self.step = (_WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
        self.ticks = _powers(most) if log else _rounds(most)
        self._scale: Callable[[float], float] = (
            (lambda value: math.log10(max(1, value))) if log else float
        )
        self._most = self._scale(self.ticks[-1]) or 1

    def x(self, at: int) -> float:
        return _LEFT + (at + 0.5) * self.step

    def y(self, value: float) -> float:
        room = _HEIGHT - _TOP - _BOTTOM
        return _TOP + room * (1 - self._scale(value) / self._most)

    def drawn(self) -> Iterable[Markup]:
        for tick in self.ticks:
            y = self.y(tick)
            yield line([(_LEFT, y), (_WIDTH - _RIGHT, y)], "grid")
            yield text(_LEFT - 6, y + 4, f"{tick:,.6g}", "dim end")
        each = max(1, math.ceil(len(self.labels) * 58 / (_WIDTH - _LEFT - _RIGHT)))
        for at, label in enumerate(self.labels):
            if at % each == 0:
                yield text(self.x(at), _HEIGHT - _BOTTOM + 18, label, "dim middle")


def _rounds(most: float) -> list[float]:
    """Return about five round numbers from 0 to at least `most`."""
    if most <= 0:
        return [0, 1]
    rough = most / 4
    power = 10 ** math.floor(math.log10(rough))
    # What is counted comes in whole numbers.
    steps = (1, 2, 5, 10) if power == 1 else (1, 2, 2.5, 5, 10)
    step = next(power * each for each in steps if power * each >= rough)
    step = max(step, 1) if most > 3 else step
    return [step * at for at in range(math.ceil(most / step - 1e-9) + 1)]


def _powers(most: float) -> list[float]:
    return [10.0**at for at in range(max(1, math.ceil(math.log10(max(1, most)))) + 1)]


def _plain(value: object) -> Markup:
    return value if isinstance(value, Markup) else escape(one_line(str(value)))


def _round(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")

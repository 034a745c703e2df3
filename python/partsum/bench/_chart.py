"""Ratios as bars on a logarithmic axis, drawn by matplotlib.

Colours are CSS variables, so that a chart follows light and dark mode. Text stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from io import StringIO
from math import ceil, floor, log2
from typing import Literal, NamedTuple, TypeAlias

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from partsum.bench._facts import DASH, TIMES, VERDICTS, ratio
from partsum.bench._report import Ratio, Result

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "faint": "#57606a",
    "line": "#d0d7de",
    "partsum": "#1666c0",
    "peer": "#b3540a",
    "tie": "#6e7781",
}
DARK = {
    "paper": "#0f1318",
    "ink": "#e6edf3",
    "faint": "#a3adb8",
    "line": "#30363d",
    "partsum": "#5aa9ff",
    "peer": "#f0883e",
    "tie": "#8b949e",
}
STYLE = """.chart text { font-family: system-ui, sans-serif; paint-order: stroke;
  stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }"""
# The same report gives the same bytes on every day.
UNDATED = dict.fromkeys(("Creator", "Date", "Format", "Type"))
Align: TypeAlias = Literal["left", "center", "right"]
STANDALONE_WIDTH = 720
MARGIN = 16


def variables(colours: Mapping[str, str]) -> str:
    """Write colours as CSS variables."""
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


class Bar(NamedTuple):
    """One ratio."""

    title: str
    """Written once above all bars in a row that have the same title."""
    name: str
    ratio: Ratio
    winner: str
    """``"partsum"``, ``"peer"`` or ``"tie"``."""

    @classmethod
    def of(cls, result: Result) -> Bar:
        """Take the ratio of a result."""
        return cls(result.title, result.peer, result.ratio, result.winner)

    def __str__(self) -> str:
        return f"{self.title}, {self.name}: {ratio(self.ratio)}"


class Axis(NamedTuple):
    """A logarithmic axis from 2^low to 2^high."""

    low: int
    high: int

    @classmethod
    def of(cls, bars: Iterable[Bar]) -> Axis:
        """Include every interval, and 1."""
        ends = [log2(end) for bar in bars for end in bar.ratio[1:3]]
        return cls(min([-1, *map(floor, ends)]), max([1, *map(ceil, ends)]))

    @property
    def ticks(self) -> list[int]:
        """Exponents, 0 among them, few enough for a phone."""
        step = max(ceil((self.high - self.low) / 5), 1)
        return [power for power in range(self.low, self.high + 1) if power % step == 0]


def inline(results: Sequence[Result], everything: Sequence[Result], width: int, name: str) -> str:
    """Draw a chart for a page that defines the colours.

    Args:
        results: The results to draw.
        everything: All results of the page, so that its charts have the same axis.
        width: Width in pixels, from which the page may scale it.
        name: What the ids of its elements begin with; unique on the page.
    """
    axis = Axis.of(map(Bar.of, everything))
    return _svg({"": list(map(Bar.of, results))}, axis, width, name, title="Ratios")


def standalone(title: str, groups: Mapping[str, Sequence[Bar]], notes: Sequence[str]) -> str:
    """Draw a chart of its own, which follows the reader's light or dark mode.

    Args:
        title: Written above everything.
        groups: Bars by the heading above them.
        notes: Lines below everything.
    """
    axis = Axis.of(bar for bars in groups.values() for bar in bars)
    style = (
        f"<style>:root {{ {variables(LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)} }} }}\n"
        f".chart {{ background: var(--paper); }}\n{STYLE}</style>"
    )
    chart = _svg(groups, axis, STANDALONE_WIDTH, "chart", title=title, notes=notes, style=style)
    return chart + "\n"


def _svg(
    groups: Mapping[str, Sequence[Bar]],
    axis: Axis,
    width: int,
    name: str,
    *,
    title: str,
    notes: Sequence[str] = (),
    style: str = "",
) -> str:
    margin = MARGIN if style else 0
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rc("svg", fonttype="none", hashsalt="partsum")
        figure = Figure()
        # Down in pixels, across in powers of two.
        axes = figure.add_axes((margin / width, 0, 1 - 2 * margin / width, 1))
        axes.set_axis_off()
        space = 0.03 * (axis.high - axis.low)
        axes.set_xlim(axis.low - space, axis.high + space)
        top: float = margin
        if style:
            top = _write(axes, 0, top + 20, title, size=15, weight=700)
        for heading, bars in groups.items():
            if heading:
                top = _write(axes, 0, top + 26, heading, size=15, weight=700)
            top = _draw(axes, axis, bars, top + 4)
        for note in notes:
            top = _write(axes, 0, top + 20, note, size=12, colour="faint")
        height = ceil(top + margin)
        axes.set_ylim(height, 0)
        figure.set_size_inches(width / 72, height / 72)  # a point is a pixel
        written = StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata=UNDATED)
    _, _, drawn = written.getvalue().partition("</defs>")
    drawn = re.sub(r' id="(bar \w+)"', r' class="\1"', drawn.rpartition("</svg>")[0])
    drawn = re.sub(r' id="[^"]*"|font-family: [^;"]*;? ?|<!--.*?-->', "", drawn)
    for colour, value in LIGHT.items():
        drawn = drawn.replace(value, f"var(--{colour})")
    described = "; ".join(str(bar) for bars in groups.values() for bar in bars)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{escape(title)}'
        f'</title><desc id="{name}-desc">{escape(described)}</desc>{style}{drawn}</svg>'
    )


def _draw(axes: Axes, axis: Axis, bars: Sequence[Bar], top: float) -> float:
    """Draw a group; return where it ends."""
    begin, title = top, None
    for bar in bars:
        if bar.title != title:
            title = bar.title
            _write(axes, 0, top + 17, title, weight=700)
            top += 20
        verdict = "" if bar.winner == "partsum" else f" {VERDICTS[bar.winner]}"
        _write(axes, 0, top + 13, bar.name)
        _write(axes, 1, top + 13, ratio(bar.ratio, TIMES, DASH) + verdict, align="right")
        y = top + 24
        median, low, high = map(log2, bar.ratio[:3])
        axes.barh(y, median, 10, color=LIGHT[bar.winner], gid=f"bar {bar.winner}", clip_on=False)
        _line(axes, [low, low, low, high, high, high], [y - 3, y + 3, y, y, y - 3, y + 3], "ink")
        top += 34
    left, right = axes.get_xlim()
    align: Align
    for tick in axis.ticks:
        _line(axes, [tick, tick], [begin, top], "line" if tick else "faint")
        label = TIMES + (f"{2**tick}" if tick >= 0 else f"1/{2**-tick}")
        place = (tick - left) / (right - left)
        # A centred label would stick out at the edges.
        align = "left" if place < 0.06 else "right" if place > 0.94 else "center"
        _write(axes, place, top + 15, label, align=align, size=12, colour="faint")
    return top + 24


def _line(axes: Axes, xs: list[float], ys: list[float], colour: str) -> None:
    order = 3 if colour == "ink" else 0  # the grid is behind the bars
    axes.plot(xs, ys, color=LIGHT[colour], linewidth=1.25, zorder=order, clip_on=False)


def _write(
    axes: Axes,
    x: float,
    y: float,
    words: str,
    *,
    align: Align = "left",
    size: int = 13,
    weight: int = 400,
    colour: str = "ink",
) -> float:
    """Write text at a fraction of the width and a height in pixels; return that height."""
    font = {"fontsize": size, "fontweight": weight, "color": LIGHT[colour]}
    place = axes.get_yaxis_transform()
    axes.text(x, y, words, font, transform=place, horizontalalignment=align, parse_math=False)
    return y

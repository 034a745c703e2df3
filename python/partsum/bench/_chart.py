"""Ratios as bars on a logarithmic axis, drawn by matplotlib.

Colours are CSS variables, so that a chart follows light and dark mode. Text stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from html import escape
from io import StringIO
from math import ceil, floor, log2
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from partsum.bench._report import VERDICTS, Ratio, Result

TIMES, DASH = "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"
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
WIDTH, MARGIN = 720, 16
# Heights in pixels: a bar with its label, the title above bars, their axis, a heading, a note.
ROW, TITLE, TICKS, HEADING, NOTE = 34, 20, 24, 34, 20


class Bar(NamedTuple):
    """One ratio.

    Attributes:
        title: Written once above all bars in a row that have the same title.
        name: Written above the bar.
        ratio: Length of the bar, and of the line of its interval.
        winner: ``"partsum"``, ``"peer"`` or ``"tie"``.
    """

    title: str
    name: str
    ratio: Ratio
    winner: str

    @classmethod
    def of(cls, result: Result) -> Bar:
        """Take the ratio of a result."""
        return cls(result.title, result.peer, result.ratio, result.winner)


def variables(colours: Mapping[str, str]) -> str:
    """Write colours as CSS variables."""
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


def inline(results: Sequence[Result], everything: Sequence[Result], width: int, name: str) -> str:
    """Draw results for a page that defines the colours.

    Args:
        results: The results to draw.
        everything: All results of the page: its charts have the same axis.
        width: Width in pixels, from which the page may scale it.
        name: Start of the ids of the elements; unique on the page.
    """
    groups = {"": list(map(Bar.of, results))}
    return _svg(groups, _limits(map(Bar.of, everything)), width, name, "Ratios")


def standalone(title: str, groups: Mapping[str, Sequence[Bar]], notes: Sequence[str]) -> str:
    """Draw a chart of its own, which follows the reader's light or dark mode.

    Args:
        title: Written above everything.
        groups: Bars by the heading above them.
        notes: Lines below everything.
    """
    style = (
        f"<style>:root {{ {variables(LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)} }} }}\n"
        f".chart {{ background: var(--paper); }}\n{STYLE}</style>"
    )
    limits = _limits(bar for bars in groups.values() for bar in bars)
    return _svg(groups, limits, WIDTH, "chart", title, notes=notes, style=style) + "\n"


def _limits(bars: Iterable[Bar]) -> tuple[int, int]:
    """The powers of two around all intervals, and around 1."""
    ends = [log2(end) for bar in bars for end in bar.ratio[1:3]]
    return min([-1, *map(floor, ends)]), max([1, *map(ceil, ends)])


def _svg(
    groups: Mapping[str, Sequence[Bar]],
    limits: tuple[int, int],
    width: int,
    name: str,
    title: str,
    *,
    notes: Sequence[str] = (),
    style: str = "",
) -> str:
    margin = MARGIN if style else 0
    heights = {
        heading: ROW * len(bars) + TITLE * len({bar.title for bar in bars})
        for heading, bars in groups.items()
    }
    headings = [title, *groups] if style else []
    height = sum(heights.values()) + TICKS * len(groups) + 2 * margin
    height += HEADING * len(headings) + NOTE * len(notes)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rc("svg", fonttype="none", hashsalt="partsum")
        mpl.rc("text", color=LIGHT["ink"], parse_math=False)
        mpl.rc("font", size=13)
        figure = Figure((width / 72, height / 72))  # a point is a pixel
        left, top = margin / width, margin

        def write(words: str, room: int, **font: Any) -> None:  # noqa: ANN401
            nonlocal top
            top += room
            figure.text(left, 1 - (top - 8) / height, words, **font)

        if style:
            write(title, HEADING, size=15, weight="bold")
        for heading, bars in groups.items():
            if heading:
                write(heading, HEADING, size=15, weight="bold")
            bottom = top + heights[heading]
            place = (left, 1 - bottom / height, 1 - 2 * left, heights[heading] / height)
            _draw(figure.add_axes(place), bars, limits, heights[heading])
            top = bottom + TICKS
        for note in notes:
            write(note, NOTE, size=12, color=LIGHT["faint"])
        written = StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata=UNDATED)
    _, _, drawn = written.getvalue().partition("</defs>")
    drawn = re.sub(r' id="(bar \w+)"', r' class="\1"', drawn.rpartition("</svg>")[0])
    drawn = re.sub(r' id="[^"]*"|font-family: [^;"]*;? ?|<!--.*?-->', "", drawn)
    for colour, value in LIGHT.items():
        drawn = drawn.replace(value, f"var(--{colour})")
    described = "; ".join(
        f"{bar.title}, {bar.name}: {bar.ratio.text()}" for bars in groups.values() for bar in bars
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" '
        f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{escape(title)}'
        f'</title><desc id="{name}-desc">{escape(described)}</desc>{style}{drawn}</svg>'
    )


def _draw(axes: Axes, bars: Sequence[Bar], limits: tuple[int, int], height: int) -> None:
    low, high = limits
    step = max(ceil((high - low) / 5), 1)  # few enough for a phone
    ticks = [2.0**power for power in range(low, high + 1) if power % step == 0]
    space = 2 ** (0.05 * (high - low))
    axes.set_xscale("log", base=2)
    axes.set(xlim=(2**low / space, 2**high * space), ylim=(height, 0), yticks=[], frame_on=False)
    axes.set_xticks(ticks, [f"{TIMES}{Fraction(tick)}" for tick in ticks], size=12)
    axes.minorticks_off()
    axes.tick_params(length=0, labelcolor=LIGHT["faint"])
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=LIGHT["line"])
    axes.axvline(1, color=LIGHT["faint"], zorder=0.6)
    across = axes.get_yaxis_transform()
    y, title = 0, None
    for bar in bars:
        if bar.title != title:
            title = bar.title
            axes.text(0, y + 17, title, weight="bold", transform=across)
            y += TITLE
        verdict = "" if bar.winner == "partsum" else f" {VERDICTS[bar.winner]}"
        value = bar.ratio.text(TIMES, DASH) + verdict
        axes.text(0, y + 13, bar.name, transform=across)
        axes.text(1, y + 13, value, horizontalalignment="right", transform=across)
        median, begin, end, _ = bar.ratio
        gid = f"bar {bar.winner}"
        axes.barh(y + 24, median - 1, 10, left=1, color=LIGHT[bar.winner], gid=gid)
        xs, ys = [begin] * 3 + [end] * 3, [y + 21, y + 27, y + 24, y + 24, y + 21, y + 27]
        axes.plot(xs, ys, color=LIGHT["ink"], linewidth=1.25)
        y += ROW
    for artist in axes.findobj():
        artist.set_clip_on(False)  # clip paths are references, which must be unique on a page

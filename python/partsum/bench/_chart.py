"""Ratios as bars on a logarithmic axis, in SVG without scripts.

Places across are percentages, so the same chart fits any width while its letters keep their size:
a chart with a viewBox would shrink to nothing on a phone. Colours are CSS variables of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import ceil, floor, log2
from typing import NamedTuple

from partsum.bench import _words
from partsum.bench._report import Ratio, Report, Result

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "faint": "#57606a",
    "line": "#d0d7de",
    "axis": "#57606a",
    "win": "#1666c0",
    "loss": "#b3540a",
    "tie": "#6e7781",
}
DARK = {
    "paper": "#0f1318",
    "ink": "#e6edf3",
    "faint": "#a3adb8",
    "line": "#30363d",
    "axis": "#8b949e",
    "win": "#5aa9ff",
    "loss": "#f0883e",
    "tie": "#8b949e",
}
CHART_STYLE = """
.chart text { fill: var(--ink); font: 13px/1.2 system-ui, sans-serif; paint-order: stroke;
  stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.chart .title { font-weight: 600; }
.chart .tick { fill: var(--faint); font-size: 12px; }
.chart .grid { stroke: var(--line); }
.chart .one { stroke: var(--axis); stroke-width: 1.5; }
.chart .bar.partsum { fill: var(--win); }
.chart .bar.peer { fill: var(--loss); }
.chart .bar.tie { fill: var(--tie); }
.chart .whisker { stroke: var(--ink); stroke-width: 1.5; }
"""
STANDALONE_WIDTH = 720


def variables(colours: dict[str, str]) -> str:
    """Colours as CSS custom properties."""
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


class Bar(NamedTuple):
    """One ratio."""

    title: str
    """Of the bars that follow one another with the same title."""
    name: str
    ratio: Ratio
    winner: str
    """``"partsum"``, ``"peer"`` or ``"tie"``."""

    @classmethod
    def of(cls, result: Result) -> Bar:
        """Take a result."""
        return cls(result.title, result.peer, result.ratio, result.winner)

    @property
    def value(self) -> str:
        """What is written beside it."""
        text = _words.ratio(self.ratio, _words.TYPESET)
        return text if self.winner == "partsum" else f"{text} {_words.VERDICTS[self.winner]}"

    def __str__(self) -> str:
        return f"{self.title}, {self.name}: {_words.ratio(self.ratio)}"


class Axis(NamedTuple):
    """From 2^low to 2^high."""

    low: int
    high: int

    @classmethod
    def of(cls, bars: Iterable[Bar]) -> Axis:
        """Take the powers of two around every interval, and around 1."""
        ends = [end for bar in bars for end in (bar.ratio.low, bar.ratio.high)]
        return cls(
            min([-1, *(floor(log2(end)) for end in ends)]),
            max([1, *(ceil(log2(end)) for end in ends)]),
        )

    def place(self, ratio: float) -> float:
        """Where a ratio is, as a percentage, a little away from the edges."""
        return round(3 + 94 * (log2(ratio) - self.low) / (self.high - self.low), 3)

    @property
    def ticks(self) -> list[float]:
        """Powers of two, 1 among them, few enough for a phone."""
        step = max(ceil((self.high - self.low) / 5), 1)
        return [2.0**power for power in range(self.low, self.high + 1) if power % step == 0]


class Rows(NamedTuple):
    """Pieces of SVG, and where they end."""

    pieces: list[str]
    bottom: float


def chart(bars: Sequence[Bar], axis: Axis, name: str, title: str) -> str:
    """A chart as an element of a page: as wide as its place, labels above the bars."""
    rows = _rows(bars, axis, top=4.0)
    return (
        f'<svg class="chart" role="img" aria-labelledby="{name}-title {name}-desc" width="100%" '
        f'height="{rows.bottom + 24:g}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{name}-title">{escape(title)}: how many times as fast partsum is</title>'
        f'<desc id="{name}-desc">{escape("; ".join(map(str, bars)))}</desc>'
        + "".join(_grid(axis, 4.0, rows.bottom))
        + "".join(rows.pieces)
        + "</svg>"
    )


def standalone(
    title: str, groups: Iterable[tuple[str, Sequence[Bar]]], notes: Iterable[str]
) -> str:
    """All bars in a file of its own, which follows the reader's light or dark mode."""
    groups = list(groups)
    everything = [bar for _, bars in groups for bar in bars]
    axis = Axis.of(everything)
    pieces = [_text("head", 0, 20, title)]
    bottom = 32.0
    for heading, bars in groups:
        pieces.append(_text("head", 0, bottom + 22, heading))
        rows = _rows(bars, axis, top=bottom + 34)
        pieces += [*_grid(axis, bottom + 34, rows.bottom), *rows.pieces]
        bottom = rows.bottom + 28
    for note in notes:
        bottom += 20
        pieces.append(_text("tick", 0, bottom, note))
    style = (
        f":root {{ {variables(LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {variables(DARK)} }} }}\n"
        f"{CHART_STYLE}.chart .head {{ font-size: 15px; font-weight: 600; }}\n"
        ".paper { fill: var(--paper); }\n"
    )
    # A margin, by an inner viewport: percentages are of its width.
    width, height = STANDALONE_WIDTH, bottom + 32
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" '
        f'aria-labelledby="title desc" width="{width}" height="{height:g}" '
        f'viewBox="0 0 {width} {height:g}">'
        f'<title id="title">{escape(title)}</title>'
        f'<desc id="desc">{escape("; ".join(map(str, everything)))}</desc>'
        f"<style>{style}</style>"
        '<rect class="paper" width="100%" height="100%"/>'
        f'<svg x="16" y="8" width="{width - 32}" height="{height - 16:g}">{"".join(pieces)}</svg>'
        "</svg>\n"
    )


def of_report(report: Report) -> str:
    """All results of a report."""
    machine, options = report.machine, report.options
    return standalone(
        f"partsum {machine['partsum']}: how many times as fast as its peers",
        [(group.title, list(map(Bar.of, group.results))) for group in _words.groups(report)],
        [
            f"{machine['cpu']}, {options['threads']} threads, {machine['isa']}; "
            f"{options['pairs']} pairs, medians and intervals",
            f"Where a peer wins: {len(report.wins('peer'))} of {len(report.results)}",
        ],
    )


def _rows(bars: Sequence[Bar], axis: Axis, top: float) -> Rows:
    pieces: list[str] = []
    title = None
    for bar in bars:
        if bar.title != title:
            title = bar.title
            pieces.append(_text("title", 0, top + 17, title))
            top += 20
        pieces += _row(bar, axis, top)
        top += 34
    return Rows(pieces, top)


def _row(bar: Bar, axis: Axis, top: float) -> Iterator[str]:
    yield _text("name", 0, top + 13, bar.name)
    yield _text("value", 100, top + 13, bar.value, end=True)
    one, median = axis.place(1), axis.place(bar.ratio.median)
    low, high = axis.place(bar.ratio.low), axis.place(bar.ratio.high)
    left, width = min(one, median), max(abs(median - one), 0.2)
    middle = top + 24
    yield (
        f'<rect class="bar {bar.winner}" x="{left:g}%" y="{top + 19:g}" width="{width:.3f}%" '
        'height="10"/>'
        f'<line class="whisker" x1="{low:g}%" x2="{high:g}%" y1="{middle:g}" y2="{middle:g}"/>'
    )
    for end in (low, high):
        yield (
            f'<line class="whisker" x1="{end:g}%" x2="{end:g}%" y1="{middle - 3:g}" '
            f'y2="{middle + 3:g}"/>'
        )


def _grid(axis: Axis, top: float, bottom: float) -> Iterator[str]:
    for tick in axis.ticks:
        place = axis.place(tick)
        # At the edges a centred label would stick out.
        anchor = "start" if place < 6 else "end" if place > 94 else "middle"
        label = f"{tick:g}" if tick >= 1 else f"1/{1 / tick:g}"
        yield (
            f'<line class="{"one" if tick == 1 else "grid"}" x1="{place:g}%" x2="{place:g}%" '
            f'y1="{top:g}" y2="{bottom:g}"/>'
            f'<text class="tick" text-anchor="{anchor}" x="{place:g}%" y="{bottom + 15:g}">'
            f"{_words.TYPESET.times}{label}</text>"
        )


def _text(kind: str, x: float, y: float, words: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text class="{kind}"{anchor} x="{x:g}%" y="{y:g}">{escape(words)}</text>'

"""The report for a terminal, and in Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from partsum.bench import _words
from partsum.bench._report import Report, Result

WIDTH = 80


def text(report: Report) -> str:
    """Tables, and under them what must not be overlooked."""
    return "\n".join(_text_lines(report)) + "\n"


def _text_lines(report: Report) -> Iterator[str]:
    for group in _words.groups(report):
        yield f"{group.title:44}{'peer':>8}{'partsum':>9}  ratio"
        title = None
        for result in group.results:
            if result.title != title:
                title = result.title
                yield f"  {title}"
            yield (
                f"    {result.peer:36.36}{_words.rate(result.peer_rate):>8}"
                f"{_words.rate(result.partsum_rate):>9}  {_words.ratio(result.ratio)}"
                + ("" if result.winner == "partsum" else f" {_words.VERDICTS[result.winner]}")
            )
        yield ""
    wins = _words.peer_wins(report)
    yield f"Where a peer wins: {'' if wins else _words.NONE}".rstrip()
    yield from (f"  {line}" for line in wins)
    yield from _wrapped(f"No difference shown: {_words.ties(report)}")
    for title, reason in report.skipped:
        yield from _wrapped(f"Not compared: {title}: {reason}")
    for warning in _words.warnings(report):
        yield from _wrapped(f"Note: {warning}")
    yield ""
    yield from _wrapped(_words.method(report))
    for line in _words.ways(report):
        yield from _wrapped(f"- {line}", hang=2)
    yield ""
    for key, value in _words.machine(report).items():
        yield from _wrapped(f"{key + ':':13}{value}", hang=13)


def _wrapped(words: str, hang: int = 0) -> list[str]:
    return textwrap.wrap(
        words, WIDTH, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    )


def markdown(report: Report) -> str:
    """Tables, and under them what must not be overlooked."""
    return "\n\n".join(filter(None, _blocks(report))) + "\n"


def _blocks(report: Report) -> Iterator[str]:
    for group in _words.groups(report):
        yield f"### {group.title}"
        yield "\n".join(
            [
                "| what | peer | peer GB/s | partsum GB/s | ratio (interval) | faster |",
                "|---|---|--:|--:|--:|---|",
                *map(_row, group.results),
            ]
        )
    wins = [f"\n- {_cell(line)}" for line in _words.peer_wins(report)]
    yield f"**Where a peer wins:** {''.join(wins) or _words.NONE}".replace(" \n", "\n\n", 1)
    yield f"**No difference shown:** {_cell(_words.ties(report))}"
    for title, reason in report.skipped:
        yield f"**Not compared:** {_cell(f'{title}: {reason}')}"
    for warning in _words.warnings(report):
        yield f"**Note:** {_cell(warning)}"
    yield _cell(_words.method(report))
    yield "\n".join(f"- {_cell(line)}" for line in _words.ways(report))
    yield "**The machine:**"
    yield "\n".join(f"- {key}: {_cell(value)}" for key, value in _words.machine(report).items())


def _row(result: Result) -> str:
    cells = (
        result.title,
        result.peer,
        _words.rate(result.peer_rate),
        _words.rate(result.partsum_rate),
        f"**{_words.ratio(result.ratio).replace(' ', '** ', 1)}",
        _words.VERDICTS[result.winner],
    )
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(words: str) -> str:
    """Names of CPUs and of peers may hold anything; the stars of a ratio are ours."""
    return words.replace("|", "\\|").replace("<", "&lt;")

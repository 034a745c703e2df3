"""The forms of a report: one function for each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps
from typing import TYPE_CHECKING

from partsum.bench._facts import DASH, TIMES, VERDICTS, Facts, rate, ratio
from partsum.bench._peers import BENCH_EXTRA
from partsum.bench._report import Report

if TYPE_CHECKING:
    from jinja2 import Environment

WIDTH = 80


def text(report: Report) -> str:
    """Write a report as tables for a terminal of 80 columns or more.

    Args:
        report: What `run` returned.

    Returns:
        Lines of ASCII text.

    Example:
        >>> from partsum import bench
        >>> print(bench.text(bench.run([], [], pairs=1)).splitlines()[0])
        Where a peer wins: none in this run.
    """
    return "\n".join(_lines(report, Facts.of(report))) + "\n"


def json(report: Report) -> str:
    """Write a report as JSON, with every run; `Report.from_json` reads it.

    Args:
        report: What `run` returned.

    Returns:
        A JSON object, indented.

    Example:
        >>> from partsum import bench
        >>> bench.json(bench.run([], [], pairs=1)).startswith("{")
        True
    """
    return dumps(report.to_dict(), indent=2) + "\n"


def markdown(report: Report) -> str:
    """Write a report as Markdown, for a README or an issue. It needs the extra `bench`.

    Args:
        report: What `run` returned.

    Returns:
        Tables, and the facts that belong to them.

    Raises:
        ImportError: jinja2 is not installed.

    Example:
        >>> from partsum import bench
        >>> print(bench.markdown(bench.run([], [], pairs=1)).splitlines()[0])
        **Where a peer wins:** none in this run.
    """
    template = _templates().get_template("report.md")
    return template.render(report=report, facts=Facts.of(report)).strip() + "\n"


def html(report: Report) -> str:
    """Write a report as a page with charts, without scripts or other files.

    It needs the extra `bench`.

    Args:
        report: What `run` returned.

    Returns:
        An HTML document for light and dark mode, and for any width from 320 pixels.

    Raises:
        ImportError: jinja2 or matplotlib is not installed.

    Example:
        >>> from partsum import bench
        >>> bench.html(bench.run([], [], pairs=1)).startswith("<!doctype html>")
        True
    """
    with _bench_extra():
        from partsum.bench import _chart
    facts = Facts.of(report, TIMES, DASH)
    template = _templates().get_template("report.html")
    return template.render(report=report, facts=facts, chart=_chart) + "\n"


def svg(report: Report) -> str:
    """Draw all ratios of a report in one chart for a README. It needs the extra `bench`.

    Args:
        report: What `run` returned.

    Returns:
        An SVG document for light and dark mode.

    Raises:
        ImportError: matplotlib is not installed.

    Example:
        >>> from partsum import bench
        >>> bench.svg(bench.run([], [], pairs=1)).startswith("<svg ")
        True
    """
    with _bench_extra():
        from partsum.bench import _chart
    machine, options = report.machine, report.options
    groups = Facts.of(report).groups
    return _chart.standalone(
        f"partsum {machine['partsum']}: how many times as fast as its peers",
        {title: list(map(_chart.Bar.of, results)) for title, results in groups.items()},
        [
            f"{machine['cpu']}, {options['threads']} threads, {machine['isa']}; "
            f"{options['pairs']} pairs, medians and intervals",
            f"Where a peer wins: {len(report.wins('peer'))} of {len(report.results)}",
        ],
    )


def _lines(report: Report, facts: Facts) -> Iterator[str]:
    for heading, results in facts.groups.items():
        yield f"{heading:44}{'peer':>8}{'partsum':>9}  ratio"
        title = None
        for result in results:
            if result.title != title:
                title = result.title
                yield f"  {title}"
            verdict = "" if result.winner == "partsum" else f" {VERDICTS[result.winner]}"
            yield (
                f"    {result.peer:36.36}{rate(result.peer_rate):>8}{rate(result.partsum_rate):>9}"
                f"  {ratio(result.ratio)}{verdict}"
            )
        yield ""
    yield "Where a peer wins:" + ("" if facts.wins else " none in this run.")
    yield from (f"  {line}" for line in facts.wins)
    yield from _wrapped(f"No difference shown: {facts.ties}")
    for title, reason in report.skipped:
        yield from _wrapped(f"Not compared: {title}: {reason}")
    for note in facts.notes:
        yield from _wrapped(f"Note: {note}")
    yield ""
    yield from _wrapped(facts.method)
    for line in facts.contenders:
        yield from _wrapped(f"- {line}", hang=2)
    yield ""
    for key, value in facts.machine.items():
        yield from _wrapped(f"{key + ':':13}{value}", hang=13)


def _wrapped(words: str, hang: int = 0) -> list[str]:
    indent = " " * hang
    return textwrap.wrap(
        words, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


@contextmanager
def _bench_extra() -> Iterator[None]:
    """Tell a user without the extra how to install it."""
    try:
        yield
    except ImportError as error:
        raise ImportError(f"{error.name} is missing: {BENCH_EXTRA}", name=error.name) from None


def _templates() -> Environment:
    with _bench_extra():
        import jinja2
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("partsum.bench"),
        autoescape=jinja2.select_autoescape(),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(rate=rate, ratio=ratio, verdicts=VERDICTS)
    # Names of CPUs and of peers may contain anything.
    templates.filters["cell"] = lambda words: words.replace("|", "\\|").replace("<", "&lt;")
    return templates

"""The forms of a report: one function for each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps
from typing import TYPE_CHECKING, NamedTuple

from partsum.bench._peers import BENCH_EXTRA
from partsum.bench._report import VERDICTS, Report, Result, rate

if TYPE_CHECKING:
    from jinja2 import Environment

WIDTH = 80
TITLES = {
    ("everyday", "file"): "Everyday jobs, from Python",
    ("command", "file"): "Everyday jobs, command against command",
    ("algorithm", "file"): "Each algorithm, parts of a page-cached file",
    ("algorithm", "ram"): "Each algorithm, parts in RAM",
}
NONE = "none in this run."


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
    facts = Facts.of(report, _chart.TIMES, _chart.DASH)
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
                f"  {result.ratio.text()}{verdict}"
            )
        yield ""
    yield "Where a peer wins:" + ("" if facts.wins else f" {NONE}")
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
    templates.globals.update(rate=rate, verdicts=VERDICTS)
    # Names of CPUs and of peers may contain anything.
    templates.filters["cell"] = lambda words: words.replace("|", "\\|").replace("<", "&lt;")
    return templates


# --- what all forms state -----------------------------------------------------------------------


class Facts(NamedTuple):
    """The statements about a report.

    Attributes:
        groups: By title, the results of each table; without empty tables.
        wins: Where a peer was faster, a line for each.
        ties: The results whose interval contains 1.
        notes: What makes the figures less reliable.
        method: How it was measured.
        contenders: What was compared with what.
        machine: What the figures depend on.
    """

    groups: dict[str, list[Result]]
    wins: list[str]
    ties: str
    notes: list[str]
    method: str
    contenders: list[str]
    machine: dict[str, str]

    @classmethod
    def of(cls, report: Report, times: str = "x", dash: str = "-") -> Facts:
        """Collect them; ratios are written with the signs given."""
        brief = {
            winner: [_brief(one, times, dash) for one in report.wins(winner)] for winner in VERDICTS
        }
        return cls(
            _groups(report),
            brief["peer"],
            "; ".join(brief["tie"]) + "." if brief["tie"] else NONE,
            list(_notes(report)),
            _method(report),
            _contenders(report),
            _machine(report),
        )


def _brief(result: Result, times: str, dash: str) -> str:
    """A result within a sentence."""
    source = "RAM" if result.source == "ram" else "file"
    where = f" ({source})" if result.group == "algorithm" else ""
    return f"{result.title}{where}, {result.peer}: {result.ratio.text(times, dash)}"


def _groups(report: Report) -> dict[str, list[Result]]:
    groups: dict[str, list[Result]] = {title: [] for title in TITLES.values()}
    for result in report.results:
        groups[TITLES[result.group, result.source]].append(result)
    return {title: results for title, results in groups.items() if results}


def _bytes(size: int) -> str:
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 1 << shift:
            return f"{size / (1 << shift):.4g} {unit}"
    return f"{size} bytes"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _method(report: Report) -> str:
    options = report.options
    text = (
        f"A file of {_bytes(options['size'])} in parts of {_bytes(options['part_size'])}, "
        f"{_count(options['threads'], 'thread')}, {_count(options['pairs'], 'pair')} of runs for "
        "each row. Partsum and the peer take turns. The ratio is the median over the pairs of the "
        "peer's time divided by partsum's: above 1, partsum is faster."
    )
    if report.results:
        percent = 100 * report.results[0].ratio.confidence
        text += (
            f" Its {percent:.3g} % confidence interval, from order statistics, is in brackets. "
            "GB/s are 10^9 bytes per second in the median run. The digests of all runs were "
            "compared and are equal."
        )
    return text


def _contenders(report: Report) -> list[str]:
    peers: dict[str, dict[str, None]] = {}
    for one in report.results:
        peers.setdefault(one.ours, {})[one.how] = None
    return [f"{ours} against {'; '.join(theirs)}." for ours, theirs in peers.items()]


def _machine(report: Report) -> dict[str, str]:
    found = report.machine
    forced = f", forced by PARTSUM_ISA={found['isa_override']}" if found["isa_override"] else ""
    loads = [found.get("load_before"), found.get("load_after")]
    present = [
        f"{peer.name} {peer.version.removeprefix(f'{peer.name} ').partition(' (Library:')[0]}"
        for peer in report.peers
        if peer.version is not None
    ]
    absent = [f"{peer.name} ({peer.install})" for peer in report.peers if not peer.present]
    lines = {
        "CPU": f"{found['cpu']} ({found['architecture']})"
        + (", virtual machine" if found["virtual"] else ""),
        "CPUs": f"{found['cpus']}, allowed: {found['cpus_allowed']}",
        "partsum": f"{found['partsum']}, instruction set {found['isa']}{forced}",
        "RAM": _bytes(found["memory"]) if found["memory"] else "unknown",
        "System": found["system"],
        "File system": found["file_system"] or "unknown",
        "Python": found["python"] + ("" if found["gil"] else ", free-threaded"),
        "Peers": ", ".join(present),
        "Page cache": _page_cache(report),
        "Load": "unknown" if None in loads else f"{loads[0]:g} before, {loads[1]:g} after",
        "Measured": f"{report.started}, in {report.seconds:.0f} s",
        "Absent": ", ".join(absent),
    }
    return {name: value for name, value in lines.items() if value}


def _page_cache(report: Report) -> str:
    fractions = [one.cached for one in report.results if one.source == "file"]
    if not fractions:
        return "no file was read"
    known = [fraction for fraction in fractions if fraction is not None]
    if len(known) < len(fractions):
        return "unknown: the system does not tell"
    return (
        "all files were in it" if min(known) == 1 else f"only {min(known):.0%} of a file at worst"
    )


def _notes(report: Report) -> Iterator[str]:
    found = report.machine
    if found["debug_build"]:
        yield "partsum is a debug build, many times slower: build it in release mode."
    if found["isa_override"]:
        yield "PARTSUM_ISA chose the instruction set."
    if report.results and report.results[0].ratio.confidence < 0.95:
        pairs = _count(report.options["pairs"], "pair")
        yield (
            f"{pairs} of runs are too few for a 95 % interval: publish nothing with fewer than 6."
        )
    load = found.get("load_before")
    if load is not None and load > 0.3 * found["cpus_allowed"]:
        yield f"The machine was busy before the run (load {load:g})."
    if "only" in _page_cache(report):
        yield "Some files did not stay in the page cache: choose a smaller size."

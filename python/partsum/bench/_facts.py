"""What all forms of a report state, in the same words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from partsum.bench._report import Ratio, Report, Result

TITLES = {
    ("everyday", "file"): "Everyday jobs, from Python",
    ("command", "file"): "Everyday jobs, command against command",
    ("algorithm", "file"): "Each algorithm, parts of a page-cached file",
    ("algorithm", "ram"): "Each algorithm, parts in RAM",
}
VERDICTS = {"partsum": "partsum", "peer": "peer wins", "tie": "tie"}
NONE = "none in this run."
# Signs for forms that are not ASCII.
TIMES, DASH = "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"


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


def rate(value: float) -> str:
    """Write a throughput in about three digits."""
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def ratio(ratio: Ratio, times: str = "x", dash: str = "-") -> str:
    """Write a ratio with its interval, in about three digits."""
    median, low, high = (f"{one:.0f}" if one >= 99.5 else rate(one) for one in ratio[:3])
    return f"{times}{median} ({low}{dash}{high})"


def _brief(result: Result, times: str, dash: str) -> str:
    """A result within a sentence."""
    source = "RAM" if result.source == "ram" else "file"
    where = f" ({source})" if result.group == "algorithm" else ""
    return f"{result.title}{where}, {result.peer}: {ratio(result.ratio, times, dash)}"


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
    fractions: Sequence[float | None] = [
        one.cached for one in report.results if one.source == "file"
    ]
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

"""What all forms of a report say in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from partsum.bench._report import Ratio, Report, Result

NONE = "none in this run."


class Marks(NamedTuple):
    """How a ratio is written."""

    times: str
    dash: str


PLAIN = Marks("x", "-")
TYPESET = Marks("\N{MULTIPLICATION SIGN}", "\N{EN DASH}")


class Group(NamedTuple):
    """Results that belong in one table."""

    title: str
    results: list[Result]


def groups(report: Report) -> list[Group]:
    """The tables of a report, without empty ones."""
    titles = {
        ("everyday", "file"): "Everyday jobs, from Python",
        ("command", "file"): "Everyday jobs, command against command",
        ("algorithm", "file"): "Each algorithm, parts of a page-cached file",
        ("algorithm", "ram"): "Each algorithm, parts in RAM",
    }
    found = [
        Group(title, [one for one in report.results if (one.group, one.source) == key])
        for key, title in titles.items()
    ]
    return [group for group in found if group.results]


def rate(value: float) -> str:
    """GB/s, in three digits or so."""
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def times(value: float) -> str:
    """A ratio, in three digits or so."""
    return f"{value:.0f}" if value >= 99.5 else rate(value)


def ratio(ratio: Ratio, marks: Marks = PLAIN) -> str:
    """A ratio with its interval."""
    median, low, high = map(times, ratio[:3])
    return f"{marks.times}{median} ({low}{marks.dash}{high})"


VERDICTS = {"partsum": "partsum", "peer": "peer wins", "tie": "tie"}
"""Who won, in a word."""


def brief(result: Result, marks: Marks = PLAIN) -> str:
    """A result within a sentence."""
    where = "" if result.group != "algorithm" else f" ({_source(result)})"
    return f"{result.title}{where}, {result.peer}: {ratio(result.ratio, marks)}"


def _source(result: Result) -> str:
    return "RAM" if result.source == "ram" else "file"


def peer_wins(report: Report, marks: Marks = PLAIN) -> list[str]:
    """Where a peer was faster, a line each."""
    return [brief(one, marks) for one in report.wins("peer")]


def ties(report: Report, marks: Marks = PLAIN) -> str:
    """Where the intervals hold 1."""
    found = [brief(one, marks) for one in report.wins("tie")]
    return "; ".join(found) + "." if found else NONE


def data_size(size: int) -> str:
    """Bytes in binary units, exact if they are round."""
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 1 << shift:
            return f"{size / (1 << shift):.4g} {unit}"
    return f"{size} bytes"


def method(report: Report) -> str:
    """How it was measured, in a paragraph."""
    options = report.options
    text = (
        f"A file of {data_size(options['size'])} in parts of {data_size(options['part_size'])}, "
        f"{_count(options['threads'], 'thread')}, {_count(options['pairs'], 'pair')} of runs for "
        "each row, partsum and the peer in turns. The ratio is the median over the pairs of the "
        "peer's time by partsum's: above 1, partsum is faster."
    )
    if report.results:
        percent = 100 * report.results[0].ratio.confidence
        text += (
            f" In brackets its {percent:.3g} % interval, by order statistics. GB/s are 10^9 bytes "
            "in the median run. The digests of every run were compared and equal."
        )
    return text


def ways(report: Report) -> list[str]:
    """What was compared with what, a line for each way of partsum."""
    found: dict[str, dict[str, None]] = {}
    for one in report.results:
        found.setdefault(one.ours, {})[one.how] = None
    return [f"{ours} against {'; '.join(theirs)}." for ours, theirs in found.items()]


def machine(report: Report) -> dict[str, str]:
    """What the figures depend on, a line each."""
    found: Mapping[str, Any] = report.machine
    memory = found["memory"]
    forced = f", forced by PARTSUM_ISA={found['isa_override']}" if found["isa_override"] else ""
    loads = [found.get("load_before"), found.get("load_after")]
    lines = {
        "CPU": f"{found['cpu']} ({found['architecture']})"
        + (", virtual machine" if found["virtual"] else ""),
        "CPUs": f"{found['cpus']}, allowed: {found['cpus_allowed']}",
        "partsum": f"{found['partsum']}, instruction set {found['isa']}{forced}",
        "RAM": data_size(memory) if memory else "unknown",
        "System": found["system"],
        "File system": found["file_system"] or "unknown",
        "Python": found["python"] + ("" if found["gil"] else ", free-threaded"),
        "Peers": ", ".join(f"{one.name} {_bare(one)}" for one in report.peers if one.present),
        "Page cache": _cache(report),
        "Load": "unknown" if None in loads else f"{loads[0]:g} before, {loads[1]:g} after",
        "Measured": f"{report.started}, in {report.seconds:.0f} s",
    }
    if all(one.present for one in report.peers):
        return lines
    absent = (f"{one.name} ({one.install})" for one in report.peers if not one.present)
    return lines | {"Absent": ", ".join(absent)}


def _bare(peer: Any) -> str:  # noqa: ANN401
    """A version without the name that some commands put before it."""
    version: str = peer.version
    return version.removeprefix(f"{peer.name} ").partition(" (Library:")[0]


def _cache(report: Report) -> str:
    fractions = [one.cached for one in report.results if one.source == "file"]
    if not fractions:
        return "no file was read"
    if None in fractions:
        return "unknown: the system does not tell"
    worst = min(fraction for fraction in fractions if fraction is not None)
    return "every file was wholly in it" if worst == 1 else f"only {worst:.0%} of a file at worst"


def warnings(report: Report) -> list[str]:
    """What makes the figures worth less."""
    found: Mapping[str, Any] = report.machine
    said = []
    if found["debug_build"]:
        said.append("partsum is a debug build, many times slower: build it in release mode.")
    if found["isa_override"]:
        said.append("PARTSUM_ISA chose the instruction set.")
    if report.results and report.results[0].ratio.confidence < 0.95:
        said.append(
            f"{_count(report.options['pairs'], 'pair')} of runs are too few for an interval of "
            "95 %: publish nothing below 6."
        )
    load = found.get("load_before")
    if load is not None and load > 0.3 * found["cpus_allowed"]:
        said.append(f"The machine was busy before the run (load {load:g}).")
    if "only" in _cache(report):
        said.append("Some files did not stay in the page cache: choose a smaller size.")
    return said


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

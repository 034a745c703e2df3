"""One table of what criterion measured last: partsum against the fastest peer of each group.

    cargo bench -p partsum-benches --features aws-lc --bench kernels
    python benches/table.py [--markdown FILE] [--svg FILE]

All of a group are measured once in each round, so a ratio is the median of the rounds' ratios, as
in `partsum bench`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from partsum.bench import Ratio
from partsum.bench._chart import Bar, standalone
from partsum.bench._machine import describe
from partsum.bench._report import rate

ALGORITHMS = (
    *("MD5", "SHA1", "SHA256", "SHA512"),
    *("CRC32", "CRC32C", "CRC64NVME"),
    *("XXHASH64", "XXHASH3", "XXHASH128"),
)
PLACES = ("L2", "RAM")


class Measured(NamedTuple):
    """One benchmark of criterion, in all rounds."""

    who: str
    messages: int
    gaps: str
    """Empty, or how the messages lie."""
    size: int
    """Bytes."""
    medians: tuple[float, ...]
    """Nanoseconds, of each round."""

    @property
    def gigabytes(self) -> float:
        """Per second."""
        return self.size / median(self.medians)

    def against(self, other: Measured) -> Bar:
        """How many times as fast as another one, byte by byte, round by round."""
        share = self.size / other.size
        rounds = zip(other.medians, self.medians, strict=True)
        ratio = Ratio.of([share * theirs / ours for theirs, ours in rounds])
        winner = "partsum" if ratio.low > 1 else "peer" if ratio.high < 1 else "tie"
        one = "1 message" if self.messages == 1 else f"{self.messages} messages"
        words = (self.who.removeprefix("partsum").strip(), one, self.gaps)
        return Bar("", " ".join(filter(None, words)), ratio, winner)


class Row(NamedTuple):
    """One comparison."""

    place: str
    ours: Measured
    peer: Measured
    bar: Bar


def read(folder: Path) -> dict[str, list[Measured]]:
    """The benchmarks of each group, which is an algorithm and where its bytes were."""
    rounds: dict[tuple[str, str, str, int], dict[int, float]] = defaultdict(dict)
    for path in folder.glob("*/*/*/new/benchmark.json"):
        about = json.loads(path.read_text())
        group, _, number = about["group_id"].rpartition(" ")
        if not number.isdecimal():
            continue  # another program's
        estimates = json.loads((path.parent / "estimates.json").read_text())
        one = (group, about["function_id"], about["value_str"], about["throughput"]["Bytes"])
        rounds[one][int(number)] = estimates["median"]["point_estimate"]
    groups: dict[str, list[Measured]] = defaultdict(list)
    for (group, who, value, size), medians in rounds.items():
        messages, _, gaps = value.partition(" ")
        in_order = tuple(medians[number] for number in sorted(medians))
        groups[group].append(Measured(who, int(messages), gaps, size, in_order))
    return groups


def rows(groups: dict[str, list[Measured]]) -> Iterator[Row]:
    """Every way of partsum against the fastest peer."""
    for place in PLACES:
        for algorithm in ALGORITHMS:
            measured = groups.get(f"{algorithm} {place}", [])
            ours = [one for one in measured if one.who.startswith("partsum")]
            peers = [one for one in measured if not one.who.startswith("partsum")]
            if not ours or not peers:
                continue
            best = min(peers, key=lambda one: median(one.medians))
            for one in sorted(ours, key=lambda one: (one.who != "partsum portable", one[:3])):
                bar = one.against(best)._replace(title=f"{algorithm} against {best.who}")
                yield Row(place, one, best, bar)


def machine() -> str:
    """What the figures depend on."""
    found = describe(Path.cwd())
    rustc = subprocess.run(("rustc", "--version"), capture_output=True, text=True, check=True)
    virtual = ", virtual machine" if found["virtual"] else ""
    return (
        f"{found['cpu']} ({found['architecture']}){virtual}, one core; {found['system']}; "
        f"{rustc.stdout.strip()}; "
        f"partsum {found['partsum']}"
    )


def markdown(table: list[Row], about: str) -> str:
    """The table."""
    lines = [
        "| algorithm | bytes in | partsum | GB/s | fastest peer | GB/s | ratio (interval) |",
        "|---|---|---|--:|---|--:|--:|",
    ]
    for place, ours, peer, bar in table:
        times = bar.ratio.text().replace(" ", "** ", 1)
        lines.append(
            f"| {bar.title.split()[0]} | {place} | {bar.name} | {rate(ours.gigabytes)} "
            f"| {peer.who} | {rate(peer.gigabytes)} | **{times} |"
        )
    wins = [
        f"{bar.title.split()[0]} ({place}, {bar.name})"
        for place, _, _, bar in table
        if bar.winner == "peer"
    ]
    return (
        "\n".join(
            [
                *lines,
                "",
                f"Where a peer wins: {'; '.join(wins) or 'none in this run'}.",
                "",
                "Messages lie a power of two apart, as the parts of a file do, and so share a few "
                "sets of the L1 cache; those with gaps lie 192 bytes further apart.",
                "",
                f"{about}. All took turns: a ratio is the median of those of "
                f"{len(table[0].ours.medians)} rounds, in brackets its "
                f"{100 * table[0].bar.ratio.confidence:.1f} % interval, by order statistics. "
                "Every digest was compared.",
            ]
        )
        + "\n"
    )


def svg(table: list[Row], about: str) -> str:
    """The chart."""
    titles = {"L2": "up to 256 KiB in L2", "RAM": "up to 128 MiB in RAM"}
    groups = {
        titles[place]: [row.bar for row in table if row.place == place]
        for place in PLACES
        if any(row.place == place for row in table)
    }
    cpu, _, rest = about.partition("; ")
    title = "One core: how many times as fast as the fastest crate"
    return standalone(title, groups, [cpu, rest])


def main() -> None:
    """Read and print."""
    parser = argparse.ArgumentParser(description="one table of what criterion measured")
    parser.add_argument("--criterion", type=Path, default=Path("target/criterion"))
    parser.add_argument("--markdown", type=Path, help="write the table to this file too")
    parser.add_argument("--svg", type=Path, help="write a chart to this file")
    arguments = parser.parse_args()
    table = list(rows(read(arguments.criterion)))
    if not table:
        raise SystemExit(
            f"nothing in {arguments.criterion}: run cargo bench -p partsum-benches first"
        )
    about = machine()
    print(markdown(table, about), end="")
    if arguments.markdown:
        arguments.markdown.write_text(markdown(table, about))
    if arguments.svg:
        arguments.svg.write_text(svg(table, about))


if __name__ == "__main__":
    main()
